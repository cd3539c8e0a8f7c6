"""HTTP/1.1 on the wire (RFC 9112), for uvicorn's server.

Where a message begins and ends is decided once (`head`, `core.chunked`): what cannot be told for certain is refused and
ends the connection. A request's head, a body that is waited for, and an answer that is not read each have a limit.
"""

import asyncio
import socket
import struct
from collections import deque
from contextlib import suppress
from enum import Enum, auto
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from appconnect.asgi import Answer
from appconnect.core.chunked import ChunkedError, ChunkedReader
from appconnect.core.request import Pair
from appconnect.http1.cycle import STATUS_LINE, Cycle
from appconnect.http1.head import BadHead, check_begin, read_framing, read_line, skip_empty_lines
from appconnect.http1.limits import Limits, refusals


class _At(Enum):
    """Where in a message the reader is."""

    START = auto()
    HEAD = auto()
    BODY = auto()


_CR: Final = 13
_RESET: Final = struct.pack("ii", 1, 0)
"""`SO_LINGER` for no time: what is not sent is thrown away, and the other end is told so."""
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class Http1Protocol(asyncio.Protocol):
    """One connection."""

    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        del app_state  # what a lifespan leaves for requests: ours leaves nothing
        if not config.loaded:
            config.load()
        self.loop = _loop or asyncio.get_running_loop()
        self._application, self._keep_alive_seconds = config.loaded_app, config.timeout_keep_alive
        self._server = server_state
        self._default_headers: list[Pair] | None = None
        self._default_lines: list[bytes] = []
        self.transport: asyncio.Transport
        self._server_address: tuple[str, int | None] | None = None
        self._client_address: tuple[str, int] | None = None
        # -- of the message that is read
        self._at = _At.START
        self._is_over = False  # nothing that comes is a request any more
        self._unread = b""
        self._searched_bytes = self._empty_bytes = self._lingered_bytes = 0
        self._left_bytes: int | None = 0  # of the body; None for a chunked one
        self._chunks: ChunkedReader | None = None
        # -- of those that are answered
        self._read: Cycle | None = None  # the last that was read
        self._active: Cycle | None = None  # the one that the application has
        self._waiting: deque[Cycle] = deque()
        # -- flow and time
        self._is_read_paused = self._is_held = False
        self.is_write_paused = False
        self._writable: asyncio.Event | None = None
        self._is_idle = False  # between an answer and the next request
        self._deadline: float | None = None
        self._unwritten: tuple[int, float] | None = None  # bytes that wait to be taken, and since when
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    # -- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first head its time."""
        self._server.connections.add(self)  # type: ignore[arg-type]
        self.transport = transport
        self._server_address, self._client_address = get_local_addr(transport), get_remote_addr(transport)
        self._await_within(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching, and tell the requests under way."""
        del exc
        self._server.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._is_over = True
        self._waiting.clear()
        for cycle in (self._active, self._read):
            if cycle is not None and not cycle.is_complete:
                cycle.leave()
        self._write_again()

    def data_received(self, data: bytes) -> None:
        """Read what came, unless too many requests wait already."""
        if self._is_idle:
            self._is_idle = False
            self._await_within(self.limits.head_seconds)  # an empty line begins no message, and yet keeps us waiting
        if self._is_over:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > self.limits.lingering_bytes:
                self._close()
            return
        if self._at is _At.BODY:
            self._await_within(self.limits.body_seconds)
        self._unread = self._unread + data if self._unread else data
        self._read_on()

    def shutdown(self) -> None:
        """End the connection, after the answer that is under way (uvicorn calls this when it stops)."""
        if self._read is None or self._read.is_complete:
            self.transport.close()
        else:
            self._read.keep_alive = False

    # -- reading ------------------------------------------------------------------------------------------------------

    def _read_on(self) -> None:
        """Read what has come, one message after the other."""
        try:
            while self._unread and not self._is_over:
                if len(self._waiting) >= self.limits.pipelined_requests and self._hold():
                    return
                if self._at is _At.BODY:
                    self._read_body()
                elif not self._read_head():
                    return
        except BadHead as error:
            self._refuse(error.why)
        except ChunkedError as error:
            self._refuse("head" if error.is_too_long else "malformed")

    def _hold(self) -> bool:
        """Whether so many requests wait for their turn that no more are read."""
        self._is_held = len(self._waiting) >= self.limits.pipelined_requests
        if self._is_held:
            self._pause_reading()
        return self._is_held

    def _read_head(self) -> bool:
        """Read a head, and hand it to the application; false where its end has not come."""
        data = self._unread
        if data[0] == _CR:
            data = skip_empty_lines(data)
            self._empty_bytes += len(self._unread) - len(data)
            self._unread = data
        if self._empty_bytes > self.limits.head_bytes:
            raise BadHead("head")
        end = data.find(b"\r\n\r\n", max(0, self._searched_bytes - 3))
        if end < 0:
            if data not in (b"", b"\r"):
                check_begin(data, self._searched_bytes, self.limits)
                if self._at is _At.START:
                    self._at = _At.HEAD
                    self._await_within(self.limits.head_seconds)
            self._searched_bytes = len(data)
            return False
        end_of_line = data.find(b"\r\n")
        if end > self.limits.head_bytes:
            raise BadHead("target" if end_of_line > self.limits.target_bytes else "head")
        self._unread, self._searched_bytes, self._empty_bytes = data[end + 4 :], 0, 0
        self._begin(data[:end_of_line], data[end_of_line + 2 : end + 2])
        return True

    def _begin(self, line: bytes, block: bytes) -> None:
        method, path, query, is_latest = read_line(line, self.limits)
        framing = read_framing(block, self.limits)
        if framing.is_chunked and not is_latest:
            raise BadHead("malformed")  # RFC 9112 §6.1: its framing is faulty
        text = path.decode("ascii")
        scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1" if is_latest else "1.0",
            "scheme": "http",
            "root_path": "",
            "server": self._server_address,
            "client": self._client_address,
            "method": method,
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": framing.fields,
        }
        # RFC 9110 §10.1.1: a client of an older version does not wait to be told to go on
        is_invited = not (framing.expects_100 and is_latest)
        cycle = Cycle(self, scope, is_invited=is_invited, keep_alive=is_latest and not framing.closes)
        is_alone = self._read is None or self._read.is_complete
        self._read, self._is_idle = cycle, False
        self._left_bytes = framing.length
        if framing.length == 0:
            self._at, self._deadline = _At.START, None
            cycle.end()
        else:
            self._at = _At.BODY
            self._chunks = self._chunked_reader() if framing.is_chunked else None
            self._await_within(self.limits.body_seconds)
        if is_alone:
            self._start(cycle)
        else:
            self._waiting.append(cycle)

    def _chunked_reader(self) -> ChunkedReader:
        return ChunkedReader(max_bare_bytes=self.limits.head_bytes, max_trailers=self.limits.fields)

    def _read_body(self) -> None:
        data, self._unread = self._unread, b""
        if self._chunks is not None:
            pieces = self._chunks.feed(data)
            is_whole, self._unread = self._chunks.is_whole, self._chunks.rest
        else:
            assert self._left_bytes is not None
            pieces = [data[: self._left_bytes]]
            is_whole, self._unread = len(data) >= self._left_bytes, data[self._left_bytes :]
            self._left_bytes -= len(pieces[0])
        read = self._read
        assert read is not None
        for piece in () if read.is_complete else pieces:
            if read.take(piece):
                self._pause_reading()
        if not is_whole:
            return
        self._at, self._left_bytes, self._chunks, self._deadline = _At.START, 0, None, None
        if read.is_complete:  # the answer came first, and the wait for the next request begins only now
            self._await_request()
        else:
            read.end()

    # -- requests and answers -----------------------------------------------------------------------------------------

    def _start(self, cycle: Cycle) -> None:
        self._active = cycle
        cycle.task = self.loop.create_task(cycle.run(self._application))
        self._server.tasks.add(cycle.task)

    def forget(self, cycle: Cycle) -> None:
        """A request's task is at its end: uvicorn does not wait for it when it stops."""
        task, cycle.task = cycle.task, None
        if task is not None:
            self._server.tasks.discard(task)

    def default_lines(self) -> list[bytes]:
        """The fields that every answer has, as uvicorn makes them anew each second."""
        headers = self._server.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_lines = [b"%b: %b" % pair for pair in headers]
        return self._default_lines

    def invite(self, cycle: Cycle) -> None:
        """Send 100 to a client that waits for it: it has time for its body from now on."""
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.is_invited = True
        self._go_on_waiting()

    def leaves_much_unread(self, cycle: Cycle) -> bool:
        """Whether an answer that begins now leaves more of the request's body behind than is worth reading."""
        if self._at is not _At.BODY or cycle is not self._read:
            return False
        left = self._left_bytes
        return left is None or left > self.limits.drained_bytes or (left > 0 and not cycle.is_invited)

    def complete(self, cycle: Cycle) -> None:
        """An answer is whole: the next request that waits has its turn, or more are read, or the connection ends."""
        self._server.total_requests += 1
        if not cycle.keep_alive:
            self.finish()
        if self.transport.is_closing() or (self._is_over and not self._waiting):
            return
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._at is _At.START and self._unread in (b"", b"\r"):  # half an empty line begins no request
            self._await_request()
        if self._unread and not self._is_over:
            self._read_on()
        if self._is_read_paused and not self._hold():
            self.resume_reading()

    def cut(self, *, is_framed: bool) -> None:
        """End an answer that cannot be completed, so that the client notices: where nothing frames it, by a reset."""
        if is_framed:
            self._close()
            return
        if (connection := self.transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def finish(self) -> None:
        """End the connection after the answer: at once, or where a body is still coming, once the client has heard.

        Requests that wait behind it are none (RFC 9112 §9.6).
        """
        self._waiting.clear()
        if self._at is _At.START and not self._unread:
            self._close()
            return
        self._is_over, self._unread, self._deadline = True, b"", None
        self._is_held = False
        self.resume_reading()
        with suppress(OSError, RuntimeError):
            self.transport.write_eof()
        self._await_within(self.limits.lingering_seconds)

    def _close(self) -> None:
        """Close the connection when what is written has been taken, for which there is a time too."""
        self._is_over, self._deadline = True, None
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._await_taking()

    def _refuse(self, why: str) -> None:
        """Answer what is no request, in its turn, and end the connection."""
        is_of_body = self._at is _At.BODY
        self._is_over, self._unread, self._deadline = True, b"", None
        answer, read = refusals(self.limits)[why], self._read
        if read is None or read.is_complete:
            self._answer(None if is_of_body else answer)
        elif not is_of_body:
            read.keep_alive = False  # those before it are answered, and the connection ends with the last
        elif read is self._active:
            has_begun = read.has_begun
            read.leave()
            self._answer(None if has_begun else answer)
        else:
            self._waiting.pop()
            last = self._waiting[-1] if self._waiting else self._active
            if last is not None:
                last.keep_alive = False

    def _answer(self, answer: Answer | None) -> None:
        if answer is None:  # too late for an error: the client must notice that the answer is cut
            self.transport.abort()
            return
        length = (b"content-length", str(len(answer.body)).encode())
        lines = [b"%b: %b" % pair for pair in (*answer.headers, length)]
        self.transport.write(b"\r\n".join([STATUS_LINE[answer.status], *lines, b"", answer.body]))
        self._at = _At.BODY  # whatever comes is not a request
        self.finish()

    # -- flow ---------------------------------------------------------------------------------------------------------

    def _pause_reading(self) -> None:
        if not self._is_read_paused:
            self._is_read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again what the client sends, unless too many of its requests wait."""
        if self._is_read_paused and not self._is_held:
            self._is_read_paused = False
            self.transport.resume_reading()
            self._go_on_waiting()

    def pause_writing(self) -> None:
        """The client does not take its answer as fast as it comes."""
        self.is_write_paused = True
        self._await_taking()

    def resume_writing(self) -> None:
        """It does again."""
        self._write_again()
        if not self.transport.is_closing():
            self._unwritten = None

    async def written(self) -> None:
        """Return when more may be written."""
        if self._writable is None:
            self._writable = asyncio.Event()
        await self._writable.wait()

    def _write_again(self) -> None:
        self.is_write_paused = False
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # -- time ---------------------------------------------------------------------------------------------------------

    def _await_taking(self) -> None:
        self._unwritten = (self.transport.get_write_buffer_size(), self.loop.time())
        self._watch(self.limits.write_seconds)

    def _await_within(self, seconds: float) -> None:
        self._deadline = deadline = self.loop.time() + seconds
        if self._timer is None or self._rings_at > deadline:
            self._watch(seconds)

    def _await_request(self) -> None:
        self._is_idle = True
        self._await_within(self._keep_alive_seconds)

    def _go_on_waiting(self) -> None:
        """The client may go on after it had to wait for us: that time was not its own."""
        if self._deadline is not None and not self._is_over and self._at is not _At.START:
            self._await_within(self.limits.head_seconds if self._at is _At.HEAD else self.limits.body_seconds)

    def _watch(self, seconds: float) -> None:
        """One timer for all, set where none is: a deadline that moved on is found when it rings."""
        rings_at = self.loop.time() + seconds
        if self._timer is None or self._rings_at > rings_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._rings_at = self.loop.call_later(seconds, self._ring), rings_at

    def _ring(self) -> None:
        self._timer, now = None, self.loop.time()
        if self._unwritten is not None:
            self._check_written(now)
        if self._deadline is not None and now >= self._deadline:
            self._time_out()
        elif self._deadline is not None:
            self._watch(self._deadline - now)

    def _check_written(self, now: float) -> None:
        assert self._unwritten is not None
        size, (before, since) = self.transport.get_write_buffer_size(), self._unwritten
        if size == before and now - since >= self.limits.write_seconds:
            self.transport.abort()
            return
        self._unwritten = (size, since if size == before else now)
        self._watch(self.limits.write_seconds)

    def _time_out(self) -> None:
        """A deadline has passed: one for the client, where we have not stopped reading ourselves."""
        read = self._read
        is_client_waiting = self._is_read_paused or (read is not None and not read.is_invited)
        if self._is_over or self._at is _At.START:
            self._close()
        elif is_client_waiting:
            self._await_within(self.limits.body_seconds)
        elif self._at is _At.BODY and read is not None and read.is_complete:
            self._close()
        else:
            self._refuse("timeout")
