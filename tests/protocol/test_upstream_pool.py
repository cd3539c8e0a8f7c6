"""`ports.Upstream`, fulfilled by both adapters: connections used again, answers told apart, failures named."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from appconnect.core.request import Refused
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import Upstream, UpstreamFailure, UpstreamUnavailable
from tests.protocol.conftest import eventually, pieces
from tests.protocol.upstreams import (
    ADAPTERS,
    Peer,
    answer,
    asked,
    chunked,
    content_of,
    exchanged,
    head,
    listening,
    repeating,
)

MIB = 1_048_576


@pytest.fixture(params=ADAPTERS, ids=["httptools", "aiohttp"])
async def opened(request, monkeypatch) -> AsyncIterator[Callable[..., Upstream]]:
    """Makes an adapter; all are closed at the end, and leave no task."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    before = asyncio.all_tasks()
    async with AsyncExitStack() as ending:

        def open_(answer_timeout_seconds: float = 10.0, connect_timeout_seconds: float = 10.0) -> Upstream:
            made: Upstream = request.param(
                ca_file=None,
                connect_timeout_seconds=connect_timeout_seconds,
                answer_timeout_seconds=answer_timeout_seconds,
            )
            ending.push_async_callback(made.close)
            return made

        yield open_
    await eventually(lambda: asyncio.all_tasks() <= before | {asyncio.current_task()})


@pytest.fixture
async def upstream(opened: Callable[..., Upstream]) -> Upstream:
    return opened()


async def failure_of(upstream: Upstream, site: SiteAddress, **options) -> UpstreamFailure:
    with pytest.raises(UpstreamUnavailable) as raised:
        await exchanged(upstream, site, asked(**options))
    return raised.value.failure


# -- connections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 8_000, 300_000])
async def test_requests_one_after_the_other_share_a_connection(upstream: Upstream, size: int):
    """RFC 9112 §9.3, whatever the size of what came over it."""
    async with listening(repeating(answer(b"x" * size))) as server:
        for _ in range(4):
            assert await exchanged(upstream, server.site) == (200, b"x" * size)
        assert server.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(head("Transfer-Encoding: chunked") + chunked(b"ab", b"c"), id="in chunks"),
        pytest.param(head("Transfer-Encoding: chunked") + chunked(b"abc", trailer=b"A: b\r\n"), id="with a trailer"),
        pytest.param(head(status="100 Continue") + head(status="103 Early Hints") + answer(b"abc"), id="with hints"),
    ],
)
async def test_an_answer_of_any_framing_leaves_its_connection_free(upstream: Upstream, said: bytes):
    async with listening(repeating(said)) as server:
        assert [await exchanged(upstream, server.site) for _ in range(3)] == [(200, b"abc")] * 3
        assert server.connections == 1


async def test_requests_at_once_have_a_connection_each(upstream: Upstream):
    """Answers never wait for one another: there is no pipelining."""
    both = asyncio.Barrier(3)

    async def script(peer: Peer) -> None:
        await peer.head()
        await both.wait()
        await peer.say(answer())

    async with listening(script) as server:
        sent = [asyncio.create_task(exchanged(upstream, server.site)) for _ in range(2)]
        await both.wait()
        assert await asyncio.gather(*sent) == [(200, b"[]")] * 2


@pytest.mark.parametrize("line", ["Connection: close", "Connection: a, Close"])
async def test_a_connection_that_wordpress_will_close_is_not_used_again(upstream: Upstream, line: str):
    """RFC 9112 §9.6."""
    async with listening(repeating(answer(b"[]", line))) as server:
        assert [await exchanged(upstream, server.site) for _ in range(2)] == [(200, b"[]")] * 2
        assert server.connections == 2


async def test_a_body_until_the_end_of_the_connection_is_passed_on_to_it(upstream: Upstream):
    """RFC 9112 §6.3."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(head(), b"a", b"b" * MIB)

    async with listening(script) as server:
        assert [await exchanged(upstream, server.site) for _ in range(2)] == [(200, b"a" + b"b" * MIB)] * 2
        assert server.connections == 2


@pytest.mark.parametrize("poison", [answer(b"poison"), b"HTTP/1.1 299 Poison\r\nX: "], ids=["an answer", "half a head"])
async def test_what_comes_on_an_idle_connection_is_nobodys_answer(upstream: Upstream, poison: bytes):
    """RFC 9112 §9.2: it could be another client's."""
    is_idle, cut = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"mine"))
        await is_idle.wait()
        await peer.say(poison)
        await peer.ends()
        cut.set()

    async with listening(script) as server:
        assert await exchanged(upstream, server.site) == (200, b"mine")
        is_idle.set()
        await cut.wait()
        assert await exchanged(upstream, server.site) == (200, b"mine")
        assert server.connections == 2


@pytest.mark.parametrize("poison", [answer(b"poison"), b"HTTP/1.1 299 Poison\r\nX: "], ids=["an answer", "half a head"])
async def test_what_follows_an_answer_at_once_is_nobodys_answer(upstream: Upstream, poison: bytes):
    async with listening(repeating(answer(b"mine") + poison)) as server:
        for _ in range(3):
            assert await exchanged(upstream, server.site) == (200, b"mine")


async def test_a_request_that_may_be_repeated_is_sent_again_where_its_connection_was_dead(upstream: Upstream):
    """RFC 9110 §9.2.2, RFC 9112 §9.3.1."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"[1]"))
        await peer.head()  # and ends the connection instead of an answer

    async with listening(script) as server:
        assert await exchanged(upstream, server.site) == (200, b"[1]")
        assert await exchanged(upstream, server.site, asked(may_repeat=True)) == (200, b"[1]")
        assert server.connections == 2


async def test_no_other_request_is(upstream: Upstream):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"[1]"))
        await peer.head()

    async with listening(script) as server:
        assert await exchanged(upstream, server.site) == (200, b"[1]")
        assert await failure_of(upstream, server.site, method="POST") is UpstreamFailure.BROKEN
        assert server.connections == 1


async def test_closing_ends_every_connection_busy_or_idle(upstream: Upstream):
    async def script(peer: Peer) -> None:
        if b" /idle " in await peer.head():
            await peer.say(answer())
        await peer.ends()

    async with listening(script) as server:
        busy = asyncio.create_task(failure_of(upstream, server.site))
        await eventually(lambda: server.connections == 1)
        await exchanged(upstream, server.site, asked(target="/idle"))
        await upstream.close()
        await eventually(lambda: server.ended == 2)
        assert await busy in UpstreamFailure


# -- the request ------------------------------------------------------------------------------------------------------


async def test_a_request_goes_out_to_the_byte(upstream: Upstream):
    heard = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.head())
        await peer.say(answer())

    sent = ((b"accept", b"a/b"), (b"x-name", "grüße".encode()), (b"x-twice", b"1"), (b"x-twice", b"2"))
    async with listening(script) as server:
        await exchanged(upstream, server.site, asked("GET", *sent, target="/wp-json/a%2Fb?c=d&e"))
    lines = ["GET /wp-json/a%2Fb?c=d&e HTTP/1.1", "host: wordpress.example", "accept: a/b", "x-name: grüße"]
    assert heard == ["\r\n".join((*lines, "x-twice: 1", "x-twice: 2", "", "")).encode()]


@pytest.mark.parametrize(
    ("length", "wanted"),
    [((b"content-length", b"5"), b"abcde"), (None, chunked(b"ab", b"cde"))],
    ids=["counted", "in chunks"],
)
async def test_a_body_is_framed_by_its_length_or_in_chunks(upstream: Upstream, length, wanted: bytes):
    """RFC 9112 §6.2, §7.1."""
    heard = []

    async def script(peer: Peer) -> None:
        assert (b"transfer-encoding: chunked" in (await peer.head()).lower()) is (length is None)
        heard.append(await peer.reader.readexactly(len(wanted)))
        await peer.say(answer())

    async with listening(script) as server:
        headers = () if length is None else (length,)
        assert await exchanged(upstream, server.site, asked("POST", *headers, body=pieces(b"ab", b"cde"))) == (
            200,
            b"[]",
        )
    assert heard == [wanted]


async def test_a_post_without_a_body_says_so(upstream: Upstream):
    """RFC 9110 §8.6."""
    heard = []

    async def script(peer: Peer) -> None:
        heard.append((await peer.head()).lower())
        await peer.say(answer())

    async with listening(script) as server:
        await exchanged(upstream, server.site, asked("POST"))
    assert heard[0].endswith(b"\r\ncontent-length: 0\r\n\r\n")


async def test_a_body_that_breaks_off_takes_its_request_with_it(upstream: Upstream):
    """WordPress must not take a part for the whole."""
    heard = []

    async def script(peer: Peer) -> None:
        await peer.head()
        heard.append(await peer.ends())

    async def breaking() -> AsyncIterator[bytes]:
        yield b"part"
        raise EOFError

    async with listening(script) as server:
        assert await failure_of(upstream, server.site, method="POST", body=breaking()) is UpstreamFailure.BROKEN
        await eventually(lambda: len(heard) == 1)
    assert heard in ([b"4\r\npart\r\n"], [b""])  # to cut may be to take back what was not sent yet


async def test_header_text_that_is_no_utf_8_is_refused(upstream: Upstream):
    async with listening(repeating(answer())) as server:
        with pytest.raises(Refused) as raised:
            await upstream.send(server.site, asked("GET", (b"x-name", b"\xff")))
        assert (raised.value.status, raised.value.code) == (400, "app_connect_header_encoding")
        assert server.connections == 0


@pytest.mark.parametrize("value", [b"a\r\nx-admin: 1", b"a\nb", b"a\rb", b"a\0b"])
async def test_a_header_cannot_hold_the_end_of_a_line(upstream: Upstream, value: bytes):
    async with listening(repeating(answer())) as server:
        with pytest.raises(ValueError):  # noqa: PT011 - a mistake of ours, in the words of either adapter
            await upstream.send(server.site, asked("GET", (b"x-name", value)))
        assert await exchanged(upstream, server.site) == (200, b"[]")


@pytest.mark.parametrize("target", ["/a b", "/a\r\nb", "/\0", "/ä"])
async def test_a_target_is_visible_ascii(upstream: Upstream, target: str):
    async with listening(repeating(answer())) as server:
        with pytest.raises(ValueError, match="target"):
            await upstream.send(server.site, asked(target=target))


async def test_a_target_cannot_become_another_host(upstream: Upstream):
    async with listening(repeating(answer())) as server:
        assert await failure_of(upstream, server.site, target="@evil.example/") is UpstreamFailure.UNREACHABLE


# -- the answer -------------------------------------------------------------------------------------------------------


async def test_names_of_headers_are_in_small_letters_and_values_as_they_were(upstream: Upstream):
    said = answer(b"[]", "X-Name: gr\xfc\xdfe  ", "X-NAME:2", "x-empty:")
    async with listening(repeating(said)) as server:
        heard = await upstream.send(server.site, asked())
        await heard.close()
    wanted = [(b"content-length", b"2"), (b"x-name", b"gr\xfc\xdfe"), (b"x-name", b"2"), (b"x-empty", b"")]
    assert list(heard.headers) == wanted


async def test_a_small_answer_is_there_as_a_whole(upstream: Upstream):
    async with listening(repeating(answer(b"[1]"))) as server:
        heard = await upstream.send(server.site, asked())
        assert heard.whole_body() == b"[1]"
        await heard.close()
        assert await exchanged(upstream, server.site) == (200, b"[1]")
        assert server.connections == 1


async def test_an_answer_is_there_before_its_body_has_ended(upstream: Upstream):
    rest = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"abcd")[:-2])
        await rest.wait()
        await peer.say(b"cd")

    async with listening(script) as server:
        heard = await upstream.send(server.site, asked())
        assert heard.whole_body() is None
        chunks = heard.chunks()
        assert await anext(chunks) == b"ab"
        rest.set()
        assert await anext(chunks) == b"cd"
        assert [chunk async for chunk in chunks] == []


@pytest.mark.parametrize(
    ("method", "said"),
    [
        pytest.param("HEAD", head("Content-Length: 5"), id="to HEAD"),
        pytest.param("HEAD", head("Transfer-Encoding: chunked"), id="to HEAD, in chunks"),
        pytest.param("GET", head(status="204 No Content"), id="204"),
        pytest.param("GET", head("Content-Length: 5", status="304 Not Modified"), id="304"),
    ],
)
async def test_an_answer_without_content_ends_with_its_head(upstream: Upstream, method: str, said: bytes):
    """RFC 9112 §6.3: whatever it says."""
    async with listening(repeating(said)) as server:
        for _ in range(2):
            assert (await exchanged(upstream, server.site, asked(method)))[1] == b""
        assert server.connections == 1


async def test_an_abandoned_answer_ends_its_connection(upstream: Upstream):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"x" * 10)[:-1])
        await peer.ends()

    async with listening(script) as server:
        heard = await upstream.send(server.site, asked())
        await heard.close()
        await eventually(lambda: server.ended == 1)


async def test_whoever_stops_waiting_for_an_answer_ends_its_connection(upstream: Upstream):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.ends()

    async with listening(script) as server:
        waiting = asyncio.create_task(upstream.send(server.site, asked()))
        await eventually(lambda: server.connections == 1)
        waiting.cancel()
        await eventually(lambda: server.ended == 1)


async def test_a_reader_who_takes_nothing_holds_wordpress_back(upstream: Upstream):
    """Memory does not grow with an answer."""
    said = 0

    async def script(peer: Peer) -> None:
        nonlocal said
        await peer.head()
        await peer.say(head(f"Content-Length: {64 * MIB}"))
        for _ in range(64):
            await peer.say(bytes(MIB))
            said += MIB

    async with listening(script) as server:
        heard = await upstream.send(server.site, asked())
        before = -1
        while before != said:
            before = said
            await asyncio.sleep(0.2)
        assert said < 32 * MIB  # the rest is what two sockets hold
        assert len(await content_of(heard)) == 64 * MIB


# -- no answer --------------------------------------------------------------------------------------------------------


async def test_nobody_there_is_unreachable(upstream: Upstream):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        site = SiteAddress("https://wordpress.example", url, has_pretty_permalinks=True)
        assert await failure_of(upstream, site) is UpstreamFailure.UNREACHABLE


async def test_a_name_that_nobody_knows_is_unreachable(upstream: Upstream):
    site = SiteAddress("https://wordpress.example", "http://nowhere.invalid", has_pretty_permalinks=True)
    assert await failure_of(upstream, site, may_repeat=True) is UpstreamFailure.UNREACHABLE


async def test_silence_is_a_timeout(opened: Callable[..., Upstream]):
    async def script(peer: Peer) -> None:
        await peer.ends()

    async with listening(script) as server:
        assert await failure_of(opened(answer_timeout_seconds=0.2), server.site) is UpstreamFailure.TIMEOUT
        await eventually(lambda: server.ended == 1)


async def test_silence_within_a_body_is_a_timeout(opened: Callable[..., Upstream]):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(answer(b"abc")[:-1])
        await peer.ends()

    async with listening(script) as server:
        assert await failure_of(opened(answer_timeout_seconds=0.2), server.site) is UpstreamFailure.TIMEOUT


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b", id="half a head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another protocol"),
        pytest.param(answer(b"abc")[:-1], id="short of its length"),
        pytest.param(head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n", id="without a last chunk"),
        pytest.param(head("Transfer-Encoding: chunked") + b"3\r\nab", id="within a chunk"),
        pytest.param(head("Transfer-Encoding: chunked") + b"no size\r\n", id="a chunk without a size"),
        pytest.param(head("Content-Length: 2", "Content-Length: 3") + b"abc", id="two lengths"),
        pytest.param(head("Content-Length: two") + b"ab", id="a length that is none"),
        pytest.param(head("Content-Length: 5", "Transfer-Encoding: chunked") + chunked(b""), id="a length and chunks"),
        pytest.param(head(status="101 Switching Protocols"), id="another protocol from here on"),
    ],
)
async def test_what_is_no_whole_answer_is_broken(upstream: Upstream, said: bytes):
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(said)

    async with listening(script) as server:
        assert await failure_of(upstream, server.site) is UpstreamFailure.BROKEN
        assert server.connections == 1
