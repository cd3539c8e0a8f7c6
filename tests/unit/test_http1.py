"""Whose time it is on a connection, by a clock that the test moves; `tests/protocol/` has the same over sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from appconnect.asgi import DISCONNECT
from appconnect.http1 import Http1Protocol, Limits

LIMITS = Limits()
IDLE_SECONDS = 60
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@dataclass
class Timer:
    at: float
    ring: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def when(self) -> float:
        return self.at


@dataclass
class Clock:
    """An event loop whose time stands still until `advance`."""

    now: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, ring))
        return self.timers[-1]

    def call_soon(self, call: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(call)

    def create_task(self, coroutine: Any) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(coroutine)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [each for each in self.timers if each.at <= end and not each.is_cancelled]:
            timer = min(due, key=lambda each: each.at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.ring()
        self.now = end

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return cast("asyncio.AbstractEventLoop", self)


@dataclass
class Wire:
    """A transport: what was written, how much of it waits to be taken, and how the connection ended."""

    written: bytes = b""
    untaken: int = 0
    is_reading: bool = True
    ended: str = ""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def get_extra_info(self, _name: str) -> None: ...


@dataclass
class Connection:
    clock: Clock
    wire: Wire
    protocol: Http1Protocol
    turn: asyncio.Event  # the application waits for it before it reads and answers

    async def sends(self, data: bytes) -> None:
        self.protocol.data_received(data)
        await self.settles()

    async def settles(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
def connection() -> Connection:
    turn = asyncio.Event()

    async def application(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        await turn.wait()
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(application, lifespan="off", log_config=None, timeout_keep_alive=IDLE_SECONDS)
    clock, wire = Clock(), Wire()
    protocol = Http1Protocol(config=config, server_state=ServerState(), app_state={}, _loop=clock.loop)
    protocol.connection_made(cast("asyncio.Transport", wire))
    return Connection(clock, wire, protocol, turn)


async def test_time_counts_from_when_we_read_again(connection: Connection):
    await connection.sends(HEAD + b"Content-Length: 200000\r\n\r\n" + b"a" * 100_000)
    assert not connection.wire.is_reading
    connection.clock.advance(10 * LIMITS.body_seconds - 1)
    connection.turn.set()
    await connection.settles()
    assert connection.wire.is_reading
    connection.clock.advance(LIMITS.body_seconds - 1)
    assert (connection.wire.written, connection.wire.ended) == (b"", "")
    connection.clock.advance(2)
    assert connection.wire.written.startswith(b"HTTP/1.1 408 ")


async def test_time_counts_from_the_100_that_the_client_waits_for(connection: Connection):
    await connection.sends(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    connection.clock.advance(10 * LIMITS.body_seconds - 1)
    connection.turn.set()
    await connection.settles()
    connection.clock.advance(LIMITS.body_seconds - 1)
    assert connection.wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.clock.advance(2)
    assert b"HTTP/1.1 408 " in connection.wire.written


async def test_nothing_is_left_in_the_event_loop_of_a_connection_that_is_gone(connection: Connection):
    await connection.sends(HEAD)
    connection.protocol.connection_lost(None)
    assert all(each.is_cancelled for each in connection.clock.timers)


@pytest.mark.parametrize("goes_after_turns", [0, 5])
async def test_an_application_that_asks_for_it_ends_when_its_client_goes(goes_after_turns: int):
    """Once, and where the client had gone before the application began."""
    happened: list[str] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        scope["extensions"][DISCONNECT](lambda: happened.append("gone"))
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            happened.append("cancelled")
            raise

    config = uvicorn.Config(application, lifespan="off", log_config=None, proxy_headers=False)
    state, clock, wire = ServerState(), Clock(), Wire()
    protocol = Http1Protocol(config=config, server_state=state, app_state={}, _loop=clock.loop)
    protocol.connection_made(cast("asyncio.Transport", wire))
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    for _ in range(goes_after_turns):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (happened, state.tasks, wire.written) == (["gone", "cancelled"], set(), b"")


@pytest.mark.parametrize(("taken_bytes", "ended"), [(0, "aborted"), (1, "closed")])
async def test_an_answer_is_given_up_only_where_nothing_of_it_is_taken(
    connection: Connection, taken_bytes: int, ended: str
):
    connection.turn.set()
    connection.wire.untaken = 1000  # too few for the transport to say that it is full
    await connection.sends(HEAD + b"Connection: close\r\n\r\n")
    for _ in range(3):
        connection.wire.untaken -= taken_bytes
        connection.clock.advance(LIMITS.write_seconds)
    assert connection.wire.ended == ended


async def test_a_long_request_does_not_count_as_idle_nor_as_late(connection: Connection):
    await connection.sends(HEAD + b"\r\n")
    connection.clock.advance(3600)
    connection.turn.set()
    await connection.settles()
    assert connection.wire.written.startswith(b"HTTP/1.1 200 ")
    connection.clock.advance(IDLE_SECONDS - 1)
    assert connection.wire.ended == ""
    connection.clock.advance(1)
    assert connection.wire.ended == "closed"


async def test_where_too_many_requests_wait_no_more_are_read_until_one_is_answered(connection: Connection):
    await connection.sends((HEAD + b"\r\n") * 5000)
    assert not connection.wire.is_reading
    connection.clock.advance(3600)
    assert connection.wire.ended == ""
    connection.turn.set()
    while not connection.wire.is_reading:
        await connection.settles()
    assert connection.wire.written.count(b"HTTP/1.1 200 ") > 4000
