"""What a request costs, in counts: of our functions' calls and resumptions, tasks, timers and writes, never in time.

A count is the same on every machine and however busy it is. Where one grows, either it is worth it, and the number here
is raised with the reason in the commit, or a request has become slower by mistake. How fast requests are is measured by
`make bench`.
"""

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

import appconnect
from appconnect.http1 import Http1Protocol
from tests.protocol.conftest import BACKEND, POSTS, TOKEN, Recorder, Running, basic

PACKAGE = str(Path(appconnect.__file__).parent)
WARM_UP, REQUESTS, MANY = 20, 50, 500
DATE = (b"date", b"Tue, 24 Nov 2026 12:00:00 GMT")


class Wire(asyncio.Transport):
    """The client's end of a connection: `heard` is set with each answer that is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bytes] = []
        self.heard = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.answers.append(bytes(data))
        self.heard.set()

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 4711) if name == "peername" else default


class Caller:
    """A client on one connection to the HTTP server in this process, before the application of a worker."""

    def __init__(self, gateway: Running) -> None:
        config = uvicorn.Config(cast("Any", gateway.app), lifespan="off", log_config=None, proxy_headers=False)
        state = ServerState()
        state.default_headers = [DATE]
        self.wire = Wire()
        self._protocol = Http1Protocol(config, state, {}, asyncio.get_running_loop())
        self._protocol.connection_made(self.wire)

    async def asks(self, request: bytes, status: bytes) -> None:
        self.wire.heard.clear()
        self._protocol.data_received(request)
        await self.wire.heard.wait()
        assert self.wire.answers[-1].startswith(b"HTTP/1.1 " + status), self.wire.answers[-1][:200]


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count what our functions do until the block ends."""
    counts, loop = Counter[str](), asyncio.get_running_loop()

    def is_ours(frame: FrameType | None) -> bool:
        return frame is not None and frame.f_code.co_filename.startswith(PACKAGE)

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and is_ours(frame):
            counts["calls"] += 1
        elif event == "call" and is_ours(frame.f_back):
            counts[frame.f_code.co_name] += 1

    def make_task(of: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
        counts["tasks"] += coroutine.cr_code.co_filename.startswith(PACKAGE)
        return asyncio.Task(coroutine, loop=of, **options)

    loop.set_task_factory(cast("Any", make_task))
    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        loop.set_task_factory(None)


async def cost(caller: Caller, request: bytes, status: bytes) -> Counter[str]:
    """What one of many equal requests takes, the ones that find nothing ready left out."""
    for _ in range(WARM_UP):
        await caller.asks(request, status)
    with counting() as counts:
        for _ in range(REQUESTS):
            await caller.asks(request, status)
    return Counter({name: round(count / REQUESTS) for name, count in counts.items()})


def request(line: str, *fields: str, body: str = "") -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: api.example.com", *fields, "", body]).encode()


@pytest.fixture
async def caller(gateway: Running) -> Caller:
    return Caller(gateway)


async def test_a_permitted_request(caller: Caller, upstream: Recorder, token: str):
    found = await cost(caller, request(f"GET {POSTS}/7?context=view", f"Authorization: Bearer {token}"), b"200")
    assert len(upstream.requests) == WARM_UP + REQUESTS
    assert found["calls"] <= 190
    assert (found["tasks"], found["call_later"], found["write"]) == (1, 0, 2), "one write to each side, in one task"


async def test_a_refused_request(caller: Caller, upstream: Recorder, token: str):
    found = await cost(caller, request("GET /wp-json/wp/v2/users", f"Authorization: Bearer {token}"), b"403")
    assert upstream.requests == []
    assert found["calls"] <= 150
    assert (found["tasks"], found["call_later"], found["write"]) == (1, 0, 1)


async def test_a_token(caller: Caller, upstream: Recorder):
    body = "grant_type=client_credentials"
    fields = (f"Authorization: {basic(BACKEND.id, BACKEND.secret)}", "Content-Type: application/x-www-form-urlencoded")
    found = await cost(caller, request(f"POST {TOKEN}", *fields, f"Content-Length: {len(body)}", body=body), b"200")
    assert upstream.requests == []
    assert found["calls"] <= 150
    assert (found["tasks"], found["call_later"], found["write"]) == (1, 0, 1)


def forget(caller: Caller, upstream: Recorder) -> None:
    for kept in (caller.wire.answers, upstream.requests, upstream.begun_bodies):
        kept.clear()


async def test_nothing_is_left_of_a_request(caller: Caller, upstream: Recorder, token: str):
    """Not even for the collector of cycles: it would stop every other request while it looks."""
    asked = request(f"GET {POSTS}/7", f"Authorization: Bearer {token}")
    for _ in range(WARM_UP):
        await caller.asks(asked, b"200")
    forget(caller, upstream)
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        for _ in range(MANY):
            await caller.asks(asked, b"200")
        forget(caller, upstream)
        unreachable = gc.collect()
    finally:
        gc.enable()
    assert unreachable < MANY / 10
    left = sys.getallocatedblocks() - before
    assert left < 3 * MANY, f"{left / MANY:.1f} blocks of each request"
