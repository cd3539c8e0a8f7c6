"""RFC 9110: what goes on to WordPress and what comes back, to the byte; and what a client hears when nothing does."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn

from appconnect.app import App
from appconnect.control_plane import open_store
from appconnect.core.snapshot import SiteAddress
from appconnect.settings import Settings
from tests.protocol.conftest import (
    BACKEND,
    HANGING_UP,
    LOGGED_IN,
    POSTS,
    PUBLIC_URL,
    SILENCE,
    SITE_URL,
    STRANGER,
    TOKEN,
    Heard,
    Recorder,
    Reply,
    Running,
    basic,
    eventually,
    head,
    pieces,
    reply,
    running,
    upstream_password,
)

JSON = ("content-type", "application/json")
MEDIA = "/wp-json/wp/v2/media"


@asynccontextmanager
async def gateway_with(settings: Settings, upstream: Recorder, **changed: Any) -> AsyncIterator[Running]:
    async with running(replace(settings, **changed), upstream.url) as application:
        yield application


@pytest.fixture
async def open_gateway(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """A gateway before the whole site."""
    async with gateway_with(settings, upstream, untokened="pass") as application:
        yield application


@pytest.fixture
async def plain(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """A gateway before a site with plain permalinks, in a folder."""
    url = f"{SITE_URL}/blog"
    async with running(settings, upstream.url, url=url, has_pretty_permalinks=False) as application:
        yield application


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


async def passed_back(gateway: Running, upstream: Recorder, token: str, *headers: tuple[str, str]) -> Heard:
    """WordPress's answer with these headers, as the client hears it."""
    upstream.replies = [reply(b"[]", *headers)]
    return await gateway.exchange("GET", POSTS, token=token)


# -- the request: target and headers ----------------------------------------------------------------------------------


async def test_the_target_is_the_route_with_itself_pinned_first_and_then_the_query(
    gateway: Running, upstream: Recorder, token: str
):
    await gateway.exchange("GET", f"{POSTS}/?search=a+b%26&include[]=1&empty", token=token)
    (request,) = upstream.requests
    query = "rest_route=/wp/v2/posts&search=a%20b%26&include%5B%5D=1&empty="
    assert request.line == f"GET {POSTS}?{query} HTTP/1.1"


@pytest.mark.parametrize("target", ["/index.php/wp-json/wp/v2/posts", "/?rest_route=/wp/v2/posts", f"{POSTS}/"])
async def test_every_spelling_of_a_route_goes_on_in_one(gateway: Running, upstream: Recorder, token: str, target: str):
    await gateway.exchange("GET", target, token=token)
    assert upstream.requests[0].line == f"GET {POSTS}?rest_route=/wp/v2/posts HTTP/1.1"


async def test_with_plain_permalinks_the_target_is_index_php(plain: Running, upstream: Recorder):
    await plain.exchange("GET", f"{POSTS}?page=2", token=await plain.token())
    assert upstream.requests[0].line == "GET /blog/index.php?rest_route=/wp/v2/posts&page=2 HTTP/1.1"


async def test_host_is_the_one_that_wordpress_knows_itself_by(gateway: Running, upstream: Recorder, token: str):
    """§7.2: not what the client wrote, which named us."""
    await gateway.get(token)
    assert upstream.requests[0].values("host") == [b"wordpress.example"]


async def test_a_site_that_is_known_over_https_and_asked_over_http_is_told_so(
    gateway: Running, upstream: Recorder, token: str
):
    await gateway.exchange("GET", POSTS, ("x-forwarded-proto", "http"), token=token)
    assert upstream.requests[0].values("x-forwarded-proto") == [b"https"]


async def test_the_token_is_replaced_by_the_credential_of_the_service_user(
    gateway: Running, upstream: Recorder, token: str
):
    """§11.6.2: the field is for whom it is addressed to."""
    await gateway.get(token)
    (request,) = upstream.requests
    assert request.credential == basic("author", upstream_password(BACKEND))
    assert token not in repr(request)


@pytest.mark.parametrize(
    "name",
    ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "Proxy-Authorization"],
)
async def test_a_hop_by_hop_header_ends_here(gateway: Running, upstream: Recorder, token: str, name: str):
    """§7.6.1: it is for one connection."""
    await gateway.exchange("GET", POSTS, (name.lower(), "x-none"), token=token)
    assert name.lower() not in upstream.requests[0].names


async def test_what_connection_names_ends_here(gateway: Running, upstream: Recorder, token: str):
    """§7.6.1: `Connection` lists further fields that are for this hop."""
    named = (("x-one", "1"), ("connection", "close, X-One"), ("x-two", "2"), ("connection", "x-three"), ("x-three", ""))
    await gateway.exchange("GET", POSTS, *named, token=token)
    assert upstream.requests[0].values("x-two") == [b"2"]
    assert {"x-one", "x-three"}.isdisjoint(upstream.requests[0].names)


async def test_connection_cannot_take_our_own_headers_away(gateway: Running, upstream: Recorder, token: str):
    """§7.6.1: what is added for the next hop is not the client's to remove."""
    await gateway.exchange("GET", POSTS, ("connection", "authorization, host"), token=token)
    assert upstream.requests[0].credential == basic("author", upstream_password(BACKEND))


@pytest.mark.parametrize(
    "name",
    [
        *("cookie", "x-wp-nonce", "x-authorization", "x-http-authorization", "expect", "forwarded", "client-ip"),
        *("x-forwarded-for", "x-forwarded-host", "x-real-ip", "x-original-url", "x-rewrite-url", "x-accel-redirect"),
    ],
)
async def test_what_could_mean_more_than_the_request_ends_here(
    gateway: Running, upstream: Recorder, token: str, name: str
):
    """A cookie outranks an application password; addresses and routes are ours to say."""
    await gateway.exchange("GET", POSTS, (name, "1"), token=token)
    assert name not in upstream.requests[0].names


async def test_a_nonce_in_the_query_ends_here(gateway: Running, upstream: Recorder, token: str):
    await gateway.exchange("GET", f"{POSTS}?_wpnonce=1&page=1", token=token)
    assert upstream.requests[0].line == f"GET {POSTS}?rest_route=/wp/v2/posts&page=1 HTTP/1.1"


async def test_everything_else_goes_on_in_its_order(gateway: Running, upstream: Recorder, token: str):
    """§7.6: an intermediary passes on what it does not know."""
    sent = (("accept", "a/b"), ("x-custom", "1"), ("user-agent", "t"), ("x-custom", "2"), ("if-none-match", '"e"'))
    await gateway.exchange("GET", POSTS, *sent, token=token)
    (request,) = upstream.requests
    assert [pair for pair in request.headers if pair[0].decode() in dict(sent)] == [
        (name.encode(), value.encode()) for name, value in sent
    ]


async def test_nothing_is_added_that_nobody_sent(gateway: Running, upstream: Recorder, token: str):
    await gateway.exchange("GET", POSTS, token=token)
    assert upstream.requests[0].names == ["authorization", "host", "x-forwarded-proto"]


async def test_header_text_goes_on_as_utf_8(gateway: Running, upstream: Recorder, token: str):
    """§5.5: outside ASCII, what is meant is the parties' matter: an upload's file name is read as UTF-8."""
    shown = ("content-disposition", 'attachment; filename="grüße-日本.png"')
    await gateway.exchange("POST", MEDIA, ("content-length", "1"), shown, token=token, body=pieces(b"x"))
    assert upstream.requests[0].values("content-disposition") == [shown[1].encode()]


# -- the request: method and body -------------------------------------------------------------------------------------


async def test_a_body_with_a_length_goes_on_with_that_length(gateway: Running, upstream: Recorder, token: str):
    """§8.6."""
    body = pieces(b'{"title"', b': "a"}')
    await gateway.exchange("POST", POSTS, JSON, ("content-length", "14"), token=token, body=body)
    (request,) = upstream.requests
    assert (request.body, request.values("content-length")) == (b'{"title": "a"}', [b"14"])
    assert request.values("transfer-encoding") == []


async def test_a_body_without_a_length_goes_on_in_chunks(gateway: Running, upstream: Recorder, token: str):
    """RFC 9112 §7.1."""
    body = pieces(b'{"title"', b': "a"}')
    await gateway.exchange("POST", POSTS, JSON, ("transfer-encoding", "chunked"), token=token, body=body)
    (request,) = upstream.requests
    assert (request.body, request.values("transfer-encoding")) == (b'{"title": "a"}', [b"chunked"])
    assert request.values("content-length") == []


async def test_any_bytes_go_on_as_they_are(gateway: Running, upstream: Recorder, token: str):
    """§6.4: content is opaque."""
    every = bytes(range(256)) * 4
    length = ("content-length", str(len(every)))
    await gateway.exchange("POST", MEDIA, length, ("content-encoding", "x-own"), token=token, body=pieces(every))
    assert upstream.requests[0].body == every


async def test_a_body_is_passed_on_while_it_arrives(gateway: Running, upstream: Recorder, token: str):
    """Nothing is held back, however long an upload takes."""
    rest = asyncio.Event()
    body = pieces(b"first", rest, b"second")
    chunked = ("transfer-encoding", "chunked")
    exchange = asyncio.create_task(gateway.exchange("POST", MEDIA, chunked, token=token, body=body))
    await eventually(lambda: b"first" in upstream.begun_bodies)
    rest.set()
    await exchange
    assert upstream.requests[0].body == b"firstsecond"


async def test_a_post_without_a_body_says_so(gateway: Running, upstream: Recorder, token: str):
    """§8.6: a method that expects content sends `Content-Length: 0` where there is none."""
    await gateway.exchange("POST", POSTS, token=token)
    assert upstream.requests[0].values("content-length") == [b"0"]


async def test_a_get_with_a_body_goes_on_with_it(gateway: Running, upstream: Recorder, token: str):
    """§9.3.1: it has no meaning, and the framing must be right all the same."""
    await gateway.exchange("GET", POSTS, ("content-length", "2"), token=token, body=pieces(b"{}"))
    assert (upstream.requests[0].line.split()[0], upstream.requests[0].body) == ("GET", b"{}")


async def test_a_post_overridden_to_put_stays_a_post_and_keeps_its_body(
    gateway: Running, upstream: Recorder, token: str
):
    """PHP reads a form of a real POST only, so WordPress is told the method beside it."""
    form = ("content-type", "application/x-www-form-urlencoded")
    target = f"{POSTS}/1?_method=PUT&a=b"
    await gateway.exchange("POST", target, form, ("content-length", "7"), token=token, body=pieces(b"title=a"))
    (request,) = upstream.requests
    assert request.line == f"POST {POSTS}/1?rest_route=/wp/v2/posts/1&_method=PUT&a=b HTTP/1.1"
    assert request.body == b"title=a"


async def test_an_override_in_a_header_is_the_same(gateway: Running, upstream: Recorder, token: str):
    override = ("x-http-method-override", "delete")
    await gateway.exchange("POST", f"{POSTS}/1", override, ("content-length", "1"), token=token, body=pieces(b"x"))
    (request,) = upstream.requests
    assert request.line == f"POST {POSTS}/1?rest_route=/wp/v2/posts/1&_method=DELETE HTTP/1.1"
    assert "x-http-method-override" not in request.names


async def test_a_post_overridden_to_get_becomes_a_get_without_its_body(
    gateway: Running, upstream: Recorder, token: str
):
    """A form would still choose the route."""
    body = pieces(b"rest_route=/wp/v2/users")
    await gateway.exchange("POST", f"{POSTS}?_method=GET", ("content-length", "23"), token=token, body=body)
    (request,) = upstream.requests
    assert request.line == f"GET {POSTS}?rest_route=/wp/v2/posts HTTP/1.1"
    assert (request.body, request.values("content-length")) == (b"", [])


async def test_a_post_without_a_body_overridden_to_delete_becomes_a_delete(
    gateway: Running, upstream: Recorder, token: str
):
    await gateway.exchange("POST", f"{POSTS}/1?_method=DELETE", token=token)
    assert upstream.requests[0].line == f"DELETE {POSTS}/1?rest_route=/wp/v2/posts/1 HTTP/1.1"


async def test_head_goes_on_as_head(gateway: Running, upstream: Recorder, token: str):
    """§9.3.2."""
    await gateway.exchange("HEAD", POSTS, token=token)
    assert upstream.requests[0].line == f"HEAD {POSTS}?rest_route=/wp/v2/posts HTTP/1.1"


# -- the answer -------------------------------------------------------------------------------------------------------


async def test_status_headers_and_body_are_those_of_wordpress(gateway: Running, upstream: Recorder, token: str):
    """§7.6: passed on as they are."""
    upstream.replies = [reply(b'{"id":1}', ("X-WP-Total", "3"), ("Vary", "a"), ("Vary", "b"), status="201 Created")]
    answer = await gateway.exchange("POST", POSTS, token=token)
    assert (answer.status, answer.body, answer.is_whole) == (201, b'{"id":1}', True)
    assert (answer.values("x-wp-total"), answer.values("vary")) == ([b"3"], [b"a", b"b"])


async def test_a_refusal_of_wordpress_is_passed_on_unchanged(gateway: Running, upstream: Recorder, token: str):
    """The guide: the service user lacks permission."""
    words = b'{"code":"rest_cannot_create","message":"Sorry.","data":{"status":403}}'
    upstream.replies = [reply(words, status="403 Forbidden")]
    answer = await gateway.exchange("POST", POSTS, token=token)
    assert (answer.status, answer.body) == (403, words)


async def test_the_length_is_kept(gateway: Running, upstream: Recorder, token: str):
    """§8.6."""
    answer = await passed_back(gateway, upstream, token)
    assert answer.values("content-length") == [b"2"]


async def test_a_chunked_answer_is_passed_on_whole(gateway: Running, upstream: Recorder, token: str):
    """RFC 9112 §7.1: the chunks are between WordPress and us."""
    chunked = head("200 OK", LOGGED_IN, ("Transfer-Encoding", "chunked"))
    upstream.replies = [Reply((chunked, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"))]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.body, answer.is_whole) == (b"abcde", True)
    assert {"transfer-encoding", "content-length"}.isdisjoint(answer.names)


async def test_an_answer_that_the_end_of_the_connection_ends_is_passed_on_whole(
    gateway: Running, upstream: Recorder, token: str
):
    """RFC 9112 §6.3."""
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, ("Connection", "close")), b"abc"), closes=True)]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.body, answer.is_whole) == (b"abc", True)


async def test_an_answer_is_passed_on_while_it_arrives(gateway: Running, upstream: Recorder, token: str):
    rest = asyncio.Event()
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, ("Content-Length", "4")) + b"ab", rest, b"cd"))]
    heard: list[Any] = []
    exchange = asyncio.create_task(gateway.exchange("GET", POSTS, token=token, hears=heard.append))
    await eventually(lambda: {"type": "http.response.body", "body": b"ab", "more_body": True} in heard)
    rest.set()
    assert (await exchange).body == b"abcd"


async def test_a_compressed_answer_stays_compressed(gateway: Running, upstream: Recorder, token: str):
    """§8.4: the encoding is the representation's."""
    upstream.replies = [reply(b"\x1f\x8bnot really", ("Content-Encoding", "gzip"))]
    answer = await gateway.exchange("GET", POSTS, ("accept-encoding", "gzip"), token=token)
    assert (answer.body, answer.values("content-encoding")) == (b"\x1f\x8bnot really", [b"gzip"])


async def test_the_answer_to_head_has_a_length_and_no_body(gateway: Running, upstream: Recorder, token: str):
    """§9.3.2, §8.6: the length is that which GET would have."""
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, ("Content-Length", "1234")),))]
    answer = await gateway.exchange("HEAD", POSTS, token=token)
    assert (answer.values("content-length"), answer.body, answer.is_whole) == ([b"1234"], b"", True)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_status_without_content_has_none(gateway: Running, upstream: Recorder, token: str, status: str):
    """§15.3.5, §15.4.5; §8.6: 204 has no length either."""
    upstream.replies = [Reply((head(status, LOGGED_IN, ("ETag", '"e"')),))]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.status, answer.body, answer.is_whole) == (int(status[:3]), b"", True)
    assert (answer.values("etag"), answer.values("content-length")) == ([b'"e"'], [])


async def test_the_connection_is_free_again_after_an_answer_without_content(
    gateway: Running, upstream: Recorder, token: str
):
    """RFC 9112 §9.3: and the next request may use it."""
    upstream.replies = [Reply((head("204 No Content", LOGGED_IN),))]
    await gateway.exchange("DELETE", f"{POSTS}/1", token=token)
    await gateway.exchange("GET", POSTS, token=token)
    assert [request.connection for request in upstream.requests] == [upstream.requests[0].connection] * 2


async def test_an_early_hint_is_not_taken_for_the_answer(gateway: Running, upstream: Recorder, token: str):
    """§15.2: any number of interim answers may come first."""
    upstream.replies = [Reply((head("103 Early Hints", ("Link", "</a>")), *reply(b"[1]").steps))]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.status, answer.body) == (200, b"[1]")


@pytest.mark.parametrize("name", ["Connection", "Keep-Alive", "Proxy-Connection", "Trailer", "Upgrade"])
async def test_a_hop_by_hop_header_of_the_answer_ends_here(gateway: Running, upstream: Recorder, token: str, name: str):
    """§7.6.1."""
    answer = await passed_back(gateway, upstream, token, (name, "x-none"))
    assert name.lower() not in answer.names


async def test_what_connection_names_in_the_answer_ends_here(gateway: Running, upstream: Recorder, token: str):
    """§7.6.1."""
    answer = await passed_back(gateway, upstream, token, ("Connection", "X-One"), ("X-One", "1"), ("X-Two", "2"))
    assert ("x-one" in answer.names, "x-two" in answer.names) == (False, True)


@pytest.mark.parametrize("name", ["Set-Cookie", "Set-Cookie2", "X-WP-Nonce", "Server", "X-Powered-By"])
async def test_what_belongs_to_the_service_user_or_the_server_ends_here(
    gateway: Running, upstream: Recorder, token: str, name: str
):
    """A cookie or a nonce would be a way around the allowlist."""
    answer = await passed_back(gateway, upstream, token, (name, "a=b"))
    assert name.lower() not in answer.names


async def test_header_bytes_come_back_as_they_were(gateway: Running, upstream: Recorder, token: str):
    """§5.5: neither read as Latin-1 nor as anything else."""
    answer = await passed_back(gateway, upstream, token, ("X-Name", "grüße-日本"))
    assert answer.values("x-name") == ["grüße-日本".encode()]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        pytest.param("no-cache, must-revalidate, max-age=0, no-store, private", None, id="WordPress's own"),
        pytest.param("No-Cache, No-Store", None, id="in capitals"),
        pytest.param("no-cache", "private, no-store", id="no-cache alone"),
        pytest.param("no-cache, public, max-age=600", "private, no-store", id="public"),
    ],
)
async def test_no_answer_is_kept_for_somebody_else(
    gateway: Running, upstream: Recorder, token: str, said: str, heard: str | None
):
    """RFC 9111 §3.5: an answer to a request with `Authorization`, which a cache before us sees as the client's."""
    answer = await passed_back(gateway, upstream, token, ("Cache-Control", said))
    assert answer.values("cache-control") == [(heard or said).encode()]


async def test_several_cache_controls_count_together(gateway: Running, upstream: Recorder, token: str):
    """§5.2: a list in several lines."""
    answer = await passed_back(gateway, upstream, token, ("Cache-Control", "no-cache"), ("Cache-Control", "no-store"))
    assert answer.values("cache-control") == [b"no-cache, no-store"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        pytest.param(f"{SITE_URL}{POSTS}/7", f"{PUBLIC_URL}{POSTS}/7", id="a post"),
        pytest.param(f"{SITE_URL}/login?a=b#c", f"{PUBLIC_URL}/login?a=b#c", id="with query and fragment"),
        pytest.param(SITE_URL, PUBLIC_URL, id="the site itself"),
        pytest.param("/wp-json/wp/v2/posts/7", None, id="relative"),
        pytest.param("https://elsewhere.example/", None, id="elsewhere"),
        pytest.param(f"{SITE_URL}.attacker.example/", None, id="a host that begins alike"),
        pytest.param(f"{SITE_URL}:8443/", None, id="another port"),
        pytest.param("http://wordpress.example/", None, id="another scheme"),
    ],
)
async def test_a_redirect_is_passed_on_with_the_public_address(
    gateway: Running, upstream: Recorder, token: str, said: str, heard: str | None
):
    """§10.2.2: never followed, and the site's own address is known to us only."""
    upstream.replies = [reply(b"", ("Location", said), status="301 Moved Permanently")]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.status, answer.values("location")) == (301, [(heard or said).encode()])
    assert len(upstream.requests) == 1


async def test_the_location_of_what_was_made_is_public(gateway: Running, upstream: Recorder, token: str):
    """§10.2.2: with 201 it names the new resource; §8.7 `Content-Location`."""
    address = f"{SITE_URL}{POSTS}/7"
    answer = await passed_back(gateway, upstream, token, ("Location", address), ("Content-Location", address))
    assert answer.values("location") == answer.values("content-location") == [f"{PUBLIC_URL}{POSTS}/7".encode()]


async def test_links_are_public_and_without_the_pin(gateway: Running, upstream: Recorder, token: str):
    """RFC 8288 §3: WordPress repeats the query that it got, ours in it."""
    pinned = f"{SITE_URL}{POSTS}?rest_route=%2Fwp%2Fv2%2Fposts&per_page=2"
    said = f'<{pinned}&page=1>; rel="prev", <{pinned}&page=3>; rel="next"'
    answer = await passed_back(gateway, upstream, token, ("Link", said))
    public = f"{PUBLIC_URL}{POSTS}?per_page=2"
    assert answer.values("link") == [f'<{public}&page=1>; rel="prev", <{public}&page=3>; rel="next"'.encode()]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        pytest.param(f"{POSTS}?per_page=2&rest_route=%2Fwp%2Fv2%2Fposts&page=2", f"{POSTS}?per_page=2&page=2", id="in"),
        pytest.param(f"{POSTS}?page=2&rest_route=/wp/v2/posts", f"{POSTS}?page=2", id="at the end, not encoded"),
        pytest.param(f"{POSTS}?rest_route=%2Fwp%2Fv2%2Fposts", POSTS, id="alone"),
        pytest.param(f"{POSTS}?search=rest_route%3Da", f"{POSTS}?search=rest_route%3Da", id="as a client's value"),
        pytest.param("/wp-json/", "/wp-json/", id="the root of the API"),
    ],
)
async def test_a_link_loses_the_pin_wherever_it_stands(
    gateway: Running, upstream: Recorder, token: str, said: str, heard: str
):
    answer = await passed_back(gateway, upstream, token, ("Link", f"<{SITE_URL}{said}>; rel=a"))
    assert answer.values("link") == [f"<{PUBLIC_URL}{heard}>; rel=a".encode()]


async def test_a_link_to_elsewhere_is_left_alone(gateway: Running, upstream: Recorder, token: str):
    answer = await passed_back(gateway, upstream, token, ("Link", "<https://elsewhere.example/?rest_route=/a>; rel=a"))
    assert answer.values("link") == [b"<https://elsewhere.example/?rest_route=/a>; rel=a"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        pytest.param("/index.php?rest_route=%2Fwp%2Fv2%2Fposts&page=2", f"{POSTS}?page=2", id="a page of posts"),
        pytest.param("/index.php?rest_route=/wp/v2/posts/7", f"{POSTS}/7", id="a post"),
        pytest.param("/?rest_route=/", "/wp-json/", id="the root of the API"),
        pytest.param("/?p=7", "/?p=7", id="a page of the site"),
    ],
)
async def test_with_plain_permalinks_a_link_names_the_route_as_the_client_writes_it(
    plain: Running, upstream: Recorder, said: str, heard: str
):
    answer = await passed_back(plain, upstream, await plain.token(), ("Link", f"<{SITE_URL}/blog{said}>; rel=a"))
    assert answer.values("link") == [f"<{PUBLIC_URL}{heard}>; rel=a".encode()]


async def test_the_credential_is_in_no_answer(gateway: Running, upstream: Recorder, token: str):
    """What the gateway shows WordPress, no client sees."""
    upstream.replies = [reply(), HANGING_UP, reply(b"", status="500 Internal Server Error")]
    answers = [await gateway.exchange("POST", POSTS, token=token) for _ in range(3)]
    shown = (upstream_password(BACKEND), basic("author", upstream_password(BACKEND)), "adminpass")
    assert not any(secret in repr(answers) for secret in shown)


# -- no answer --------------------------------------------------------------------------------------------------------


async def test_a_wordpress_that_nobody_reaches_is_502(settings: Settings):
    """§15.6.3."""
    async with running(settings, nobody_listens()) as gateway:
        answer = await gateway.exchange("GET", POSTS, token=await gateway.token())
    assert (answer.status, answer.code) == (502, "app_connect_upstream_unreachable")
    assert answer.values("retry-after") == [b"5"]


async def test_a_wordpress_that_says_nothing_is_504(settings: Settings, upstream: Recorder):
    """§15.6.5."""
    upstream.otherwise = SILENCE
    async with gateway_with(settings, upstream, upstream_answer_timeout_seconds=0.1) as gateway:
        answer = await gateway.exchange("POST", POSTS, token=await gateway.token())
    assert (answer.status, answer.code) == (504, "app_connect_upstream_timeout")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(HANGING_UP, id="nothing"),
        pytest.param(Reply((b"HTTP/1.1 200 OK\r\nContent-",), closes=True), id="half a header"),
        pytest.param(Reply((b"220 mail.example ESMTP\r\n\r\n",), closes=True), id="another protocol"),
        pytest.param(Reply((b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",), closes=True), id="a wrong length"),
        pytest.param(Reply((b"HTTP/1.1 200 OK\r\nX: " + b"a" * 99_999 + b"\r\n\r\n",)), id="an endless header"),
    ],
)
async def test_an_answer_that_is_none_is_502(gateway: Running, upstream: Recorder, token: str, broken: Reply):
    """§15.6.3: an invalid answer."""
    upstream.otherwise = broken
    answer = await gateway.exchange("POST", POSTS, token=token)
    assert (answer.status, answer.code) == (502, "app_connect_upstream_broken")
    assert "authorization" not in repr(answer).lower()


async def test_refusals_are_in_the_format_of_wordpress_and_never_stored(
    gateway: Running, upstream: Recorder, token: str
):
    upstream.otherwise = HANGING_UP
    answer = await gateway.get(token)
    assert sorted(answer.json()) == ["code", "data", "message"]
    assert answer.json()["data"] == {"status": 502}
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "application/json; charset=UTF-8",
        "no-store",
    )


breaking_off = pytest.mark.parametrize(
    ("begun", "rest"),
    [
        pytest.param(("Content-Length", "9"), b"abc", id="a length that is not reached"),
        pytest.param(("Transfer-Encoding", "chunked"), b"3\r\nabc\r\n", id="chunks without an end"),
    ],
)


@breaking_off
async def test_an_answer_that_breaks_off_is_never_ended(
    gateway: Running, upstream: Recorder, token: str, begun: tuple[str, str], rest: bytes
):
    """RFC 9112 §8: the client must be able to tell; the server then cuts the connection."""
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, begun), rest), closes=True)]
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.status, answer.body, answer.is_whole) == (200, b"abc", False)


@pytest.fixture
async def listening(settings: Settings, upstream: Recorder) -> AsyncIterator[int]:
    """The port of the application behind its HTTP server, on a thread."""
    with open_store(settings).transaction() as transaction:
        transaction.save_site(SiteAddress(SITE_URL, upstream.url, has_pretty_permalinks=True))
    config = uvicorn.Config(App(settings), http="httptools", loop="asyncio", ws="none", lifespan="on", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        await asyncio.to_thread(thread.join)  # the recorder has to answer what is still asked


@breaking_off
async def test_the_server_then_cuts_the_connection(
    listening: int, upstream: Recorder, begun: tuple[str, str], rest: bytes
):
    """RFC 9112 §8: over a socket, the client sees the end of the connection before the end of the answer."""
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, begun), rest), closes=True)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening}", trust_env=False) as http:
        answer = await http.post(TOKEN, auth=BACKEND.basic, data={"grant_type": "client_credentials"})
        with pytest.raises(httpx.RemoteProtocolError, match=r"without sending complete|incomplete chunked"):
            await http.get(POSTS, headers={"Authorization": f"Bearer {answer.json()['access_token']}"})


async def test_an_answer_that_stops_arriving_is_never_ended(settings: Settings, upstream: Recorder):
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, ("Content-Length", "9")) + b"abc",))]
    async with gateway_with(settings, upstream, upstream_answer_timeout_seconds=0.1) as gateway:
        answer = await gateway.exchange("GET", POSTS, token=await gateway.token())
    assert (answer.body, answer.is_whole) == (b"abc", False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_an_idempotent_request_on_a_dead_connection_is_sent_once_more(
    gateway: Running, upstream: Recorder, token: str, method: str
):
    """§9.2.2; RFC 9112 §9.3.1: a kept connection may end while the request is under way."""
    upstream.replies = [reply(), HANGING_UP, Reply((head("204 No Content", LOGGED_IN),))]
    await gateway.exchange("GET", POSTS, token=token)
    answer = await gateway.exchange(method, f"{POSTS}/1", token=token)
    assert answer.status == 204
    assert [request.line.split()[0] for request in upstream.requests[1:]] == [method] * 2


async def test_it_is_sent_once_more_and_not_again(gateway: Running, upstream: Recorder, token: str):
    """RFC 9112 §9.3.1: a failed automatic retry is not repeated."""
    upstream.replies, upstream.otherwise = [reply()], HANGING_UP
    await gateway.exchange("GET", POSTS, token=token)
    answer = await gateway.exchange("GET", POSTS, token=token)
    assert (answer.status, answer.code, len(upstream.requests)) == (502, "app_connect_upstream_broken", 3)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_another_request_is_never_repeated(gateway: Running, upstream: Recorder, token: str, method: str):
    """§9.2.2: it may have had its effect."""
    upstream.replies = [HANGING_UP]
    answer = await gateway.exchange(method, f"{POSTS}/1", token=token)
    assert (answer.status, answer.code, len(upstream.requests)) == (502, "app_connect_upstream_broken", 1)


async def test_a_put_with_a_body_is_never_repeated(gateway: Running, upstream: Recorder, token: str):
    """Its body is used up."""
    upstream.replies = [HANGING_UP]
    body = pieces(b"{}")
    answer = await gateway.exchange("PUT", f"{POSTS}/1", JSON, ("content-length", "2"), token=token, body=body)
    assert (answer.status, len(upstream.requests)) == (502, 1)


async def test_a_post_that_wordpress_takes_for_a_put_is_never_repeated(
    gateway: Running, upstream: Recorder, token: str
):
    upstream.replies = [HANGING_UP]
    body, length = pieces(b"{}"), ("content-length", "2")
    answer = await gateway.exchange("POST", f"{POSTS}/1?_method=PUT", length, token=token, body=body)
    assert (answer.status, len(upstream.requests)) == (502, 1)


async def test_a_timeout_is_never_repeated(settings: Settings, upstream: Recorder):
    """Who is slow is not helped by asking twice."""
    upstream.otherwise = SILENCE
    async with gateway_with(settings, upstream, upstream_answer_timeout_seconds=0.1) as gateway:
        assert (await gateway.get(await gateway.token())).status_code == 504
    assert len(upstream.requests) == 1


# -- the client goes away ---------------------------------------------------------------------------------------------


async def test_a_client_that_goes_away_takes_its_request_with_it(gateway: Running, upstream: Recorder, token: str):
    """WordPress's worker is free again when PHP notices."""
    upstream.otherwise, leaves = SILENCE, asyncio.Event()
    exchange = asyncio.create_task(gateway.exchange("GET", POSTS, token=token, leaves=leaves))
    await eventually(lambda: len(upstream.requests) == 1)
    leaves.set()
    assert (await exchange).status == 0
    await eventually(lambda: upstream.hung_up == 1)


async def test_a_client_that_goes_away_while_it_listens_ends_the_answer(
    gateway: Running, upstream: Recorder, token: str
):
    more, leaves = asyncio.Event(), asyncio.Event()
    upstream.replies = [Reply((head("200 OK", LOGGED_IN, ("Content-Length", "9")) + b"abc", more))]
    heard: list[Any] = []
    exchange = asyncio.create_task(gateway.exchange("GET", POSTS, token=token, leaves=leaves, hears=heard.append))
    await eventually(lambda: len(heard) == 2)
    leaves.set()
    assert not (await exchange).is_whole


async def test_a_client_that_goes_away_while_it_speaks_takes_its_request_with_it(
    gateway: Running, upstream: Recorder, token: str
):
    """The half of a body is nobody's request."""
    leaves, chunked = asyncio.Event(), ("transfer-encoding", "chunked")
    body = pieces(b"half")
    exchange = asyncio.create_task(
        gateway.exchange("POST", MEDIA, chunked, token=token, body=body, leaves=leaves, is_cut_off=True)
    )
    await eventually(lambda: b"half" in upstream.begun_bodies)
    leaves.set()
    assert (await exchange).status == 0
    await eventually(lambda: upstream.hung_up == 1)
    assert upstream.requests == []


async def test_a_client_that_went_away_leaves_its_place_to_another(settings: Settings, upstream: Recorder):
    upstream.replies, leaves = [SILENCE], asyncio.Event()
    async with gateway_with(settings, upstream, max_in_flight_per_client=1) as gateway:
        token = await gateway.token()
        first = asyncio.create_task(gateway.exchange("GET", POSTS, token=token, leaves=leaves))
        await eventually(lambda: len(upstream.requests) == 1)
        leaves.set()
        await first
        assert (await gateway.get(token)).status_code == 200


# -- not too much at a time -------------------------------------------------------------------------------------------


@pytest.fixture
async def full(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """A gateway with one place per client, which a request of backend's holds; who waits for it, waits in vain."""
    upstream.replies = [SILENCE]
    async with gateway_with(settings, upstream, max_in_flight_per_client=1, max_wait_seconds=0.05) as gateway:
        holding = asyncio.create_task(gateway.exchange("GET", POSTS, token=await gateway.token()))
        await eventually(lambda: len(upstream.requests) == 1)
        yield gateway
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def test_beyond_its_places_a_client_gets_429(full: Running, upstream: Recorder):
    """RFC 6585 §4: with `Retry-After`; nothing of it reached WordPress."""
    answer = await full.get(await full.token())
    assert (answer.status_code, answer.json()["code"]) == (429, "app_connect_too_many_requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert len(upstream.requests) == 1


async def test_another_client_has_places_of_its_own(full: Running):
    assert (await full.get(await full.token(STRANGER))).status_code == 200


async def test_a_request_that_needs_no_place_is_answered(full: Running):
    assert (await full.get(await full.token(), "/wp-json/wp/v2/users/me")).status_code == 403


async def test_who_waits_gets_the_place_that_becomes_free(settings: Settings, upstream: Recorder):
    ends = asyncio.Event()
    upstream.replies = [Reply((ends, *reply(b"[1]").steps)), reply(b"[2]")]
    async with gateway_with(settings, upstream, max_in_flight_per_client=1) as gateway:
        token = await gateway.token()
        first, second = (asyncio.create_task(gateway.get(token)) for _ in "12")
        await eventually(lambda: len(upstream.requests) == 1)
        ends.set()
        assert [(await first).json(), (await second).json()] == [[1], [2]]


# -- without a token --------------------------------------------------------------------------------------------------


async def test_without_a_token_nothing_is_passed_on(gateway: Running, upstream: Recorder):
    answer = await gateway.exchange("GET", "/wp-admin/", ("cookie", "a=b"))
    assert (answer.status, answer.code, upstream.requests) == (401, "app_connect_token_required", [])


async def test_before_a_whole_site_a_request_without_a_token_passes_untouched(
    open_gateway: Running, upstream: Recorder
):
    """The block editor, plugins, visitors: none of our business."""
    sent = (("cookie", "a=b"), ("x-wp-nonce", "1"), ("x-http-method-override", "PUT"), ("x-forwarded-for", "192.0.2.7"))
    target = "//wp-admin/..%2f%41?a[]=%20&rest_route=/&rest_route=%2Fb&_method=PUT"
    await open_gateway.exchange("GET", target, *sent)
    (request,) = upstream.requests
    assert request.line == f"GET {target} HTTP/1.1"
    assert [pair for pair in request.headers if pair[0].decode() in dict(sent)] == [
        (name.encode(), value.encode()) for name, value in sent
    ]


async def test_before_a_whole_site_the_answer_passes_untouched(open_gateway: Running, upstream: Recorder):
    said = (("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("Link", f"<{SITE_URL}/?rest_route=/>"), ("X-WP-Nonce", "1"))
    upstream.replies = [reply(b"hi", *said, ("Cache-Control", "public"))]
    answer = await open_gateway.exchange("GET", "/")
    lowered = {name.lower() for name, _ in said}
    assert [pair for pair in answer.headers if pair[0].decode() in lowered] == [
        (name.lower().encode(), value.encode()) for name, value in said
    ]
    assert answer.values("cache-control") == [b"public"]


async def test_before_a_whole_site_host_and_connection_are_ours_all_the_same(open_gateway: Running, upstream: Recorder):
    """§7.2, §7.6.1."""
    await open_gateway.exchange("GET", "/", ("connection", "x-one"), ("x-one", "1"))
    (request,) = upstream.requests
    assert (request.values("host"), request.values("x-one")) == ([b"wordpress.example"], [])


async def test_before_a_whole_site_a_form_passes_with_its_length(open_gateway: Running, upstream: Recorder):
    length = ("content-length", "3")
    await open_gateway.exchange("POST", "/wp-login.php", length, body=pieces(b"a=b"))
    (request,) = upstream.requests
    assert (request.body, request.values("content-length")) == (b"a=b", [b"3"])


async def test_before_a_whole_site_a_foreign_basic_passes(open_gateway: Running, upstream: Recorder):
    """An application password of a person's own."""
    await open_gateway.exchange("GET", POSTS, ("authorization", basic("author", "own")))
    assert upstream.requests[0].credential == basic("author", "own")


async def test_before_a_whole_site_nothing_is_repeated(open_gateway: Running, upstream: Recorder):
    upstream.replies = [HANGING_UP]
    answer = await open_gateway.exchange("GET", "/")
    assert (answer.status, len(upstream.requests)) == (502, 1)


async def test_before_a_whole_site_two_framings_are_refused(open_gateway: Running, upstream: Recorder):
    """RFC 9112 §6.3: two readers would cut the connection into different requests."""
    framings = (("content-length", "3"), ("transfer-encoding", "chunked"))
    answer = await open_gateway.exchange("POST", "/", *framings, body=pieces(b"a=b"))
    assert (answer.status, upstream.requests) == (400, [])


async def test_before_a_whole_site_our_own_addresses_stay_ours(open_gateway: Running, upstream: Recorder):
    assert (await open_gateway.http.get("/wp-json/app-connect/v1/jwks")).status_code == 200
    assert (await open_gateway.http.get("/app-connect/nothing")).status_code == 404
    assert upstream.requests == []


async def test_before_a_whole_site_the_secret_of_a_client_reaches_nobody_but_us(
    open_gateway: Running, upstream: Recorder
):
    """A token requested in another spelling of the address must not carry the secret to WordPress."""
    shown = ("authorization", basic(*BACKEND.basic))
    answer = await open_gateway.exchange("POST", "/index.php?rest_route=/app-connect/v1/token", shown)
    assert (answer.status, upstream.requests) == (401, [])


async def test_a_get_that_wordpress_takes_for_a_head_promises_no_body(gateway: Running, upstream: Recorder, token: str):
    """RFC 9110 §9.3.2: the length in the answer to HEAD is that of another answer."""
    upstream.replies = [Reply((head("200 OK", ("Content-Length", "5"), LOGGED_IN),))]
    answer = await gateway.exchange("GET", f"{POSTS}?_method=HEAD", token=token)
    assert (answer.status, answer.values("content-length"), answer.is_whole) == (200, [b"0"], True)
    assert upstream.requests[0].line.startswith("HEAD ")
