"""RFC 9112 §6, from the side of a client that trusts no upstream: what is an answer, and where it ends."""

import pytest

from appconnect.site.upstream_reading import (
    MAX_BARE_BYTES,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_INTERIM_ANSWERS,
    AnswerReader,
    BrokenAnswer,
)
from tests.protocol.upstreams import answer, chunked, head

CHUNKED = head("Transfer-Encoding: chunked")


def read(*pieces: bytes, is_head: bool = False) -> AnswerReader:
    reader = AnswerReader(is_head=is_head)
    for piece in pieces:
        reader.feed(piece)
    return reader


# -- the head ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begin", [b"HTTP/0.9 200 OK", b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"ICY 200 OK", b"http/1.1 200"]
)
def test_another_version_is_broken(begin: bytes):
    """§2.3."""
    with pytest.raises(BrokenAnswer):
        read(begin + b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("begin", [b"\r\n", b"SSH-2.0-a\r\n", b"H\n", b"<html>"])
def test_what_does_not_begin_as_an_answer_is_not_waited_for(begin: bytes):
    with pytest.raises(BrokenAnswer):
        read(begin)


@pytest.mark.parametrize("status", ["099 A", "600 A", "999 A", "20 A", "2000 A", "abc A", "-20 A", " 200 A"])
def test_a_status_has_three_digits_that_mean_something(status: str):
    """RFC 9110 §15."""
    with pytest.raises(BrokenAnswer):
        read(head("Content-Length: 0", status=status))


def test_a_reason_need_not_be_given():
    """§4."""
    assert read(head("Content-Length: 0", status="200")).status == 200


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("A : b", id="a space before the colon"),
        pytest.param("A: b\r\n c", id="a folded line"),
        pytest.param("A: b\nB: c", id="a bare line feed"),
        pytest.param("A: b\rB: c", id="a bare carriage return"),
        pytest.param("A: b\0", id="NUL"),
        pytest.param("A: b\x01", id="a control character"),
        pytest.param("A\xe4: b", id="a name that is no token"),
        pytest.param(": b", id="no name"),
        pytest.param("no colon", id="no colon"),
    ],
)
def test_a_field_that_is_not_well_formed_is_broken(field: str):
    """§5."""
    with pytest.raises(BrokenAnswer):
        read(head(field, "Content-Length: 0"))


def test_a_head_has_a_limit_in_bytes_before_its_end_and_after_it():
    half = b"HTTP/1.1 200 OK\r\nA: " + b"b" * MAX_HEAD_BYTES
    for wire in (half, half + b"\r\nContent-Length: 0\r\n\r\n"):
        with pytest.raises(BrokenAnswer, match="too long"):
            read(wire)


def test_a_head_has_a_limit_of_fields():
    most = ["A: b"] * (MAX_FIELDS - 1)
    assert read(head(*most, "Content-Length: 0")).is_whole
    with pytest.raises(BrokenAnswer, match="too many fields"):
        read(head(*most, "A: b", "Content-Length: 0"))


def test_interim_answers_are_skipped_up_to_a_limit():
    """RFC 9110 §15.2."""
    hint = head("Link: </a>", status="103 Early Hints")
    reader = read(hint * MAX_INTERIM_ANSWERS + answer(b"a"))
    assert (reader.status, reader.headers, reader.take()) == (200, ((b"content-length", b"1"),), [b"a"])
    with pytest.raises(BrokenAnswer, match="interim"):
        read(hint * (MAX_INTERIM_ANSWERS + 1))


@pytest.mark.parametrize("lines", [(), ("Upgrade: h2c", "Connection: upgrade")])
def test_another_protocol_is_refused(lines: tuple[str, ...]):
    """RFC 9110 §15.2.2: nobody asked for it."""
    with pytest.raises(BrokenAnswer):
        read(head(*lines, status="101 Switching Protocols"))


def test_an_offer_of_another_protocol_is_not():
    """RFC 9110 §7.8: Apache offers h2 beside any answer."""
    reader = read(answer(b"ab", "Upgrade: h2,h2c", "Connection: Upgrade"))
    assert (reader.take(), reader.is_reusable) == ([b"ab"], True)


# -- where it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("Content-Length: 2", "Content-Length: 3"), id="two lengths"),
        pytest.param(("Content-Length: 2", "Content-Length: 2"), id="one length twice"),
        pytest.param(("Content-Length: 2, 2",), id="a list of lengths"),
        pytest.param(("Content-Length: +2",), id="a sign"),
        pytest.param(("Content-Length: 0x2",), id="hexadecimal"),
        pytest.param(("Content-Length: ",), id="an empty length"),
        pytest.param(("Content-Length: 99999999999999999999",), id="more than 64 bits"),
        pytest.param(("Content-Length: 2", "Transfer-Encoding: chunked"), id="a length and chunks"),
        pytest.param(("Transfer-Encoding: chunked", "Content-Length: 2"), id="chunks and a length"),
        pytest.param(("Transfer-Encoding: gzip, chunked",), id="two codings"),
        pytest.param(("Transfer-Encoding: chunked, chunked",), id="chunked twice"),
        pytest.param(("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), id="codings in two fields"),
        pytest.param(("Transfer-Encoding: identity",), id="a coding that is none"),
        pytest.param(("Transfer-Encoding: xchunked",), id="a coding that looks alike"),
    ],
)
def test_what_frames_a_body_in_no_single_way_is_broken(lines: tuple[str, ...]):
    """§6.3."""
    with pytest.raises(BrokenAnswer):
        read(head(*lines) + b"ab")


def test_chunks_of_a_server_that_knows_none_are_broken():
    """§6.1."""
    with pytest.raises(BrokenAnswer):
        read(head("Transfer-Encoding: chunked", version="1.0") + chunked(b"ab"))


@pytest.mark.parametrize(
    "lines", [(), ("Content-Length: 9",), ("Transfer-Encoding: chunked",), ("Transfer-Encoding: x",)]
)
@pytest.mark.parametrize(
    ("status", "is_head"), [("200 OK", True), ("204 No Content", False), ("304 Not Modified", False)]
)
def test_an_answer_without_content_ends_with_its_head_whatever_it_says(lines, status: str, is_head: bool):
    """§6.3."""
    reader = read(head(*lines, status=status), is_head=is_head)
    assert (reader.is_whole, reader.is_reusable, reader.take()) == (True, True, [])


def test_what_follows_such_an_answer_is_no_body():
    reader = read(head("Content-Length: 2") + b"ab", is_head=True)
    assert (reader.is_whole, reader.is_reusable, reader.take()) == (True, False, [])


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_without_framing_the_connection_is_the_frame(version: str):
    """§6.3."""
    reader = read(head(version=version), b"a", b"b")
    assert not reader.is_whole
    reader.end()
    assert (reader.is_whole, reader.is_reusable, reader.take()) == (True, False, [b"a", b"b"])


@pytest.mark.parametrize(
    "wire", [answer(b"abc")[:-1], CHUNKED, CHUNKED + b"3\r\nab", CHUNKED + b"0\r\n", b"HTTP/1.1 200"]
)
def test_an_end_before_the_end_is_broken(wire: bytes):
    """§8."""
    with pytest.raises(BrokenAnswer):
        read(wire).end()


@pytest.mark.parametrize(
    ("said", "is_reusable"),
    [
        pytest.param(answer(b""), True, id="HTTP/1.1"),
        pytest.param(answer(b"", "Connection: keep-alive"), True, id="HTTP/1.1 that says so"),
        pytest.param(answer(b"", "Connection: Close"), False, id="close"),
        pytest.param(answer(b"", "Connection: keep-alive", "Connection: a ,\tclose"), False, id="close in a list"),
        pytest.param(answer(b"", "Connection: closed"), True, id="another option"),
        pytest.param(answer(b"", version="1.0"), False, id="HTTP/1.0"),
        pytest.param(answer(b"", "Connection: keep-alive", version="1.0"), False, id="HTTP/1.0 that would go on"),
    ],
)
def test_a_connection_is_used_again_where_nothing_speaks_against_it(said: bytes, is_reusable: bool):
    """§9.3, §9.6."""
    assert read(said).is_reusable is is_reusable


@pytest.mark.parametrize(
    "extra", [b"\r\n", b"\r\n\r\n", b"\n", b"x", b"HTTP/1.1 200 OK\r\n", answer(b"x"), CHUNKED + chunked(b"x")]
)
@pytest.mark.parametrize(
    "said", [answer(b"ab"), CHUNKED + chunked(b"ab"), CHUNKED + chunked(b"ab", trailer=b"A: b\r\n")]
)
def test_what_follows_an_answer_ends_the_connection(said: bytes, extra: bytes):
    """§9.2."""
    reader = read(said + extra)
    assert (reader.is_whole, reader.is_reusable, reader.take()) == (True, False, [b"ab"])


# -- chunks -----------------------------------------------------------------------------------------------------------


def test_fields_of_a_trailer_are_dropped():
    """RFC 9110 §6.5.1."""
    reader = read(CHUNKED, chunked(b"ab", trailer=b"X-Late: 1\r\nSet-Cookie: a=b\r\n"))
    assert (reader.headers, reader.is_reusable) == (((b"transfer-encoding", b"chunked"),), True)


def test_extensions_are_ignored():
    """§7.1.1."""
    assert read(CHUNKED, b'2;a=b;c="d e"\r\nab\r\n0;z\r\n\r\n').take() == [b"ab"]


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(b"2\nab\r\n", id="a bare line feed"),
        pytest.param(b"0x2\r\nab\r\n", id="a prefix"),
        pytest.param(b"-2\r\nab\r\n", id="a sign"),
        pytest.param(b" 2\r\nab\r\n", id="a space before"),
        pytest.param(b"2 \r\nab\r\n", id="a space behind"),
        pytest.param(b"\r\nab\r\n", id="no size"),
        pytest.param(b"2\r\nabc\r\n", id="longer than its size"),
        pytest.param(b"2\r\nab0\r\n", id="no end of line"),
        pytest.param(b"fffffffffffffffff\r\nab", id="more than 64 bits"),
    ],
)
def test_a_chunk_that_is_not_well_formed_is_broken(chunk: bytes):
    """§7.1."""
    with pytest.raises(BrokenAnswer):
        read(CHUNKED, chunk + b"0\r\n\r\n")


@pytest.mark.parametrize("begin", [b"2;a=", b"0\r\nA: "], ids=["an extension", "a trailer"])
def test_what_is_around_the_chunks_has_a_limit(begin: bytes):
    reader = read(CHUNKED + begin)
    reader.feed(b"a" * (MAX_BARE_BYTES - 1000))
    with pytest.raises(BrokenAnswer, match="around"):
        reader.feed(b"a" * 1000)
