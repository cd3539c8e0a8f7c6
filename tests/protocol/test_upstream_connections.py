"""The purpose-made adapter where it is stricter, or does more, than aiohttp."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
import uvloop

from appconnect.core.snapshot import SiteAddress
from appconnect.ports import UpstreamFailure, UpstreamUnavailable
from appconnect.site.upstream import PooledUpstream
from appconnect.site.upstream_connection import KEEPALIVE_SECONDS
from tests.protocol.conftest import eventually, pieces
from tests.protocol.upstreams import Peer, answer, asked, chunked, content_of, exchanged, head, listening, repeating

MIB = 1_048_576
Opened = Callable[..., PooledUpstream]


@pytest.fixture
async def opened(monkeypatch) -> AsyncIterator[Opened]:
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    async with AsyncExitStack() as ending:

        def open_(answer_timeout_seconds: float = 10.0, ca_file: Path | None = None) -> PooledUpstream:
            made = PooledUpstream(
                ca_file=ca_file, connect_timeout_seconds=10.0, answer_timeout_seconds=answer_timeout_seconds
            )
            ending.push_async_callback(made.close)
            return made

        yield open_


@pytest.fixture
async def upstream(opened: Opened) -> PooledUpstream:
    return opened()


async def failure_of(upstream: PooledUpstream, site: SiteAddress, request=None) -> UpstreamFailure:
    with pytest.raises(UpstreamUnavailable) as raised:
        await exchanged(upstream, site, request)
    return raised.value.failure


async def held_back(event: asyncio.Event, *content: bytes) -> AsyncIterator[bytes]:
    """A body that never ends by itself; `event` tells that its reader has gone."""
    try:
        for piece in content:
            yield piece
        await asyncio.Event().wait()
    finally:
        event.set()


# -- connections ------------------------------------------------------------------------------------------------------


async def test_a_fresh_connection_is_never_tried_twice(upstream: PooledUpstream):
    """What ends it would end the next one too."""

    async def script(peer: Peer) -> None:
        await peer.head()

    async with listening(script) as server:
        assert await failure_of(upstream, server.site, asked(may_repeat=True)) is UpstreamFailure.BROKEN
        assert server.connections == 1


async def test_a_request_is_not_repeated_once_a_byte_of_an_answer_has_come(upstream: PooledUpstream):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer())
        await peer.head()
        await peer.say(b"H")

    async with listening(script) as server:
        await exchanged(upstream, server.site)
        assert await failure_of(upstream, server.site, asked(may_repeat=True)) is UpstreamFailure.BROKEN
        assert server.connections == 1


async def test_the_connection_used_last_is_used_first(upstream: PooledUpstream):
    """So that as many as are not needed grow old."""
    number = iter(range(9))
    both = asyncio.Barrier(2)

    async def script(peer: Peer) -> None:
        name = b"%d" % next(number)
        while await peer.head():
            if server.connections == 2 and not both.broken:
                with suppress(asyncio.BrokenBarrierError):
                    await both.wait()
                    await both.abort()
            await peer.say(answer(name))

    async with listening(script) as server:
        first = asyncio.create_task(exchanged(upstream, server.site))
        second = asyncio.create_task(exchanged(upstream, server.site))
        await asyncio.wait((first, second))
        last = (await exchanged(upstream, server.site))[1]
        assert [await exchanged(upstream, server.site) for _ in range(3)] == [(200, last)] * 3


async def test_an_idle_connection_ends_before_wordpress_would_end_it(upstream: PooledUpstream, monkeypatch):
    assert KEEPALIVE_SECONDS == 10
    monkeypatch.setattr("appconnect.site.upstream_connection.KEEPALIVE_SECONDS", 0.0)

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer())
        await peer.ends()

    async with listening(script) as server:
        await exchanged(upstream, server.site)
        await exchanged(upstream, server.site)
        assert server.connections == 2
        await eventually(lambda: server.ended == 2)


async def test_whoever_stops_waiting_too_late_ends_nobody_elses_connection(upstream: PooledUpstream):
    """Once an answer is whole, its connection is the next request's, even before it has been looked at."""
    async with listening(repeating(answer())) as server:
        await exchanged(upstream, server.site)
        (pool,) = upstream._pools.values()  # noqa: SLF001 - the moment is seen nowhere else
        waiting = asyncio.create_task(upstream.send(server.site, asked()))
        for is_idle in (False, True):
            while bool(pool.idle) is not is_idle:  # noqa: ASYNC110 - no event tells: it is the step before the reader's
                await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await exchanged(upstream, server.site)
        assert server.connections == 1


async def test_an_answer_to_head_without_framing_leaves_its_connection_free(upstream: PooledUpstream):
    async with listening(repeating(head())) as server:
        for _ in range(2):
            assert (await exchanged(upstream, server.site, asked("HEAD"))) == (200, b"")
        assert server.connections == 1


async def test_two_sites_share_no_connection(upstream: PooledUpstream):
    async with listening(repeating(answer(b"one"))) as one, listening(repeating(answer(b"two"))) as two:
        for _ in range(2):
            assert await exchanged(upstream, one.site) == (200, b"one")
            assert await exchanged(upstream, two.site) == (200, b"two")
        assert (one.connections, two.connections) == (1, 1)


async def test_ipv6_is_an_address_like_any_other(upstream: PooledUpstream):
    async with listening(repeating(answer()), host="::1") as server:
        assert await exchanged(upstream, server.site) == (200, b"[]")


async def test_a_host_with_an_address_where_nobody_answers_is_reached_at_the_next(
    upstream: PooledUpstream, monkeypatch
):
    async with listening(repeating(answer())) as server:
        port = int(server.url.rpartition(":")[2])

        async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(upstream._loop, "getaddrinfo", found)  # noqa: SLF001 - no name has two addresses everywhere
        site = replace(server.site, upstream_url=f"http://wordpress.internal:{port}")
        assert await exchanged(upstream, site) == (200, b"[]")


async def test_nothing_is_sent_once_it_is_closed(upstream: PooledUpstream):
    async with listening(repeating(answer())) as server:
        await upstream.close()
        assert await failure_of(upstream, server.site) is UpstreamFailure.UNREACHABLE
        assert server.connections == 0


# -- the request ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [(b"abc",), (b"abc", b"def")], ids=["shorter", "longer"])
async def test_a_body_is_as_long_as_was_announced_or_its_connection_ends(upstream: PooledUpstream, content):
    """RFC 9112 §6.3: WordPress would take what comes next for its rest, or its rest for what comes next."""
    heard = []

    async def script(peer: Peer) -> None:
        await peer.head()
        heard.append(await peer.ends())

    async with listening(script) as server:
        request = asked("POST", (b"content-length", b"4"), body=pieces(*content))
        assert await failure_of(upstream, server.site, request) is UpstreamFailure.BROKEN
        await eventually(lambda: len(heard) == 1)
    assert len(heard[0]) <= 4


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(((b"content-length", b"1"), (b"content-length", b"1")), id="a length twice"),
        pytest.param(((b"Transfer-Encoding", b"chunked"),), id="a coding"),
        pytest.param(((b"content-length", b"-1"),), id="a length that is none"),
        pytest.param(((b"content-length", b"1"),), id="a length without a body"),
        pytest.param(((b"a b", b"c"),), id="a name with a space"),
        pytest.param(((b"a\r\nb", b"c"),), id="a name with the end of a line"),
        pytest.param(((b"", b"c"),), id="no name"),
    ],
)
async def test_a_head_that_frames_its_request_otherwise_never_goes_out(upstream: PooledUpstream, headers):
    async with listening(repeating(answer())) as server:
        with pytest.raises(ValueError):  # noqa: PT011
            await upstream.send(server.site, asked("POST", *headers))
        assert server.connections == 0


async def test_a_method_cannot_hold_the_end_of_a_line(upstream: PooledUpstream):
    async with listening(repeating(answer())) as server:
        with pytest.raises(ValueError, match="method"):
            await upstream.send(server.site, asked("GET / HTTP/1.1\r\nA: b\r\n\r\nGET"))


async def test_an_answer_before_the_end_of_the_request_is_delivered_and_the_rest_is_not_sent(upstream: PooledUpstream):
    """RFC 9112 §9.5, §9.6."""
    is_left = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"too large", status="413 Content Too Large"))
        await peer.ends()

    async with listening(script) as server:
        request = asked("POST", body=held_back(is_left, b"begin"))
        assert await exchanged(upstream, server.site, request) == (413, b"too large")
        await is_left.wait()
        await eventually(lambda: server.ended == 1)


async def test_an_early_answer_may_be_long(upstream: PooledUpstream):
    is_left, rest = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"abcd")[:-2])
        await rest.wait()
        await peer.say(b"cd")

    async with listening(script) as server:
        heard = await upstream.send(server.site, asked("POST", body=held_back(is_left, b"begin")))
        await is_left.wait()
        rest.set()
        assert await content_of(heard) == b"abcd"


async def test_an_interim_answer_is_no_early_one(upstream: PooledUpstream):
    is_continued = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(head(status="100 Continue"))
        is_continued.set()
        await peer.reader.readexactly(len(chunked(b"ab")))
        await peer.say(answer())

    async with listening(script) as server:
        request = asked("POST", body=pieces(is_continued, b"ab"))
        assert await exchanged(upstream, server.site, request) == (200, b"[]")


async def test_a_wordpress_that_takes_nothing_holds_the_body_back(opened: Opened):
    """Memory does not grow with an upload; and it is not waited for without end."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += MIB
            yield bytes(MIB)

    async def script(peer: Peer) -> None:
        await peer.head()
        await asyncio.Event().wait()

    async with listening(script) as server:
        upstream = opened(answer_timeout_seconds=0.3)
        assert await failure_of(upstream, server.site, asked("POST", body=endless())) is UpstreamFailure.TIMEOUT
    assert taken < 32 * MIB


async def test_a_body_that_takes_its_time_is_no_timeout(opened: Opened):
    """The answer's time begins when the request has ended: how long a client may take is the server's to say."""
    rest = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, rest.set)

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readexactly(2)
        await peer.say(answer())

    async with listening(script) as server:
        request = asked("POST", (b"content-length", b"2"), body=pieces(b"a", rest, b"b"))
        assert await exchanged(opened(answer_timeout_seconds=0.2), server.site, request) == (200, b"[]")


async def test_large_answers_starve_nobody(upstream: PooledUpstream):
    async def script(peer: Peer) -> None:
        while b" /small " in await peer.head():
            await peer.say(answer())
        await peer.say(head(f"Content-Length: {64 * MIB}"))
        for _ in range(64):
            await peer.say(bytes(MIB))

    async with listening(script) as server:
        large = asyncio.create_task(exchanged(upstream, server.site, asked(target="/large")))
        await eventually(lambda: server.connections == 1)
        small = 0
        while not large.done():
            await exchanged(upstream, server.site, asked(target="/small"))
            small += 1
        assert len((await large)[1]) == 64 * MIB
        assert small > 10


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> tuple[trustme.CA, Path]:
    made, file = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(file))
    return made, file


async def speaking_tls(made: trustme.CA, name: str, said: bytes, *, is_cut: bool = False) -> tuple[asyncio.Server, int]:
    """A server with a certificate for `name`, which answers for ever, or is cut off after an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert(name).configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                writer.write(said)
                await writer.drain()
                if is_cut:
                    writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def test_the_certificate_is_that_of_the_site_wherever_it_answers(opened: Opened, authority):
    made, file = authority
    server, port = await speaking_tls(made, "wordpress.example", answer(b"tls"))
    async with server:
        site = SiteAddress("https://wordpress.example", f"https://127.0.0.1:{port}", has_pretty_permalinks=True)
        upstream = opened(ca_file=file)
        for _ in range(2):
            assert await exchanged(upstream, site) == (200, b"tls")
        assert await failure_of(upstream, replace(site, url="https://other.example")) is UpstreamFailure.UNREACHABLE
        assert await failure_of(opened(), site) is UpstreamFailure.UNREACHABLE
        await upstream.close()


async def test_a_large_answer_over_tls_comes_whole(opened: Opened, authority):
    made, file = authority
    server, port = await speaking_tls(made, "localhost", answer(b"x" * (8 * MIB)))
    async with server:
        url = f"https://localhost:{port}"
        site, upstream = SiteAddress(url, url, has_pretty_permalinks=True), opened(ca_file=file)
        for _ in range(2):
            heard = await upstream.send(site, asked())
            assert len(await content_of(heard)) == 8 * MIB
        await upstream.close()


def test_a_body_until_the_end_of_the_connection_needs_the_end_of_tls(authority, monkeypatch):
    """RFC 9112 §9.8: anybody on the way can end a connection. asyncio's own TLS does not tell; uvloop's does."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    made, file = authority

    async def cut_off() -> UpstreamFailure:
        server, port = await speaking_tls(made, "localhost", head() + b"part", is_cut=True)
        async with server:
            url = f"https://localhost:{port}"
            upstream = PooledUpstream(ca_file=file, connect_timeout_seconds=10.0, answer_timeout_seconds=10.0)
            try:
                return await failure_of(upstream, SiteAddress(url, url, has_pretty_permalinks=True))
            finally:
                await upstream.close()

    assert uvloop.run(cut_off()) is UpstreamFailure.BROKEN


# -- what an attacker tried -------------------------------------------------------------------------------------------


async def test_an_early_answer_that_stalls_has_a_deadline(opened: Opened):
    """The rest of the request's body is not sent, so it is the answer that is waited for."""
    upstream = opened(answer_timeout_seconds=0.2)

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(head("Content-Length: 10", status="413 Content Too Large"))
        await asyncio.sleep(30)

    async with listening(script) as server:
        body = pieces(b"a", asyncio.Event())
        answer_ = await upstream.send(server.site, asked("POST", (b"content-length", b"100"), body=body))
        with pytest.raises(UpstreamUnavailable) as raised:
            async with asyncio.timeout(10):
                await content_of(answer_)
    assert raised.value.failure is UpstreamFailure.TIMEOUT


def test_a_request_that_is_given_up_while_it_connects_leaves_nothing(monkeypatch):
    """Of a connection whose making is cancelled, uvloop tells the beginning and not the end."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(head("Content-Length: 0", "Connection: close"))

    async def given_up_at_any_moment() -> None:
        upstream = PooledUpstream(ca_file=None, connect_timeout_seconds=5, answer_timeout_seconds=1)
        async with listening(script) as server:
            for turns in range(300):
                asking = asyncio.ensure_future(upstream.send(server.site, asked()))
                for _ in range(turns % 30):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            async with asyncio.timeout(10):
                await upstream.close()

    uvloop.run(given_up_at_any_moment())
