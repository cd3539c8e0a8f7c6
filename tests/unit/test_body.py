"""Bodies: what PHP and WordPress read out of one, and which cannot be read with certainty."""

import pytest

from appconnect.core.body import MAX_FORM_FIELDS, Body, Parameter, Reading
from appconnect.core.request import Refused
from appconnect.core.rules import Method

FORM = "application/x-www-form-urlencoded"
J, F, M = Reading.JSON, Reading.FORM, Reading.MULTIPART


def unread(content_type: str | None, wire: Method = Method.POST, method: Method | None = None) -> Body:
    headers = ((b"content-type", content_type.encode()),) if content_type is not None else ()
    return Body.unread(headers, wire_method=wire, method=method or wire)


def parameters(content: bytes, content_type: str = "application/json", wire: Method = Method.POST):
    return unread(content_type, wire).read(content).parameters


def refusal(content: bytes, content_type: str = "application/json") -> str:
    with pytest.raises(Refused) as caught:
        parameters(content, content_type)
    return caught.value.code


# -- the content type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "readings"),
    [
        ("application/json", {J}),
        ("application/json; charset=utf-8", {J}),
        ("APPLICATION/JSON", {J}),
        ("application/ld+json", {J}),
        ("application/problem+json", {J}),
        ("application/x+json", {J}),
        ("application/json+oembed", {J}),
        ("text/plain, application/json", {J}),
        ("text/plain application/json", {J}),
        (";application/json", set()),
        (",application/json", {J}),
        ("application/jsonp", set()),
        ("application/json2", set()),
        ("text/json", set()),
        (FORM, {F}),
        (FORM + "; charset=utf-8", {F}),
        (FORM.upper(), {F}),
        (FORM + ", application/json", {F, J}),
        (FORM + " application/json", {F, J}),
        (FORM + "x", set()),
        ("multipart/form-data; boundary=x", {M}),
        ("Multipart/Form-Data", {M}),
        ("multipart/form-data,application/json", {M, J}),
        ("multipart/mixed; boundary=x", set()),
        ("text/plain", set()),
        ("image/png", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_a_post_is_read_by_the_type_as_php_and_wordpress_understand_it(content_type, readings):
    """`sapi_read_post_data` and `WP_REST_Request::is_json_content_type`, `get_content_type`."""
    assert unread(content_type).readings == readings


@pytest.mark.parametrize(
    ("content_type", "readings"),
    [
        (FORM, {F}),
        (None, {F}),
        ("", {F}),
        ("json", {F}),
        ("application/json", {J}),
        ("multipart/form-data; boundary=x", set()),
        ("text/plain", set()),
    ],
)
@pytest.mark.parametrize("method", [Method.PUT, Method.PATCH, Method.DELETE])
def test_another_method_has_no_multipart_and_takes_what_has_no_type_for_a_form(content_type, readings, method):
    """`WP_REST_Request::parse_body_params`; PHP itself reads the body of a real POST only."""
    assert unread(content_type, method).readings == readings


def test_a_post_that_is_overridden_is_read_by_both():
    assert unread("multipart/form-data; boundary=x", Method.POST, Method.PUT).readings == {M}
    assert unread(None, Method.POST, Method.PUT).readings == {F}


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", FORM + ",application/json"])
def test_what_has_two_readings_or_too_many_corners_cannot_be_read(content_type):
    assert not unread(content_type).can_be_read


def test_what_a_web_server_may_decode_cannot_be_read():
    headers = ((b"content-type", b"application/json"), (b"content-encoding", b"gzip"))
    assert not Body.unread(headers, wire_method=Method.POST, method=Method.POST).can_be_read


def test_a_body_that_means_nothing_has_no_parameters_without_being_read():
    assert unread("image/png").parameters == ()


def test_a_body_that_may_mean_something_has_none_before_it_is_read():
    assert unread("application/json").parameters is None


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_texts_and_whole_numbers_have_a_value_and_nothing_else_has():
    assert parameters(b'{"a": "x", "b": 15, "c": true, "d": 1.0, "e": null, "f": [1], "g": {}}') == (
        Parameter(b"a", "x"),
        Parameter(b"b", "15"),
        *(Parameter(name, None) for name in (b"c", b"d", b"e", b"f", b"g")),
    )


def test_a_name_is_read_with_its_escapes_and_not_as_php_reads_names_elsewhere():
    assert parameters(b'{"i\\u0064": 1, "a.b": 2}') == (Parameter(b"id", "1"), Parameter(b"a.b", "2"))


@pytest.mark.parametrize("content", [b"", b"0", b"[1, 2]", b'"text"', b"15", b"null", b" {} \r\n"])
def test_what_is_no_object_has_no_parameters(content):
    assert parameters(content) == ()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"{", id="cut short"),
        pytest.param(b'{"id": 1} x', id="something behind it"),
        pytest.param(b'{"id": 1, "id": 2}', id="a name twice"),
        pytest.param(b'{"a": {"b": 1, "b": 2}}', id="a name twice further in"),
        pytest.param(b"{'id': 1}", id="single quotes"),
        pytest.param(b'{"id": NaN}', id="NaN"),
        pytest.param(b'{"id": -Infinity}', id="infinity"),
        pytest.param(b'{"id": 1e999}', id="a number beyond every double"),
        pytest.param(b'{"id": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
        pytest.param(b'{"id": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'{"id": "\xff"}', id="no UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"id": 1}', id="a byte order mark"),
        pytest.param('{"id": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"id": "\n"}', id="a raw line end in a text"),
        pytest.param(b"[" * 100_000, id="nested beyond measure"),
    ],
)
def test_json_that_php_would_not_read_so_is_refused(content):
    assert refusal(content) == "app_connect_malformed_body"


# -- forms ------------------------------------------------------------------------------------------------------------


def test_a_form_is_read_as_php_reads_it():
    content = b"a=x+y&b%2Ec=%31&%20d=1&e[]=1&f&g=%ff&a=z&=1"
    assert parameters(content, FORM) == (
        Parameter(b"a", "x y"),
        Parameter(b"b_c", None),
        Parameter(b"d", None),
        Parameter(b"e", None),
        Parameter(b"f", ""),
        Parameter(b"g", None),
        Parameter(b"a", "z"),
    )


def test_a_form_of_more_fields_than_php_reads_is_refused():
    assert refusal(b"a=1&" * (MAX_FORM_FIELDS + 1), FORM) == "app_connect_too_many_parameters"
