"""Batches: every part is reduced to a form of its own, and what goes on is what was read (`serve_batch_request_v1`)."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from appconnect.core.batch import MAX_PARTS, Batch, parse_batch, rewritten
from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.headers import Fields, Request
from appconnect.core.request import Refused
from appconnect.core.rules import Method

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
POSTS = {"path": "/wp/v2/posts"}


def asked(content_type: str | None = JSON, query: str = "") -> CanonicalRequest:
    headers = () if content_type is None else ((b"content-length", b"1"), (b"content-type", content_type.encode()))
    return canonicalize(Request("POST", b"/wp-json/batch/v1", query.encode(), Fields(headers)))


def batch(*parts: Any, **fields: Any) -> Batch:
    return parse_batch(asked(), json.dumps({"requests": parts, **fields}).encode())


def refusal(*parts: Any, **fields: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        batch(*parts, **fields)
    return caught.value.code, caught.value.message


def sent(read: Batch) -> Any:
    return json.loads(read.to_json())


# -- the three places -------------------------------------------------------------------------------------------------

DELETES = [("DELETE", "/wp/v2/posts/15")]
AS_FORM = "requests[0][path]=/wp/v2/posts/15&requests[0][method]=DELETE&requests[0][body][force]=1"


def what(read: Batch) -> list[tuple[str, str]]:
    return [(part.request.method, part.request.route) for part in read.parts]


@pytest.mark.parametrize("content_type", [JSON, "text/plain, application/json", "application/x+json"])
def test_parts_are_read_from_whatever_wordpress_takes_for_json(content_type):
    content = b'{"requests": [{"method": "DELETE", "path": "/wp/v2/posts/15"}]}'
    assert what(parse_batch(asked(content_type), content)) == DELETES


@pytest.mark.parametrize("form", [AS_FORM, quote(AS_FORM, safe="=&"), AS_FORM.replace("[0]", "[7]")])
def test_parts_are_read_from_a_form(form):
    read = parse_batch(asked(FORM), form.encode())
    assert what(read) == DELETES
    assert sent(read)["requests"][0]["body"] == {"force": "1"}


def test_parts_are_read_from_the_query():
    read = parse_batch(asked(None, AS_FORM), b"")
    assert what(read) == DELETES


def test_parts_in_two_places_are_refused():
    with pytest.raises(Refused, match="in the query and in the body"):
        parse_batch(asked(JSON, AS_FORM), b'{"requests": [{"path": "/wp/v2/posts"}]}')


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", FORM + ", application/json"])
def test_a_body_that_cannot_be_read_for_certain_is_refused(content_type):
    with pytest.raises(Refused, match="cannot be read for certain"):
        parse_batch(asked(content_type), b"x")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("requests=1&requests[0][path]=/wp/v2/posts", id="a text and an array"),
        pytest.param("requests[0][path]=/wp/v2/posts&requests[0][path]=/wp/v2/users", id="a path twice"),
        pytest.param("requests[0][pa.th]=/x&requests[0] [path]=/y", id="names that PHP mends"),
        pytest.param("requests[0][path=/wp/v2/posts", id="a bracket that is not closed"),
        pytest.param("requests[0]x[path]=/wp/v2/posts", id="something between brackets"),
        pytest.param("requests[0][path]=%ff", id="no UTF-8"),
        pytest.param("requests[a][path]=/wp/v2/posts", id="no number"),
        pytest.param("requests[][path]=/wp/v2/posts&requests[][method]=DELETE", id="two halves of a part"),
        pytest.param("requests=/wp/v2/posts", id="a text"),
        pytest.param("requests[0]=/wp/v2/posts", id="a part that is a text"),
    ],
)
def test_a_form_that_two_readers_could_understand_differently_is_refused(form):
    with pytest.raises(Refused):
        parse_batch(asked(FORM), form.encode())


# -- what is forwarded ------------------------------------------------------------------------------------------------


def test_parts_are_written_anew_as_they_were_read():
    read = batch({"path": "/wp/v2/posts/?a=1&b[]=x+y", "body": {"title": "größe", "n": 1.5}, "headers": {"X-A": "1"}})
    assert sent(read) == {
        "validation": "normal",
        "requests": [
            {
                "method": "POST",
                "path": "/wp/v2/posts?a=1&b%5B%5D=x%20y",
                "body": {"title": "größe", "n": 1.5},
                "headers": {"X-A": "1"},
            }
        ],
    }


def test_validation_goes_on():
    assert sent(batch(POSTS, validation="require-all-validate"))["validation"] == "require-all-validate"


def test_what_wordpress_does_not_know_of_a_part_is_left_behind():
    assert sent(batch({**POSTS, "rest_route": "/wp/v2/users", "extra": 1}))["requests"][0].keys() == {
        "method",
        "path",
        "body",
        "headers",
    }


def test_the_request_that_carries_them_says_nothing_else_about_them():
    request = rewritten(asked(FORM, "requests[0][path]=/a&validation=normal&_fields=x"))
    assert request.query == ((b"_fields", b"x"),)
    assert request.headers == ((b"content-type", b"application/json"),)
    assert request.wire_method is Method.POST


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("/wp/v2/posts", id="a text"),
        pytest.param(None, id="nothing"),
        pytest.param({}, id="no path"),
        pytest.param({"path": 1}, id="a path that is a number"),
        pytest.param({"path": ""}, id="an empty path"),
        pytest.param({"path": "wp/v2/posts"}, id="no slash in front"),
        pytest.param({"path": "//wp/v2/posts"}, id="two slashes, which begin a host"),
        pytest.param({"path": "http://x/wp/v2/posts"}, id="a whole address"),
        pytest.param({"path": "http:///x"}, id="a path that PHP cannot parse"),
        pytest.param({"path": "/wp/v2/posts#x"}, id="a fragment"),
        pytest.param({"path": "/wp/v2/../users"}, id="two dots"),
        pytest.param({"path": "/wp/v2//users"}, id="an empty segment"),
        pytest.param({"path": "/wp/v2/posts\\"}, id="a backslash"),
        pytest.param({"path": "/wp/v2/posts\n"}, id="a line end, which PHP's $ matches"),
        pytest.param({"path": "/wp/v2/%70osts"}, id="an encoded letter, which WordPress does not decode here"),
        pytest.param({"path": "/wp/v2/posts?_method=DELETE"}, id="_method"),
        pytest.param({"path": "/wp/v2/posts?rest_route=/x"}, id="rest_route"),
        pytest.param({"path": "/wp/v2/posts?rest.route=/x"}, id="rest_route as PHP would read it"),
        pytest.param({"path": "/wp/v2/posts?_envelope=1"}, id="_envelope"),
        pytest.param({**POSTS, "method": "GET"}, id="GET"),
        pytest.param({**POSTS, "method": "delete"}, id="small letters"),
        pytest.param({**POSTS, "method": 1}, id="a method that is a number"),
        pytest.param({**POSTS, "method": None}, id="no method"),
        pytest.param({**POSTS, "body": "title=x"}, id="a body that is a text"),
        pytest.param({**POSTS, "body": [1]}, id="a body that is a list"),
        pytest.param({**POSTS, "headers": {"X-HTTP-Method-Override": "DELETE"}}, id="an override"),
        pytest.param({**POSTS, "headers": {"x_http_method_override": "DELETE"}}, id="an override, folded"),
        pytest.param({**POSTS, "headers": {"Authorization": "Basic x"}}, id="a credential"),
        pytest.param({**POSTS, "headers": {"Cookie": "x"}}, id="a cookie"),
        pytest.param({**POSTS, "headers": {"X-A": ["1", "2"]}}, id="a header with two values"),
        pytest.param({**POSTS, "headers": {"X-A": "1", "x_a": "2"}}, id="a header twice"),
        pytest.param({**POSTS, "headers": {"X A": "1"}}, id="a header with a space"),
        pytest.param({**POSTS, "headers": ["X-A: 1"]}, id="a list of headers"),
    ],
)
def test_a_part_without_one_meaning_is_refused_and_numbered(part):
    code, message = refusal(POSTS, part)
    assert code == "app_connect_malformed_batch"
    assert message.startswith("Request 2 of the batch: ")


@pytest.mark.parametrize("requests", [None, {}, [], "x", {"a": {"path": "/wp/v2/posts"}}])
def test_a_batch_without_a_list_of_requests_is_refused(requests):
    with pytest.raises(Refused, match="has no list of requests"):
        parse_batch(asked(), json.dumps({"requests": requests}).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b'"x"', b"{}"])
def test_a_body_without_requests_is_refused(content):
    with pytest.raises(Refused, match="has no list of requests"):
        parse_batch(asked(), content)


def test_an_unknown_validation_is_refused():
    assert "unknown validation" in refusal(POSTS, validation="none")[1]


def test_as_many_parts_as_wordpress_takes_and_no_more():
    assert len(batch(*[POSTS] * MAX_PARTS).parts) == MAX_PARTS
    assert f"has {MAX_PARTS + 1} requests" in refusal(*[POSTS] * (MAX_PARTS + 1))[1]
