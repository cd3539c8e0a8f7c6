"""The head of a request: the same bytes, whether what is in it was there before or not (RFC 9112 §3, §5)."""

import pytest

from appconnect.core.request import Refused
from appconnect.ports import UpstreamRequest
from appconnect.site.upstream_head import request_head

HOST = (b"host", b"wordpress.example")


def asked(*headers: tuple[bytes, bytes], method: str = "GET", target: str = "/wp-json/") -> UpstreamRequest:
    return UpstreamRequest(method, target, (HOST, *headers), None, may_repeat=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT"])
@pytest.mark.parametrize("length", [(), ((b"content-length", b"0"),)], ids=["no length", "a length of none"])
def test_fields_that_come_again_are_written_as_the_first_time(method: str, length):
    request = asked((b"accept", b"*/*"), *length, method=method)
    anew = request._replace(headers=list(request.headers))
    assert request_head(request) == request_head(request) == request_head(anew)


def test_only_the_fields_come_again():
    heads = [request_head(asked(method=method, target=f"/{at}"))[0] for at in "ab" for method in ("GET", "HEAD")]
    rest = b" HTTP/1.1\r\nhost: wordpress.example\r\n\r\n"
    assert heads == [start + rest for start in (b"GET /a", b"HEAD /a", b"GET /b", b"HEAD /b")]


def test_no_head_is_another_ones_among_many():
    for number in (*range(600), *range(600)):
        assert request_head(asked((b"a", b"%d" % number)))[0].endswith(b"\r\na: %d\r\n\r\n" % number)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param((b"a", b"b\r\nc: d"), id="an end of a line"),
        pytest.param((b"a", b"b\n"), id="a line feed"),
        pytest.param((b"a", b"b\r"), id="a carriage return"),
        pytest.param((b"a", b"b\0"), id="NUL"),
        pytest.param((b"a b", b"c"), id="a name with a space"),
        pytest.param((b"content-length", b"1"), id="a length without a body"),
        pytest.param((b"content-length", b"+0"), id="a length that is none"),
        pytest.param((b"transfer-encoding", b"chunked"), id="a coding"),
    ],
)
def test_what_never_goes_out_does_not_the_second_time_either(field):
    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011
            request_head(asked(field))


def test_text_that_is_no_utf_8_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(Refused):
            request_head(asked((b"a", b"\xff")))


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/a b"), ("GET /a", "/b"), ("GET /a", "b"), ("GET", "/a\n"), ("GET\n", "/a"), ("", "/a"), ("GET", "/ä")],
)
def test_a_method_and_a_target_are_one_word_each(method: str, target: str):
    with pytest.raises(Exception, match=r"method|target"):
        request_head(asked(method=method, target=target))
