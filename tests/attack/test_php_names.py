"""What we say that PHP and WordPress read, against what they do read."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appconnect.core.body import Reading, readings_of
from appconnect.core.query import MAX_QUERY_PARAMETERS, parse_arrays, php_name, split_pairs
from appconnect.core.request import Refused
from appconnect.core.rules import Method
from demo.wordpress.debian import program
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from tests.gateways import eventually, free_port

BATCH = 500
"""So many are asked of PHP at once: it is starting that takes its time."""
MANY = settings(deadline=None, max_examples=6, database=None, suppress_health_check=list(HealthCheck))
dice = st.integers(0, 2**32).map(Random)
"""Hypothesis chooses the seed alone: it would take longer to draw thousands of texts than PHP to read them."""

_PIECES = (
    *(b"rest_route", b"rest", b"route", b"_method", b"a", b"b", b"0", b"00", b"1", b"_", b"-", b"\xc3\xbc", b"\xff"),
    *(
        b"[",
        b"]",
        b"[]",
        b"[a]",
        b"[0]",
        b"[a",
        b".",
        b" ",
        b"+",
        b"%20",
        b"%2E",
        b"%5B",
        b"%5D",
        b"%00",
        b"%09",
        b"\t",
    ),
    *(b"%0a", b"%", b"%zz", b"%C3%BC", b"[ a]", b"[a ]", b"[a.b]", b"%2500", b";", b",", b'"', b"'"),
)
_VALUES = (b"", b"=", b"=1", b"=x+y", b"=%31", b"=a=b", b"=%00x", b"=%ff")


def raw_queries(random: Random) -> list[bytes]:
    """Queries of a few names made of what PHP treats specially."""
    return [
        b"&".join(
            b"".join(random.choices(_PIECES, k=random.randint(0, 5))) + random.choice(_VALUES)
            for _ in range(random.randint(0, 4))
        )
        for _ in range(BATCH)
    ]


def parse_str(raws: list[bytes]) -> list[Any]:
    """PHP's own reading of each, arrays as pairs of keys and values so that no key is lost on the way."""
    script = """
        function plain($value) {
            if (!is_array($value)) return base64_encode($value);
            $pairs = [];
            foreach ($value as $key => $each) $pairs[] = [base64_encode((string) $key), plain($each)];
            return $pairs;
        }
        $read = [];
        foreach (explode("\\n", stream_get_contents(STDIN)) as $line) {
            parse_str(base64_decode($line), $parsed);
            $read[] = plain($parsed);
        }
        echo json_encode($read);
    """
    lines = b"\n".join(map(base64.b64encode, raws))
    done = subprocess.run([program("php"), "-r", script], input=lines, capture_output=True, check=True, timeout=60)
    return [_decoded(each) for each in json.loads(done.stdout)]


def _decoded(value: Any) -> Any:
    if isinstance(value, str):
        return base64.b64decode(value)
    return {base64.b64decode(key): _decoded(each) for key, each in value}


def ours(raw: bytes) -> dict[bytes, bytes | None]:
    """Each name with the last value that it has as a plain name, or None where it is an array."""
    read: dict[bytes, bytes | None] = {}
    for name, value in split_pairs(raw, most=MAX_QUERY_PARAMETERS):
        read_as = php_name(name)
        if read_as:
            is_array = b"[" in name.split(b"\0")[0].lstrip(b" ") and read_as == _base(name)
            read[read_as] = None if is_array else value
    return read


def _base(name: bytes) -> bytes:
    """The name before its first bracket, as PHP spells it."""
    return name.split(b"\0")[0].lstrip(b" ").partition(b"[")[0].replace(b".", b"_").replace(b" ", b"_")


@given(dice)
@MANY
def test_php_reads_the_names_that_we_say(random):
    raws = raw_queries(random)
    for raw, php in zip(raws, parse_str(raws), strict=True):
        assert set(php) == set(ours(raw)), raw
        plain = {name: value for name, value in php.items() if isinstance(value, bytes)}
        assert plain == {name: value for name, value in ours(raw).items() if value is not None and name in plain}, raw


_ARRAY_PIECES = (b"[0]", b"[1]", b"[a]", b"[path]", b"[]", b"[x-y]", b"[\xc3\xbc]", b"[01]", b"[7]")


def array_queries(random: Random) -> list[bytes]:
    """Queries of names that are arrays, as a batch in a form is made of."""
    return [
        b"&".join(
            random.choice((b"requests", b"a"))
            + b"".join(random.choices(_ARRAY_PIECES, k=random.randint(0, 3)))
            + random.choice((b"=1", b"=x"))
            for _ in range(random.randint(1, 4))
        )
        for _ in range(BATCH)
    ]


@given(dice)
@MANY
def test_php_makes_the_arrays_that_we_say_or_we_say_none(random):
    raws = array_queries(random)
    for raw, php in zip(raws, parse_str(raws), strict=True):
        try:
            arrays = parse_arrays(split_pairs(raw, most=MAX_QUERY_PARAMETERS))
        except Refused:
            continue
        assert _encoded(arrays) == php, raw


def _encoded(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    return {key.encode(): _encoded(each) for key, each in value.items()}


# -- over HTTP --------------------------------------------------------------------------------------------------------


@contextmanager
def php_server(folder: Path) -> Iterator[str]:
    """PHP's own server, which answers with what it has read."""
    (folder / "index.php").write_text(
        "<?php echo json_encode([array_map('strval', array_keys($_GET)), count($_POST) > 0], JSON_INVALID_UTF8_IGNORE);"
    )
    port = free_port()
    process = subprocess.Popen(
        [program("php"), "-S", f"127.0.0.1:{port}", "-t", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/index.php"
        eventually(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def php(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with php_server(tmp_path_factory.mktemp("php")) as url:
        yield url


@pytest.mark.parametrize(
    "query",
    [
        *("rest_route=1", "rest.route=1", "rest%20route=1", "rest+route=1", "rest[route=1", "rest%5Broute=1"),
        *("%20rest_route=1", "rest_route%00x=1", "[rest_route=1", "rest_route[]=1", "rest-route=1", "a;rest_route=1"),
    ],
)
def test_a_real_request_is_read_as_parse_str_reads(php: str, query: str):
    """`$_GET` goes the same way as `parse_str` (`php_default_treat_data`)."""
    names, _ = httpx.get(f"{php}?{query}").json()
    assert [name.encode() for name in names] == [name for name in ours(query.encode()) if name]


_TYPE_PIECES = (
    *("application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain", "json"),
    *("application/vnd.api+json", "application/x", "+json", "; boundary=x", ";", ",", " ", "; charset=utf-8"),
    *("/", "+oembed", "x", "\t", "APPLICATION/JSON", "Application/X-WWW-Form-Urlencoded", "application/"),
)


def content_types(random: Random, number: int) -> list[str]:
    """Content types, likely and unlikely, as they come from the HTTP server: without white space around them."""
    return ["".join(random.choices(_TYPE_PIECES, k=random.randint(0, 4))).strip() for _ in range(number)]


@given(dice)
@settings(MANY, max_examples=2)
def test_php_takes_for_a_form_what_we_say(php, random):
    """`sapi_read_post_data`; a body that is both tells which of the two it was read as."""
    body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    with httpx.Client() as client:
        for content_type in content_types(random, 100):
            headers = {"Content-Type": content_type} if content_type else {}
            _, is_form = client.post(php, content=body, headers=headers).json()
            said = readings_of(content_type.encode(), wire_method=Method.POST, method=Method.POST)
            if Reading.MULTIPART in said:  # whose boundary may be missing, which we do not look for
                continue
            assert is_form == (Reading.FORM in said), content_type


@pytest.fixture(scope="module")
def wordpress(tmp_path_factory: pytest.TempPathFactory):
    return create_site(tmp_path_factory.mktemp("site") / "site", Release.V6_7_ALPHA)


@given(dice)
@settings(MANY, max_examples=3)
def test_wordpress_takes_for_json_and_for_a_form_what_we_say(wordpress, random):
    """`WP_REST_Request::is_json_content_type` and `parse_body_params`, asked of WordPress itself."""
    types = content_types(random, 300)
    read = json.loads(
        wordpress.php(
            """
            $read = [];
            foreach ($types as $type) {
                $request = new WP_REST_Request('PUT', '/');
                $request->set_header('Content-Type', $type);
                $request->set_body('a=1');
                $request->get_params();
                $read[] = [$request->is_json_content_type(), isset($request->get_body_params()['a'])];
            }
            echo json_encode($read);
            """,
            types=types,
        )
    )
    for content_type, (is_json, is_form) in zip(types, read, strict=True):
        said = readings_of(content_type.encode(), wire_method=Method.PUT, method=Method.PUT)
        assert (Reading.JSON in said, Reading.FORM in said) == (is_json, is_form), content_type
