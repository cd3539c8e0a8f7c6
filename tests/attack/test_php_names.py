"""What we say that PHP and WordPress read, against what they do read."""

import base64
import json
import string
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appconnect.core.body import MAX_FORM_FIELDS, Reading, readings_of
from appconnect.core.query import parse_arrays, php_name, split_pairs
from appconnect.core.request import Refused
from appconnect.core.rules import Method
from demo.wordpress.debian import program
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from tests.attack.wire import Wire
from tests.gateways import eventually, free_port

MANY = settings(deadline=None, database=None, max_examples=500)
SOME = settings(MANY, max_examples=100)  # each is a request

PLAIN = """
    function plain($value) {
        if (!is_array($value)) return base64_encode($value);
        $pairs = [];
        foreach ($value as $key => $each) $pairs[] = [base64_encode((string) $key), plain($each)];
        return $pairs;
    }
"""
"""PHP's values as JSON in which no byte and no key is lost: texts in base64, arrays as pairs."""


def unplain(value: Any) -> Any:
    """The opposite of `plain`: texts as bytes, arrays as dicts, a number for a key as its text."""
    if isinstance(value, str):
        return base64.b64decode(value)
    return {base64.b64decode(key): unplain(each) for key, each in value}


Php = Callable[[bytes], Any]


@pytest.fixture(scope="module")
def parse_str() -> Iterator[Php]:
    """PHP's `parse_str`; one process reads line by line, as it is the start that takes its time."""
    script = """
        while (($line = fgets(STDIN)) !== false) {
            parse_str(base64_decode(trim($line)), $read);
            echo json_encode(plain($read)), "\\n";
        }
    """
    command = [program("php"), "-r", PLAIN + script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def ask(raw: bytes) -> Any:
            asked.write(base64.b64encode(raw) + b"\n")
            asked.flush()
            return unplain(json.loads(answered.readline()))

        yield ask
        asked.close()


@pytest.fixture(scope="module")
def php(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """PHP's own server, which answers with the `$_GET` and the `$_POST` of a request."""
    folder = tmp_path_factory.mktemp("php")
    (folder / "index.php").write_text(f"<?php {PLAIN} echo json_encode([plain($_GET), plain($_POST)]);")
    url = f"http://127.0.0.1:{free_port()}"
    command = [program("php"), "-S", urlsplit(url).netloc, "-t", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(url))
        wire = Wire("127.0.0.1", urlsplit(url).port or 0)
        yield wire
        wire.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def post(php: Wire, query: bytes, content_type: bytes, body: bytes) -> tuple[Any, Any]:
    """`$_GET` and `$_POST` of a real POST, byte for byte."""
    head = b"POST /?%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    answer = php.ask(head % (query, content_type, len(body)) + body, "POST")
    query_read, form_read = json.loads(answer.body)
    return unplain(query_read), unplain(form_read)


# -- names ------------------------------------------------------------------------------------------------------------

_WORDS = (*(b"rest_route", b"rest", b"route", b"_method", b"a", b"b", b"0", b"00", b"-1", b"_"), b"\xc3\xbc", b"\xff")
_BRACKETS = (b"[", b"]", b"[]", b"[a]", b"[0]", b"[a", b"[ a]", b"[a ]", b"[a.b]", b"%5B", b"%5D")
_SPACES = (b".", b"+", b"%20", b"%2E", b"%00", b"%09", b"%0a", b"%0b", b"%c2%a0")
_OTHERS = (b"%", b"%zz", b"%C3%BC", b"%2500", b"%26", b"%3d", b";", b",", b'"', b"'", b"\\", b"/", b"?")
_names = st.lists(st.sampled_from((*_WORDS, *_BRACKETS, *_SPACES, *_OTHERS)), max_size=5).map(b"".join)
_values = st.sampled_from((b"", b"=", b"=1", b"=x+y", b"=%31", b"=a=b", b"=%00x", b"=%ff"))
raw_queries = st.lists(st.builds(bytes.__add__, _names, _values), max_size=4).map(b"&".join)


def check_names(raw: bytes, read: dict[bytes, Any]) -> None:
    """PHP has the names that we say and no other, and where one is no array, the last value that it was given."""
    said = {php_name(name): value for name, value in split_pairs(raw, most=MAX_FORM_FIELDS)}
    assert read.keys() == said.keys() - {b""}
    assert all(value == said[name] for name, value in read.items() if isinstance(value, bytes))


@given(raw_queries)
@example(b"rest.route=1")
@example(b"rest+route=1")
@example(b"rest%5Broute=1")
@example(b"+%20rest_route=1")
@example(b"rest_route%00x=1")
@example(b"rest[route[=1")
@example(b"[rest_route]=1")
@example(b"rest_route=1&rest_route=2")
@MANY
def test_php_makes_the_names_that_we_say_and_takes_the_last_of_each(parse_str: Php, raw: bytes):
    """`php_register_variable_ex`."""
    check_names(raw, parse_str(raw))


@given(raw_queries, raw_queries)
@SOME
def test_a_query_and_a_form_of_a_real_request_are_read_alike(php: Wire, query: bytes, form: bytes):
    """`php_default_treat_data`, `php_std_post_handler`."""
    query = b"pin=1&" + quote(query, safe=string.punctuation).encode()  # no other byte may stand in a target
    query_read, form_read = post(php, query, b"application/x-www-form-urlencoded", form)
    check_names(query, query_read)
    check_names(form, form_read)


# -- arrays -----------------------------------------------------------------------------------------------------------

_KEYS = (b"[0]", b"[1]", b"[7]", b"[01]", b"[-1]", b"[]", b"[a]", b"[path]", b"[x-y]", b"[\xc3\xbc]", b"[a.b]")
_ODD_KEYS = (b"[+]", b"[+a]", b"[%09]", b"[%09a]", b"[%00]", b"[a%00]", b"[", b"]", b"x", b"%ff", b"[a]" * 63)
_array_names = st.builds(
    bytes.__add__,
    st.sampled_from((b"requests", b"requests", b"a", b"+a", b"a%00", b"[a]")),
    st.lists(st.sampled_from((*_KEYS, *_KEYS, *_ODD_KEYS)), max_size=3).map(b"".join),
)
array_queries = st.lists(st.builds(bytes.__add__, _array_names, st.sampled_from((b"", b"=1", b"=x"))), max_size=4)


@given(array_queries.map(b"&".join))
@example(b"requests[9223372036854775807]=1&requests[]=2")
@example(b"requests[9223372036854775808]=1&requests[]=2")
@example(b"requests[%s]=1&requests[]=2" % (b"9" * 5000))
@example(b"requests" + b"[a]" * 64)
@example(b"requests" + b"[a]" * 65)
@MANY
def test_php_makes_the_arrays_that_we_say_or_we_say_none(parse_str: Php, raw: bytes):
    """`php_register_variable_ex`."""
    try:
        said = parse_arrays(split_pairs(raw, most=MAX_FORM_FIELDS))
    except Refused:
        return
    assert _in_bytes(said) == parse_str(raw)


def _in_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else {key.encode(): _in_bytes(each) for key, each in value.items()}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a[b][c]=1&a[b][d]=2&e=3", {"a": {"b": {"c": "1", "d": "2"}}, "e": "3"}),
        ("a[]=1&a[]=2&a[7]=3&a[]=4", {"a": {"0": "1", "1": "2", "7": "3", "8": "4"}}),
        ("a[%C3%BC]=x+y", {"a": {"ü": "x y"}}),
    ],
)
def test_what_an_honest_client_sends_is_read(raw: str, said: dict[str, Any]):
    assert parse_arrays(split_pairs(raw.encode(), most=MAX_FORM_FIELDS)) == said


# -- content types ----------------------------------------------------------------------------------------------------

_TYPES = (
    *("application/x-www-form-urlencoded", "multipart/form-data", "application/json", "application/x", "text/plain"),
    *("Application/X-WWW-Form-Urlencoded", "APPLICATION/JSON", "application/vnd.api+json", "json", "application/"),
)
_SEPARATORS = ("; boundary=x", "; charset=utf-8", ";", ",", " ", "\t", "+json", "+oembed", "/", "x", "")
content_types = st.lists(st.sampled_from((*_TYPES, *_SEPARATORS)), max_size=4).map("".join).map(str.strip)
BOTH_FORMS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
"""A form of either kind: multipart to who knows its boundary, and a long name to the other."""


@given(content_types)
@SOME
def test_php_takes_for_a_form_what_we_say(php: Wire, content_type: str):
    """`sapi_read_post_data`; without its boundary PHP does not read multipart, which we need not know."""
    _, form_read = post(php, b"", content_type.encode(), BOTH_FORMS)
    said = readings_of(content_type.encode(), wire_method=Method.POST, method=Method.POST)
    as_multipart, as_form = form_read == {b"a": b"1"}, bool(form_read) and form_read != {b"a": b"1"}
    assert as_form == (Reading.FORM in said)
    assert as_multipart <= (Reading.MULTIPART in said)


@pytest.mark.parametrize(
    ("content_type", "reading"),
    [
        ("application/x-www-form-urlencoded", Reading.FORM),
        ("multipart/form-data; boundary=x", Reading.MULTIPART),
    ],
)
def test_php_takes_for_a_form_what_is_one(php: Wire, content_type: str, reading: Reading):
    _, form_read = post(php, b"", content_type.encode(), BOTH_FORMS)
    assert form_read
    assert readings_of(content_type.encode(), wire_method=Method.POST, method=Method.POST) == {reading}


def test_wordpress_takes_for_json_and_for_a_form_what_we_say(tmp_path: Path):
    """`WP_REST_Request::is_json_content_type` and `parse_body_params`, asked of WordPress itself."""
    types = ["".join(pieces) for pieces in product(("", *_TYPES), _SEPARATORS, ("", *_TYPES), ("", ";", " ", ",x"))]
    site = create_site(tmp_path / "site", Release.V6_7_ALPHA)
    (tmp_path / "types").write_text(json.dumps(types))
    read = site.php(
        """
        foreach (json_decode(file_get_contents($file)) as $type) {
            $request = new WP_REST_Request('PUT', '/');
            $request->set_header('Content-Type', $type);
            $request->set_body('a=1');
            $request->get_params();
            $read[] = [$request->is_json_content_type(), isset($request->get_body_params()['a'])];
        }
        echo json_encode($read);
        """,
        file=str(tmp_path / "types"),
    )
    said = [readings_of(each.encode(), wire_method=Method.PUT, method=Method.PUT) for each in types]
    pairs = [[Reading.JSON in each, Reading.FORM in each] for each in said]
    differing = [each for each, ours, theirs in zip(types, pairs, json.loads(read), strict=True) if ours != theirs]
    assert not differing
    assert {tuple(each) for each in pairs} == {(True, False), (False, True), (False, False)}
