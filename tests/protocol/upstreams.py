"""Both adapters of `ports.Upstream`, and a server on loopback that says to each connection what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

from appconnect.core.request import Pair
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import Upstream, UpstreamAnswer, UpstreamRequest
from appconnect.site.aiohttp_upstream import AiohttpUpstream
from appconnect.site.upstream import PooledUpstream
from tests.protocol.conftest import POSTS

ADAPTERS = (PooledUpstream, AiohttpUpstream)


@dataclass
class Peer:
    """One connection as the server has it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def ends(self) -> bytes:
        """Wait until the other side has ended the connection; what it still sent."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Listening:
    """A server; `ended` counts the connections whose script has run to its end."""

    url: str = ""
    connections: int = 0
    ended: int = 0
    errors: list[BaseException] = field(default_factory=list)

    @property
    def site(self) -> SiteAddress:
        return SiteAddress("https://wordpress.example", self.url, has_pretty_permalinks=True)


@asynccontextmanager
async def listening(script: Script, host: str = "127.0.0.1") -> AsyncIterator[Listening]:
    """Play `script` to every connection, and close it afterwards."""
    server, tasks = Listening(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await script(Peer(reader, writer))
            server.ended += 1
        except Exception as error:  # noqa: BLE001 - the test shall show it
            server.errors.append(error)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    listener = await asyncio.start_server(accept, host, 0)
    shown = f"[{host}]" if ":" in host else host
    server.url = f"http://{shown}:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert server.errors == []


def repeating(*answers: bytes) -> Script:
    """Give one answer to each request of a connection, the last one for ever."""

    async def script(peer: Peer) -> None:
        for answer in (*answers[:-1], *(answers[-1:] * 100)):
            await peer.head()
            await peer.say(answer)

    return script


def asked(
    method: str = "GET",
    *headers: Pair,
    target: str = POSTS,
    body: AsyncIterator[bytes] | None = None,
    may_repeat: bool = False,
) -> UpstreamRequest:
    return UpstreamRequest(method, target, ((b"host", b"wordpress.example"), *headers), body, may_repeat)


async def content_of(answer: UpstreamAnswer) -> bytes:
    """The whole body, whichever way it comes."""
    whole = answer.whole_body()
    if whole is not None:
        return whole
    return b"".join([chunk async for chunk in answer.chunks()])


async def exchanged(upstream: Upstream, site: SiteAddress, request: UpstreamRequest | None = None) -> tuple[int, bytes]:
    """Status and body of the answer to a request."""
    answer = await upstream.send(site, request or asked())
    try:
        return answer.status, await content_of(answer)
    finally:
        await answer.close()


def answer(body: bytes = b"[]", *lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """An answer with the length of its body."""
    return head(f"Content-Length: {len(body)}", *lines, status=status, version=version) + body


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    return "\r\n".join((f"HTTP/{version} {status}", *lines, "", "")).encode("latin-1")


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The bytes in pieces."""
    edges = [0, *sorted(cuts), len(data)]
    return [piece for begin, end in pairwise(edges) if (piece := data[begin:end])]
