"""Laws of canonical requests: canonical twice is canonical once, and names are PHP's."""

from urllib.parse import quote, quote_from_bytes

from hypothesis import example, given, settings
from hypothesis import strategies as st

from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.headers import Fields, Request
from appconnect.core.query import php_name
from appconnect.core.request import Refused

_PATHS = (
    *(b"/wp-json/", b"/wp-json", b"/wp-json/wp/v2/Posts", b"/wp-json/wp/v2/posts/15", b"/index.php/wp-json/a%20b"),
    *(b"/wp-json/100%25", b"/wp-json/a%3fb", b"/wp-json/a+b", b"/wp-json/*/**", b"/wp-json/gr%c3%b6%C3%9fe"),
    *("/wp-json/größe".encode(), b"/%77p-json/%70osts", b"/wp-json/...", b"/wp-json/wp-json"),
)
_TAILS = (b"//", b"/.", b"/..", b"%2e", b"%2f", b"%5c", b"\\", b"%0a", b"%00", b"%", b"%ff")
_good_paths = st.builds(lambda path, tail: path + tail, st.sampled_from(_PATHS), st.sampled_from((b"", b"/")))
_bad_paths = st.builds(lambda path, tail: path + tail, st.sampled_from((*_PATHS, b"/", b"")), st.sampled_from(_TAILS))

_ORDINARY = (
    *(b"page", b"include[]", b"a[b][c]", b"a.b", b"a%20b", b"+a", b"a[", b"a]", b"a%3db", b"%26", b"", b"%ff", b"100%"),
    *(b"_embed", b"_embed[]", b"%5fembed%5b%5D", b"_wpnonce", b"[embed", b"[method"),
)
_SPECIAL = (
    *(b"rest_route", b"_method", b"_envelope", b"_jsonp", b"rest.route", b"rest[route", b"+rest_route"),
    *(b"rest_route%00", b".method", b"_method[]", b"_embed[a]", b".embed", b"+_embed", b"_embed[]x"),
)
_NAMES = (*_ORDINARY * 3, *_SPECIAL)
_VALUES = (b"", b"1", b"GET", b"delete", b"/wp/v2/posts", b"/wp/v2/posts/", b"a%26b", b"%ff", b"100%", b"a=b", b"a+b")
_parameters = st.builds(lambda name, value: name + b"=" + value, st.sampled_from(_NAMES), st.sampled_from(_VALUES))
_queries = st.lists(_parameters | st.sampled_from(_NAMES), max_size=2).map(b"&".join)
_methods = st.sampled_from(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_HEADER_NAMES = (
    *(b"accept", b"cookie", b"x-http-method-override", b"connection", b"content-type", b"authorization", b"x-own"),
    *(b"x_http_method_override", b"x.http.method.override", b"x-forwarded-for", b"content-length", b"x_wp_nonce"),
)
_header = st.tuples(st.sampled_from(_HEADER_NAMES), st.sampled_from((b"PUT", b"0", b"x-own", b"close")))
_headers = st.lists(_header, max_size=2).map(Fields)
_likely = st.builds(Request, _methods, _good_paths, _queries, _headers)
_unlikely = st.builds(Request, _methods | st.just("TRACE"), _bad_paths, _queries, _headers)
_anything = st.builds(
    Request, st.text(), st.binary(), st.binary(), st.lists(st.tuples(st.binary(), st.binary())).map(Fields)
)


def _canonical(request: Request) -> CanonicalRequest | None:
    try:
        return canonicalize(request)
    except Refused:
        return None


_accepted = _likely.filter(_canonical)
_canonicals = _accepted.map(canonicalize)

SPECIAL = {b"rest_route", b"_method", b"_embed", b"_envelope", b"_jsonp", b"_wpnonce"}


def reference_php_name(raw: bytes) -> bytes:
    """`php_register_variable_ex` of PHP 8.2, step by step as its C has them; `b""` where it registers nothing."""
    name = bytearray(raw.split(b"\0")[0])
    while name[:1] == b" ":
        del name[0]
    position = 0
    while position < len(name) and name[position] != ord("["):
        if name[position] in b" .":
            name[position] = ord("_")
        position += 1
    if position in (0, len(name)) or b"]" in name[position:]:
        return bytes(name[:position])
    return bytes(name[:position]) + b"_" + bytes(ord("_") if byte in b" .[" else byte for byte in name[position + 1 :])


@given(st.binary(max_size=12) | st.lists(st.sampled_from([b"a", b"[", b"]", b".", b" ", b"\0", b"_"])).map(b"".join))
@example(b"[embed")
@example(b"rest[route")
@settings(max_examples=500)
def test_php_name_agrees_with_the_reference(raw):
    assert php_name(raw) == reference_php_name(raw)


@given(_likely | _unlikely | _anything)
@settings(max_examples=300)
def test_whatever_comes_is_refused_or_has_one_meaning(request):
    """And no other exception."""
    assert isinstance(_canonical(request), CanonicalRequest | None)


@given(_canonicals)
@settings(max_examples=300)
def test_canonical_twice_is_canonical_once(once):
    assert canonicalize(_rebuilt(once)) == once


@given(_canonicals)
@settings(max_examples=300)
def test_nothing_that_php_reads_as_special_goes_on(once):
    """Routing, method, session or a wrapper, under any name; `_embed` only where the request says that it embeds."""
    special = SPECIAL & {reference_php_name(name) for name, _ in once.query}
    assert special == ({b"_embed"} if once.embeds else set())


@given(_canonicals)
@settings(max_examples=300)
def test_no_header_that_php_reads_as_special_goes_on(once):
    """PHP makes one underscore of hyphens, dots and spaces in a header's name."""
    left = {name.translate(bytes.maketrans(b"-. ", b"___")) for name, _ in once.headers}
    assert not left & {b"x_http_method_override", b"x_wp_nonce", b"cookie", b"authorization", b"x_forwarded_for"}


@given(_canonicals)
def test_no_segment_is_empty_or_moves_up(once):
    assert not {"", ".", ".."} & set(once.segments)


@given(_accepted.filter(lambda request: not _asks_for_another_method(request)))
def test_without_an_override_the_method_stays(request):
    assert canonicalize(request).method == request.method


@given(_accepted, st.sampled_from((b"%2f", b"\\", b"%0a", b"/..", b"/.", b"%00", b"//")))
def test_nothing_can_hide_behind_a_path(request, tail):
    assert _canonical(request._replace(raw_path=request.raw_path + tail)) is None


@given(_accepted)
def test_a_slash_at_the_end_changes_nothing(request):
    bare = request.raw_path.removesuffix(b"/")
    assert canonicalize(request._replace(raw_path=bare)) == canonicalize(request._replace(raw_path=bare + b"/"))


def _asks_for_another_method(request: Request) -> bool:
    return b"method" in request.raw_query or any(b"override" in name for name, _ in request.headers)


def _rebuilt(once: CanonicalRequest) -> Request:
    query = "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in once.query)
    length = ((b"content-length", b"1"),) * (once.body is not None)
    override = ((b"x-http-method-override", once.method.encode()),)
    return Request(
        once.wire_method, quote(once.path).encode(), query.encode(), Fields((*once.headers, *length, *override))
    )
