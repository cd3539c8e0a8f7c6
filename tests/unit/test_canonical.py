"""Canonical requests: every spelling with one meaning has one form, and everything else is refused.

The measure is what real WordPress and PHP understand (`wordpress.md`, "How WordPress reads a request").
"""

import pytest

from appconnect.core.body import Reading
from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.headers import Fields, Request
from appconnect.core.query import MAX_QUERY_PARAMETERS, php_name
from appconnect.core.request import Refused
from appconnect.core.rules import Method

POSTS = b"/wp-json/wp/v2/posts"


def canonical(
    method: str = "GET", path: bytes = POSTS, query: bytes = b"", *headers: tuple[bytes, bytes]
) -> CanonicalRequest:
    return canonicalize(Request(method, path, query, Fields(headers)))


def refusal(
    method: str = "GET", path: bytes = POSTS, query: bytes = b"", *headers: tuple[bytes, bytes]
) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        canonical(method, path, query, *headers)
    return caught.value.status, caught.value.code


# -- the route: every spelling of the REST root becomes the route -----------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "route"),
    [
        pytest.param(b"/wp-json/wp/v2/posts", b"", "/wp/v2/posts", id="pretty"),
        pytest.param(b"/wp-json/wp/v2/posts/", b"", "/wp/v2/posts", id="a slash at the end goes"),
        pytest.param(b"/index.php/wp-json/wp/v2/posts", b"", "/wp/v2/posts", id="behind index.php"),
        pytest.param(b"/", b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route on the front page"),
        pytest.param(b"/index.php", b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route on index.php"),
        pytest.param(b"/", b"rest_route=%2Fwp%2Fv2%2Fposts", "/wp/v2/posts", id="rest_route encoded, as clients do"),
        pytest.param(b"/", b"rest_route=/wp/v2/posts/", "/wp/v2/posts", id="rest_route with a slash at the end"),
        pytest.param(b"/hello-world/", b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route on a post's page"),
        pytest.param(b"/shop/cart", b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route on any other page"),
        pytest.param(
            b"/index.php/2024/05", b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route below index.php"
        ),
        pytest.param(b"/index.php/index.php/wp-json/wp/v2/posts", b"", "/wp/v2/posts", id="behind index.php twice"),
        pytest.param(b"/", b"page=2&rest_route=/wp/v2/posts", "/wp/v2/posts", id="rest_route behind another name"),
        pytest.param(b"/", b"rest%5Froute=/wp/v2/posts", "/wp/v2/posts", id="rest_route with its name encoded"),
        pytest.param(POSTS, b"rest_route=/wp/v2/posts", "/wp/v2/posts", id="path and rest_route that agree"),
        pytest.param(POSTS, b"rest_route=/wp/v2/posts/", "/wp/v2/posts", id="agreeing but for the last slash"),
        pytest.param(b"/", b"rest_route=/a&rest_route=/a", "/a", id="rest_route twice, agreeing"),
        pytest.param(b"/%77p-json/wp/v2/posts", b"", "/wp/v2/posts", id="the prefix percent-encoded"),
        pytest.param(b"/wp-json/wp/v2/%70osts", b"", "/wp/v2/posts", id="a letter percent-encoded"),
        pytest.param(b"/wp-json/", b"", "/", id="the index"),
        pytest.param(b"/wp-json", b"", "/", id="the index without its slash"),
        pytest.param(b"/", b"rest_route=/", "/", id="the index by rest_route"),
        pytest.param(b"/wp-json/WP/v2/Posts", b"", "/WP/v2/Posts", id="capitals stay as sent"),
        pytest.param("/wp-json/shop/v1/größe".encode(), b"", "/shop/v1/größe", id="raw UTF-8"),
        pytest.param(b"/wp-json/shop/v1/gr%C3%B6%c3%9fe", b"", "/shop/v1/größe", id="percent-encoded UTF-8"),
        pytest.param(b"/wp-json/shop/v1/%E6%97%A5%E6%9C%AC", b"", "/shop/v1/日本", id="another script"),
        pytest.param(b"/wp-json/shop/v1/a%20b", b"", "/shop/v1/a b", id="a space"),
        pytest.param(b"/wp-json/shop/v1/a+b", b"", "/shop/v1/a+b", id="a plus in the path, which is no space"),
        pytest.param(b"/", b"rest_route=/shop/v1/a+b", "/shop/v1/a b", id="a plus in the query, which is a space"),
        pytest.param(b"/wp-json/shop/v1/100%25", b"", "/shop/v1/100%", id="a percent sign"),
        pytest.param(b"/wp-json/shop/v1/a%3Fb%23c", b"", "/shop/v1/a?b#c", id="an encoded question mark and hash"),
        pytest.param(b"/wp-json/shop/v1/...", b"", "/shop/v1/...", id="three dots"),
        pytest.param(b"/wp-json/shop/v1/.well-known", b"", "/shop/v1/.well-known", id="a name that starts with a dot"),
        pytest.param(b"/wp-json/shop/v1/a..b", b"", "/shop/v1/a..b", id="two dots inside a name"),
        pytest.param(b"/wp-json/wp-json/v1", b"", "/wp-json/v1", id="the prefix again as a segment"),
    ],
)
def test_a_spelling_of_the_rest_root_becomes_the_route(path, query, route):
    assert canonical("GET", path, query).route == route


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/wp-json/wp/v2/../users", id="a double dot segment"),
        pytest.param(b"/wp-json/wp/v2/%2e%2e/users", id="an encoded double dot segment"),
        pytest.param(b"/wp-json/wp/v2/.%2E/users", id="a half encoded double dot segment"),
        pytest.param(b"/wp-json/wp/v2/posts/..", id="a double dot segment at the end"),
        pytest.param(b"/wp-json/../wp-json/wp/v2/posts", id="a double dot segment behind the prefix"),
        pytest.param(b"/wp-json/./wp/v2/posts", id="a dot segment"),
        pytest.param(b"/wp-json/wp/v2/posts/.", id="a dot segment at the end"),
        pytest.param(b"/wp-json/wp/v2/posts/%2e", id="an encoded dot segment at the end"),
        pytest.param(b"/wp-json//wp/v2/posts", id="an empty segment"),
        pytest.param(b"http://your-site.com/wp-json/wp/v2/posts", id="the absolute form"),
        pytest.param(b"/wp-json/wp/v2/posts//", id="two slashes at the end"),
        pytest.param(b"//wp-json/wp/v2/posts", id="two slashes in front"),
        pytest.param(b"/wp-json/wp/v2%2fposts", id="an encoded slash"),
        pytest.param(b"/wp-json/wp/v2%2Fposts", id="an encoded slash in capitals"),
        pytest.param(b"/wp-json%2fwp/v2/posts", id="an encoded slash behind the prefix"),
        pytest.param(b"/wp-json/wp/v2/posts%2f", id="an encoded slash at the end"),
        pytest.param(b"/wp-json/wp\\v2/posts", id="a backslash"),
        pytest.param(b"/wp-json/wp/v2/posts%5C", id="an encoded backslash"),
        pytest.param(b"/wp-json/wp/v2/posts%5c", id="an encoded backslash in small letters"),
        pytest.param(b"/wp-json/wp/v2/posts%00", id="a NUL"),
        pytest.param(b"/wp-json/wp/v2/posts%0a", id="a new line at the end, which matches PHP's $"),
        pytest.param(b"/wp-json/wp/v2/posts%0D%0A", id="a carriage return"),
        pytest.param(b"/wp-json/wp/v2/posts%09", id="a tab"),
        pytest.param(b"/wp-json/wp/v2/posts%7f", id="a DEL"),
        pytest.param(b"/wp-json/wp/v2/posts%c3", id="UTF-8 cut short"),
        pytest.param(b"/wp-json/wp/v2/posts%ff", id="a byte that UTF-8 has not"),
        pytest.param(b"/wp-json/wp/v2%c0%afposts", id="an overlong slash"),
        pytest.param(b"/wp-json/wp/v2/posts%ed%a0%80", id="half a surrogate pair"),
        pytest.param(b"/wp-json/wp/v2/posts\xff", id="a raw byte that UTF-8 has not"),
        pytest.param(b"/wp-json/wp/v2/%2570osts", id="a letter encoded twice"),
        pytest.param(b"/wp-json/wp/v2%252fposts", id="a slash encoded twice"),
        pytest.param(b"/wp-json/wp/v2/100%", id="a percent sign at the end that encodes nothing"),
        pytest.param(b"/wp-json/wp/v2/%zz", id="a percent sign before letters that are no digits"),
        pytest.param(b"/wp-json/wp/v2/%u0070osts", id="a percent sign as in JavaScript's escape"),
    ],
)
def test_a_path_without_one_meaning_is_refused(path):
    assert refusal("GET", path) == (400, "app_connect_malformed_path")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"/wp/v2/posts%0a", id="a new line at the end"),
        pytest.param(b"/wp/v2/posts%00", id="a NUL"),
        pytest.param(b"/wp/v2/posts%5c", id="a backslash at the end"),
        pytest.param(b"/wp/v2/posts\\", id="a raw backslash at the end"),
        pytest.param(b"/wp/v2/posts///", id="three slashes at the end"),
        pytest.param(b"/wp/v2/posts//15", id="an empty segment"),
        pytest.param(b"//wp/v2/posts", id="two slashes in front"),
        pytest.param(b"/wp/v2/../users", id="a double dot segment"),
        pytest.param(b"/wp/v2/posts/.", id="a dot segment"),
        pytest.param(b"wp/v2/posts", id="no slash in front"),
        pytest.param(b"%20/wp/v2/posts", id="a space in front"),
        pytest.param(b"+/wp/v2/posts", id="a plus, which is a space, in front"),
        pytest.param(b"/wp/v2/%252e%252e/users", id="dots encoded twice"),
        pytest.param(b"/wp/v2/%2570osts", id="a letter encoded twice"),
        pytest.param(b"/wp/v2/posts%ff", id="a byte that UTF-8 has not"),
        pytest.param(b"https://your-site.com/wp-json/wp/v2/posts", id="a whole address"),
    ],
)
def test_a_rest_route_without_one_meaning_is_refused(value):
    assert refusal("GET", b"/", b"rest_route=" + value) == (400, "app_connect_malformed_path")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param(POSTS, b"rest_route=/wp/v2/users/me", id="the path and rest_route"),
        pytest.param(POSTS, b"rest%5froute=/wp/v2/users/me", id="the path and rest_route with its name encoded"),
        pytest.param(POSTS, b"rest_route=", id="the path and an empty rest_route"),
        pytest.param(POSTS, b"rest_route", id="the path and rest_route without a value"),
        pytest.param(b"/wp-json/", b"rest_route=/wp/v2/posts", id="the index and rest_route"),
        pytest.param(b"/", b"rest_route=/a&rest_route=/b", id="rest_route twice"),
        pytest.param(POSTS, b"rest_route=/wp/v2/Posts", id="two cases of the same letters"),
    ],
)
def test_two_routes_are_refused(path, query):
    assert refusal("GET", path, query) == (400, "app_connect_ambiguous_route")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param(b"/", b"", id="the front page"),
        pytest.param(b"/index.php", b"", id="index.php"),
        pytest.param(b"/hello-world/", b"", id="a post"),
        pytest.param(b"/wp-admin/", b"", id="the dashboard"),
        pytest.param(b"/xmlrpc.php", b"", id="XML-RPC"),
        pytest.param(b"/wp-admin/", b"rest_route=/wp/v2/posts", id="rest_route on the dashboard"),
        pytest.param(b"/wp-includes/x", b"rest_route=/wp/v2/posts", id="rest_route on WordPress's own files"),
        pytest.param(b"/wp-login.php", b"rest_route=/wp/v2/posts", id="rest_route on the login page"),
        pytest.param(b"/xmlrpc.php/x", b"rest_route=/wp/v2/posts", id="rest_route below another PHP file"),
        pytest.param(b"/wp-jsonx/wp/v2/posts", b"", id="a longer prefix"),
        pytest.param(b"/WP-JSON/wp/v2/posts", b"", id="the prefix in capitals, a redirect in WordPress"),
        pytest.param(b"/blog/wp-json/wp/v2/posts", b"", id="a prefix deeper down"),
        pytest.param(b"wp-json/wp/v2/posts", b"", id="no slash in front"),
        pytest.param(b"*", b"", id="the asterisk form"),
        pytest.param(b"", b"", id="no path"),
    ],
)
def test_what_is_no_rest_route_is_refused(path, query):
    assert refusal("GET", path, query) == (404, "app_connect_not_a_rest_route")


def test_segments_are_in_the_case_that_rules_are_compared_in():
    assert canonical("GET", b"/wp-json/WP/v2/Posts").segments == ("wp", "v2", "posts")


def test_the_index_has_no_segments():
    assert canonical("GET", b"/wp-json/").segments == ()


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        pytest.param(b"/wp-json/%C3%96", "Ö", id="a letter with two dots"),
        pytest.param(b"/wp-json/%E2%84%AA", "\u212a", id="the Kelvin sign"),
        pytest.param(b"/wp-json/%C4%B0", "İ", id="the Turkish capital i"),
    ],
)
def test_letters_beyond_ascii_keep_their_case_as_in_wordpress(path, segment):
    assert canonical("GET", path).segments == (segment,)


def test_the_path_is_what_people_write():
    assert canonical("GET", b"/index.php/wp-json/wp/v2/posts/").path == "/wp-json/wp/v2/posts"


# -- the query: names as PHP reads them -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "variable"),
    [
        pytest.param(b"page", b"page", id="a plain name"),
        pytest.param(b"rest.route", b"rest_route", id="a dot"),
        pytest.param(b"rest route", b"rest_route", id="a space"),
        pytest.param(b"rest[route", b"rest_route", id="a bracket that is never closed"),
        pytest.param(b"  rest_route", b"rest_route", id="leading spaces"),
        pytest.param(b"rest_route\0x", b"rest_route", id="a NUL"),
        pytest.param(b"  rest.route\0[x]", b"rest_route", id="all at once"),
        pytest.param(b"\trest_route", b"\trest_route", id="a leading tab, which stays"),
        pytest.param(b"rest_route ", b"rest_route_", id="a space at the end"),
        pytest.param(b"rest_route[", b"rest_route_", id="a bracket at the end"),
        pytest.param(b"include[]", b"include", id="a list"),
        pytest.param(b"include[0]", b"include", id="an index"),
        pytest.param(b"meta.query[a.b][c d]", b"meta_query", id="nested indexes"),
        pytest.param(b"a[b][c", b"a", id="a second bracket that is never closed"),
        pytest.param(b"a[]tail", b"a", id="text behind an index"),
        pytest.param(b"a]b", b"a]b", id="a closing bracket alone"),
        pytest.param(b"a]b[c", b"a]b_c", id="a closing bracket before an open one"),
        pytest.param(b"a[b.c d[e", b"a_b_c_d_e", id="dots and spaces behind a bracket that is never closed"),
        pytest.param(b"REST_ROUTE", b"REST_ROUTE", id="capitals, which stay"),
        pytest.param(b"rest-route", b"rest-route", id="a hyphen, which stays"),
        pytest.param(b"[embed", b"", id="a bracket in front: PHP drops it"),
        pytest.param(b"[a]", b"", id="an index without a name: PHP drops it"),
        pytest.param(b"\0rest_route", b"", id="a NUL in front: PHP drops it"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_php_name(raw, variable):
    """Each row was asked of PHP 8.2's `parse_str`."""
    assert php_name(raw) == variable


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"rest.route=/wp/v2/users/me", id="a dot"),
        pytest.param(b"rest%2Eroute=/wp/v2/users/me", id="an encoded dot"),
        pytest.param(b"rest%20route=/wp/v2/users/me", id="a space"),
        pytest.param(b"rest+route=/wp/v2/users/me", id="a plus"),
        pytest.param(b"rest[route=/wp/v2/users/me", id="a bracket"),
        pytest.param(b"rest%5Broute=/wp/v2/users/me", id="an encoded bracket"),
        pytest.param(b"%20rest_route=/wp/v2/users/me", id="a leading space"),
        pytest.param(b"+rest_route=/wp/v2/users/me", id="a leading plus"),
        pytest.param(b"rest_route%00x=/wp/v2/users/me", id="a NUL behind the name"),
        pytest.param(b"%00rest_route=/wp/v2/users/me", id="a NUL before the name"),
        pytest.param(b"page%00=2", id="a NUL in any name"),
        pytest.param(b"rest_route[]=/wp/v2/users/me", id="a list"),
        pytest.param(b"rest_route[a]=/wp/v2/users/me", id="an index"),
        pytest.param(b".method=DELETE", id="_method with a dot"),
        pytest.param(b"_method[]=DELETE", id="_method as a list"),
        pytest.param(b"%20_method=DELETE", id="_method behind a space"),
        pytest.param(b".embed", id="_embed with a dot"),
        pytest.param(b"+_embed=author", id="_embed behind a space"),
        pytest.param(b"_embed[a]=author", id="_embed with an index"),
        pytest.param(b"_embed[]x=author", id="_embed as a list with text behind"),
        pytest.param(b"_embed[][]=author", id="_embed as a list of lists"),
        pytest.param(b".envelope=1", id="_envelope with a dot"),
        pytest.param(b"_envelope[]=1", id="_envelope as a list"),
        pytest.param(b".jsonp=f", id="_jsonp with a dot"),
        pytest.param(b"_jsonp[]=f", id="_jsonp as a list"),
        pytest.param(b".wpnonce=a", id="_wpnonce with a dot"),
        pytest.param(b"_wpnonce[]=a", id="_wpnonce as a list"),
    ],
)
def test_a_name_that_php_would_read_as_a_special_one_is_refused(query):
    assert refusal("GET", POSTS, query) == (400, "app_connect_ambiguous_parameter")


@pytest.mark.parametrize("query", [b"_envelope", b"_envelope=1", b"_envelope=", b"_jsonp=f", b"%5Fjsonp=f"])
def test_what_hides_status_and_headers_in_the_body_is_refused(query):
    assert refusal("GET", POSTS, query) == (400, "app_connect_unsupported_parameter")


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        pytest.param(b"", (), id="no query"),
        pytest.param(b"page=2&per_page=50", ((b"page", b"2"), (b"per_page", b"50")), id="pagination"),
        pytest.param(b"search=100%", ((b"search", b"100%"),), id="a percent sign that encodes nothing"),
        pytest.param(b"search=100%zz", ((b"search", b"100%zz"),), id="a percent sign before letters"),
        pytest.param(b"search=a%2520b", ((b"search", b"a%20b"),), id="a value that looks encoded twice"),
        pytest.param(b"search=a+b%20c%2Bd", ((b"search", b"a b c+d"),), id="plus and %20"),
        pytest.param(b"search=gr%C3%B6%C3%9Fe", ((b"search", "größe".encode()),), id="UTF-8"),
        pytest.param(b"search=%ff%00%0a", ((b"search", b"\xff\x00\n"),), id="any byte in a value"),
        pytest.param(b"include[]=1&include[]=2", ((b"include[]", b"1"), (b"include[]", b"2")), id="a list"),
        pytest.param(b"include%5B%5D=1", ((b"include[]", b"1"),), id="an encoded list"),
        pytest.param(b"a[b][c]=1", ((b"a[b][c]", b"1"),), id="nested indexes"),
        pytest.param(
            b"order=asc&order=desc", ((b"order", b"asc"), (b"order", b"desc")), id="a repeated name, in order"
        ),
        pytest.param(b"a=1&&b=2&", ((b"a", b"1"), (b"b", b"2")), id="empty pieces"),
        pytest.param(b"flag", ((b"flag", b""),), id="a name without a value"),
        pytest.param(b"filter=a=b", ((b"filter", b"a=b"),), id="an equals sign in the value"),
        pytest.param(b"after=2024-01-01T00:00:00%2B00:00", ((b"after", b"2024-01-01T00:00:00+00:00"),), id="a date"),
        pytest.param(b"a;b=1", ((b"a;b", b"1"),), id="a semicolon, which separates nothing"),
        pytest.param(b"search=../etc//passwd", ((b"search", b"../etc//passwd"),), id="a path in a value"),
        pytest.param(b"search=rest_route", ((b"search", b"rest_route"),), id="a special word in a value"),
        pytest.param(b"my_method=1&method=2", ((b"my_method", b"1"), (b"method", b"2")), id="names like special ones"),
        pytest.param(
            b"Rest_Route=1&_METHOD=2", ((b"Rest_Route", b"1"), (b"_METHOD", b"2")), id="capitals: not special"
        ),
        pytest.param(b"meta.key=a", ((b"meta.key", b"a"),), id="a dot in an ordinary name"),
        pytest.param(b"[embed=1", ((b"[embed", b"1"),), id="a name that PHP drops"),
        pytest.param(
            b"_fields=id,title&_locale=user", ((b"_fields", b"id,title"), (b"_locale", b"user")), id="_fields"
        ),
        pytest.param(b"context=edit", ((b"context", b"edit"),), id="context"),
    ],
)
def test_a_query_is_read_as_php_reads_it(query, pairs):
    assert canonical("GET", POSTS, query).query == pairs


@pytest.mark.parametrize("query", [b"rest_route=/wp/v2/posts", b"_method=GET", b"_wpnonce=0123456789"])
def test_what_was_consumed_does_not_go_on(query):
    assert canonical("GET", POSTS, query + b"&page=2").query == ((b"page", b"2"),)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"_embed", id="without a value"),
        pytest.param(b"_embed=", id="empty"),
        pytest.param(b"_embed=true", id="true"),
        pytest.param(b"_embed=0", id="0, which still embeds"),
        pytest.param(b"_embed=author,replies", id="names"),
        pytest.param(b"%5Fembed=author", id="percent-encoded"),
        pytest.param(b"_embed[]=author", id="as a list"),
        pytest.param(b"_embed%5B%5D=author", id="as a percent-encoded list"),
        pytest.param(b"page=2&_embed=author", id="behind another"),
    ],
)
def test_a_request_that_makes_wordpress_embed_says_so(query):
    assert canonical("GET", POSTS, query).embeds


@pytest.mark.parametrize("query", [b"", b"embed=1", b"_embedded=1", b"_fields=_embed", b"_Embed=1", b"_embed_=1"])
def test_a_request_that_does_not_embed_does_not_say_so(query):
    assert not canonical("GET", POSTS, query).embeds


def test_embed_goes_on():
    assert canonical("GET", POSTS, b"_embed=author").query == ((b"_embed", b"author"),)


def test_as_many_parameters_as_the_limit_are_accepted():
    query = b"&".join([b"include[]=1"] * 500)
    assert len(canonical("GET", POSTS, query).query) == 500


def test_one_more_than_the_limit_is_refused():
    query = b"&".join([b"include[]=1"] * 501)
    assert refusal("GET", POSTS, query) == (400, "app_connect_too_many_parameters")


def test_the_limit_is_below_phps():
    """`max_input_vars` is 1000; PHP drops what is past it in silence, a pin among them."""
    assert MAX_QUERY_PARAMETERS < 1000


# -- the method -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_without_an_override_the_real_method_counts(method):
    assert canonical(method).method is Method(method)


@pytest.mark.parametrize(
    ("real", "query", "headers", "effective"),
    [
        pytest.param("POST", b"_method=PUT", (), Method.PUT, id="in the query"),
        pytest.param("POST", b"_method=put", (), Method.PUT, id="in small letters"),
        pytest.param("POST", b"%5Fmethod=%50UT", (), Method.PUT, id="percent-encoded"),
        pytest.param("GET", b"_method=DELETE", (), Method.DELETE, id="on a GET"),
        pytest.param("POST", b"_method=PUT&_method=put", (), Method.PUT, id="in the query twice, agreeing"),
        pytest.param("POST", b"", ((b"x-http-method-override", b"DELETE"),), Method.DELETE, id="in the header"),
        pytest.param("POST", b"", ((b"x-http-method-override", b"patch"),), Method.PATCH, id="in the header, small"),
        pytest.param("GET", b"", ((b"x-http-method-override", b"DELETE"),), Method.DELETE, id="in the header on a GET"),
        pytest.param(
            "POST", b"_method=PUT", ((b"x-http-method-override", b"PUT"),), Method.PUT, id="in both, agreeing"
        ),
        pytest.param("PUT", b"_method=PUT", (), Method.PUT, id="to the method that it is"),
        pytest.param("DELETE", b"_method=POST", (), Method.POST, id="from DELETE"),
        pytest.param("HEAD", b"_method=GET", (), Method.GET, id="from HEAD"),
        pytest.param(
            "POST",
            b"",
            ((b"connection", b"x-http-method-override"), (b"x-http-method-override", b"PUT")),
            Method.PUT,
            id="in a header that Connection names",
        ),
    ],
)
def test_an_override_counts_as_in_wordpress(real, query, headers, effective):
    assert canonical(real, POSTS, query, *headers).method is effective


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param(b"_method=PUT", ((b"x-http-method-override", b"DELETE"),), id="query and header"),
        pytest.param(b"_method=GET&_method=DELETE", (), id="the query twice"),
        pytest.param(b"_method=", ((b"x-http-method-override", b"DELETE"),), id="an empty one and the header"),
    ],
)
def test_overrides_that_disagree_are_refused(query, headers):
    assert refusal("POST", POSTS, query, *headers) == (400, "app_connect_ambiguous_method")


@pytest.mark.parametrize(
    ("real", "query", "headers"),
    [
        pytest.param("TRACE", b"", (), id="TRACE"),
        pytest.param("CONNECT", b"", (), id="CONNECT"),
        pytest.param("PROPFIND", b"", (), id="WebDAV"),
        pytest.param("get", b"", (), id="small letters"),
        pytest.param("", b"", (), id="nothing"),
        pytest.param("POST", b"_method=TRACE", (), id="an override to TRACE"),
        pytest.param("POST", b"_method=", (), id="an empty override"),
        pytest.param("POST", b"_method", (), id="an override without a value"),
        pytest.param("POST", b"_method=+PUT", (), id="an override with a space"),
        pytest.param("POST", b"_method=PUT%0a", (), id="an override with a new line"),
        pytest.param("POST", b"_method=PUT%00", (), id="an override with a NUL"),
        pytest.param("POST", b"", ((b"x-http-method-override", b"PUT, GET"),), id="a header with two"),
        pytest.param("POST", b"", ((b"x-http-method-override", b"PO\xdfT"),), id="a letter that grows in capitals"),
    ],
)
def test_a_method_that_the_rest_api_has_not_is_refused(real, query, headers):
    assert refusal(real, POSTS, query, *headers) == (405, "app_connect_method_not_allowed")


LENGTH = (b"content-length", b"12")
CHUNKED = (b"transfer-encoding", b"chunked")


@pytest.mark.parametrize(
    ("real", "query", "headers", "wire", "forwards_body"),
    [
        pytest.param("POST", b"", (LENGTH,), Method.POST, True, id="a POST as it is"),
        pytest.param("PUT", b"", (CHUNKED,), Method.PUT, True, id="a chunked PUT as it is"),
        pytest.param("DELETE", b"", (LENGTH,), Method.DELETE, True, id="a DELETE with a body as it is"),
        pytest.param("POST", b"_method=PUT", (LENGTH,), Method.POST, True, id="a form overridden to PUT stays a POST"),
        pytest.param("POST", b"_method=PATCH", (CHUNKED,), Method.POST, True, id="a chunked one overridden to PATCH"),
        pytest.param("POST", b"_method=DELETE", (LENGTH,), Method.POST, True, id="a POST overridden to DELETE"),
        pytest.param("POST", b"_method=GET", (LENGTH,), Method.GET, False, id="a POST to GET leaves its body behind"),
        pytest.param("POST", b"_method=HEAD", (LENGTH,), Method.HEAD, False, id="a POST overridden to HEAD"),
        pytest.param("POST", b"_method=OPTIONS", (LENGTH,), Method.OPTIONS, False, id="a POST overridden to OPTIONS"),
        pytest.param("GET", b"_method=DELETE", (), Method.DELETE, False, id="a GET overridden to DELETE"),
        pytest.param("GET", b"", (), Method.GET, False, id="a GET without a body"),
        pytest.param(
            "GET", b"_method=DELETE", ((b"content-length", b"0"),), Method.DELETE, False, id="a GET with a length of 0"
        ),
    ],
)
def test_a_body_goes_on_with_its_real_method_or_not_at_all(real, query, headers, wire, forwards_body):
    request = canonical(real, POSTS, query, *headers)
    assert (request.wire_method, request.body is not None) == (wire, forwards_body)


@pytest.mark.parametrize(
    ("real", "headers"),
    [
        pytest.param("GET", (LENGTH,), id="a GET with a length"),
        pytest.param("GET", (CHUNKED,), id="a chunked GET"),
        pytest.param("HEAD", (LENGTH,), id="a HEAD"),
        pytest.param("OPTIONS", (LENGTH,), id="an OPTIONS"),
    ],
)
def test_a_body_where_none_belongs_cannot_be_overridden_to_a_write(real, headers):
    assert refusal(real, POSTS, b"_method=POST", *headers) == (400, "app_connect_ambiguous_method")


# -- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"x-http-method-override",
    ],
)
def test_a_header_of_which_there_is_one_is_refused_twice(name):
    assert refusal("POST", POSTS, b"", (name, b"1"), (name, b"1")) == (400, "app_connect_duplicate_header")


def test_transfer_encoding_beside_content_length_is_refused():
    assert refusal("POST", POSTS, b"", CHUNKED, LENGTH) == (400, "app_connect_ambiguous_length")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"content_length", id="content_length"),
        pytest.param(b"transfer_encoding", id="transfer_encoding"),
        pytest.param(b"content_type", id="content_type"),
        pytest.param(b"x_http_method_override", id="x_http_method_override"),
        pytest.param(b"x-http_method-override", id="one underscore among hyphens"),
        pytest.param(b"x_wp_nonce", id="x_wp_nonce"),
        pytest.param(b"x_forwarded_for", id="x_forwarded_for"),
        pytest.param(b"x_real_ip", id="x_real_ip"),
        pytest.param(b"proxy_authorization", id="proxy_authorization"),
        pytest.param(b"x.http.method.override", id="dots, which PHP makes underscores"),
        pytest.param(b"x-http-method.override", id="one dot among hyphens"),
        pytest.param(b"content.type", id="content.type"),
        pytest.param(b"x.wp.nonce", id="x.wp.nonce"),
        pytest.param(b"x.forwarded.proto", id="x.forwarded.proto"),
        pytest.param(b"x http method override", id="spaces"),
    ],
)
def test_a_name_that_folds_onto_a_meaningful_one_is_refused(name):
    """Asked of PHP 8.2: `X.HTTP.Method.Override` is `$_SERVER['HTTP_X_HTTP_METHOD_OVERRIDE']`."""
    assert refusal("GET", POSTS, b"", (name, b"DELETE")) == (400, "app_connect_ambiguous_header")


@pytest.mark.parametrize("name", [b"my_header", b"sec_ch_ua", b"my header", b"my\xffheader", b"my:header", b""])
def test_another_name_that_cgi_would_fold_does_not_go_on(name):
    assert canonical("GET", POSTS, b"", (name, b"1")).headers == ()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"authorization", id="our token"),
        pytest.param(b"proxy-authorization", id="a proxy's credential"),
        pytest.param(b"cookie", id="a cookie, which outranks an application password"),
        pytest.param(b"x-wp-nonce", id="a nonce"),
        pytest.param(b"x-http-method-override", id="the override"),
        pytest.param(b"x-http-method", id="another override"),
        pytest.param(b"x-method-override", id="a third override"),
        pytest.param(b"x-original-url", id="another address"),
        pytest.param(b"x-rewrite-url", id="a rewritten address"),
        pytest.param(b"x-forwarded-for", id="x-forwarded-for"),
        pytest.param(b"x-forwarded-host", id="x-forwarded-host"),
        pytest.param(b"x-forwarded-proto", id="x-forwarded-proto"),
        pytest.param(b"x-forwarded-anything", id="anything of that family"),
        pytest.param(b"forwarded", id="forwarded"),
        pytest.param(b"x-real-ip", id="x-real-ip"),
        pytest.param(b"proxy", id="proxy, of httpoxy"),
        pytest.param(b"host", id="host"),
        pytest.param(b"content-length", id="content-length"),
        pytest.param(b"expect", id="expect"),
        pytest.param(b"connection", id="connection"),
        pytest.param(b"keep-alive", id="keep-alive"),
        pytest.param(b"te", id="te"),
        pytest.param(b"trailer", id="trailer"),
        pytest.param(b"transfer-encoding", id="transfer-encoding"),
        pytest.param(b"upgrade", id="upgrade"),
        pytest.param(b"proxy-connection", id="proxy-connection"),
    ],
)
def test_a_header_that_is_ours_to_set_does_not_go_on(name):
    request = canonical("POST", POSTS, b"", (name, b"PUT"), (b"accept", b"*/*"))
    assert request.headers == ((b"accept", b"*/*"),)


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(b"x-secret", id="alone"),
        pytest.param(b"close, X-Secret", id="in a list, in capitals"),
        pytest.param(b"close ,\tx-secret ,", id="among spaces"),
    ],
)
def test_a_header_that_connection_names_does_not_go_on(connection):
    """RFC 9110 §7.6.1."""
    request = canonical("GET", POSTS, b"", (b"connection", connection), (b"x-secret", b"1"), (b"accept", b"*/*"))
    assert request.headers == ((b"accept", b"*/*"),)


@pytest.mark.parametrize("connection", [b"content-type", b"close, Content-Type", b"accept,,content-type"])
def test_a_body_is_read_by_the_type_that_goes_on(connection):
    """Without its type, WordPress takes the body of a PUT for a form (`WP_REST_Request::parse_body_params`)."""
    headers = ((b"connection", connection), (b"content-type", b"text/plain"), LENGTH)
    request = canonical("PUT", POSTS, b"", *headers)
    assert request.headers == ()
    assert request.body is not None
    assert request.body.readings == {Reading.FORM}


def test_a_content_type_has_a_limit():
    """WordPress's own pattern for JSON takes the square of its length."""
    assert refusal("POST", POSTS, b"", (b"content-type", b",application/" * 4700)) == (400, "app_connect_content_type")


def test_a_second_connection_header_counts_too():
    request = canonical("GET", POSTS, b"", (b"connection", b"close"), (b"x-a", b"1"), (b"connection", b"x-a"))
    assert request.headers == ()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(((b"accept", b"application/json"), (b"accept", b"*/*")), id="accept twice"),
        pytest.param(((b"content-type", b"application/json; charset=utf-8"),), id="content-type"),
        pytest.param(((b"content-disposition", 'attachment; filename="größe.png"'.encode()),), id="a file name"),
        pytest.param(((b"if-none-match", b'"abc"'), (b"range", b"bytes=0-")), id="conditions and ranges"),
        pytest.param(((b"user-agent", b"backend/1.0"), (b"accept-encoding", b"gzip, br")), id="user-agent"),
        pytest.param(((b"x-request-id", b"1"), (b"x-api2-key", b"2")), id="headers of its own"),
        pytest.param(((b"origin", b"https://example.com"), (b"referer", b"https://example.com/")), id="a browser's"),
        pytest.param(((b"x-latin", b"\xe9"),), id="a byte beyond ASCII"),
        pytest.param(((b"x-empty", b""),), id="an empty value"),
    ],
)
def test_a_real_clients_headers_go_on_in_order(headers):
    assert canonical("POST", POSTS, b"", *headers).headers == headers


# -- what a refusal says ----------------------------------------------------------------------------------------------


def test_a_refusal_is_worded_for_the_caller():
    with pytest.raises(Refused) as caught:
        canonical("GET", POSTS, b"rest.route=/wp/v2/users/me")
    assert caught.value.message == "PHP would read a parameter as 'rest_route': spell it so."


def test_a_refusal_repeats_no_more_than_60_characters():
    with pytest.raises(Refused) as caught:
        canonical("GET", POSTS, b"_embed[" + b"a" * 5000 + b"]")
    assert len(caught.value.message) < 200
