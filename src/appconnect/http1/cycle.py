"""One request and its answer, between the application (ASGI) and the connection."""

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from appconnect.asgi import DISCONNECT, Application, Message, OnDisconnect, Scope
from appconnect.http1.limits import CLOSE

if TYPE_CHECKING:
    from appconnect.http1.protocol import Http1Protocol

STATUS_LINE: Final = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else ''}".encode("ascii")
    for status in range(100, 600)
}
_FIELD_BYTES: Final = bytes(each for each in range(256) if each == 0x09 or (each >= 0x20 and each != 0x7F))
"""What a field may consist of (RFC 9110 §5.5): whatever else is in a head must be the ends of its lines."""
_FIELD_JOIN: Final = b": ".join
_BODILESS: Final = (204, 304)
HIGH_WATER_BYTES: Final = 65_536
"""How much of a body waits for the application before no more of it is read."""


class Cycle:
    """One request and its answer, as the application's `receive` and `send`."""

    __slots__ = (
        *("scope", "keep_alive", "is_invited", "is_gone", "has_begun", "is_complete", "task"),
        *("_connection", "_pieces", "_waiting_bytes", "_is_whole", "_has_news", "_news", "_on_gone"),
        *("_head", "_is_chunked", "_is_framed", "_missing_bytes"),
    )

    def __init__(self, connection: "Http1Protocol", scope: Scope, *, is_invited: bool, keep_alive: bool) -> None:
        self._connection, self.scope, self.keep_alive = connection, scope, keep_alive
        self.is_invited = is_invited
        """Whether the client's body is on its way: false while it waits for 100 (RFC 9110 §10.1.1)."""
        self.is_gone = self.has_begun = self.is_complete = False
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._is_whole = self._has_news = False
        self._news: asyncio.Event | None = None
        self.task: asyncio.Task[None] | None = None
        self._on_gone: OnDisconnect | None = None
        self._head = b""
        self._is_chunked, self._missing_bytes = False, 0
        self._is_framed = True  # false where only the end of the connection ends the body
        scope["extensions"] = {DISCONNECT: self._notify_when_gone}

    async def run(self, application: Application) -> None:
        """Let the application answer; where it fails to, answer 500, or cut an answer that has begun."""
        try:
            await application(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.is_gone:
                await self._fail()
        except BaseException:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
            await self._fail()
        else:
            if not self.is_complete and not self.is_gone:
                logging.getLogger("uvicorn.error").error("ASGI callable returned without completing its answer.")
                await self._fail()
        finally:
            # What holds this cycle, and is held by it, would keep all of them until the collector comes.
            del self.scope["extensions"]
            self._on_gone = None
            self._connection.forget(self)

    async def _fail(self) -> None:
        if self.has_begun:
            self._connection.cut(is_framed=self._is_framed)
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21"), CLOSE]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": b"Internal Server Error"})

    # -- from the client ----------------------------------------------------------------------------------------------

    def take(self, piece: bytes) -> bool:
        """Keep a piece of the body until the application asks; whether so much waits that no more should be read."""
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        self._tell()
        return self._waiting_bytes > HIGH_WATER_BYTES

    def end(self) -> None:
        """The body is whole."""
        self._is_whole = True
        self._tell()

    def leave(self) -> None:
        """The client is gone, or as good as gone."""
        if not self.is_gone:
            self.is_gone = True
            self._tell()
            self._end_task()

    def _notify_when_gone(self, on_gone: OnDisconnect) -> None:
        self._on_gone = on_gone
        if self.is_gone:
            self._end_task()

    def _end_task(self) -> None:
        if self._on_gone is not None and self.task is not None and not self.is_complete:
            self._on_gone()
            self.task.cancel()

    def _tell(self) -> None:
        self._has_news = True
        if self._news is not None:
            self._news.set()

    async def receive(self) -> Message:
        """The next piece of the body, or that the client is gone, or has been answered."""
        if not self.is_invited:
            self._connection.invite(self)
        while not (self._has_news or self.is_gone or self.is_complete):
            self._connection.resume_reading()
            if self._news is None:
                self._news = asyncio.Event()
            await self._news.wait()
        self._has_news = False
        if self._news is not None:
            self._news.clear()
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._waiting_bytes = [], 0
        return {"type": "http.request", "body": body, "more_body": not self._is_whole}

    # -- to the client ------------------------------------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        """Send the head of the answer, or a piece of its body; a client that is gone hears nothing."""
        connection = self._connection
        if connection.is_write_paused and not self.is_gone:
            await connection.written()
        if self.is_gone:
            return
        if self.is_complete:
            raise RuntimeError(f"{message['type']} was sent after the answer was complete")
        if not self.has_begun:
            self.has_begun = True
            self._begin(message)
            self.is_invited = True
        else:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))

    def _begin(self, message: Message) -> None:
        """Make the head; it goes out with the first piece of the body, or soon without one."""
        status, headers, connection = message["status"], message.get("headers", ()), self._connection
        fields = dict(headers)
        if CLOSE[1] in fields.get(CLOSE[0], b"").lower() or connection.leaves_much_unread(self):
            self.keep_alive = False
        extra: list[bytes] = []
        if not self.keep_alive and CLOSE[0] not in fields:
            extra.append(b"connection: close")
        if self.scope["method"] == "HEAD" or status in _BODILESS:
            self._missing_bytes = 0
        elif (length := fields.get(b"content-length")) is not None:
            self._missing_bytes = int(length)
        elif self.scope["http_version"] == "1.0":  # RFC 9112 §6.1: it knows no chunks
            self._is_framed = False
        else:
            self._is_chunked = True
            if b"transfer-encoding" not in fields:
                extra.append(b"transfer-encoding: chunked")
        lines = [STATUS_LINE[status], *map(_FIELD_JOIN, headers), *extra, *connection.default_lines(), b"\r\n"]
        head = b"\r\n".join(lines)
        if head.translate(None, _FIELD_BYTES) != b"\r\n" * len(lines):
            raise RuntimeError("a header field holds a control character")
        self._head = head
        connection.loop.call_soon(self._send_head)

    def _send_head(self) -> None:
        """Where the body keeps the client waiting, it has the head at least."""
        head, self._head = self._head, b""
        if head and not self.is_gone:
            self._connection.transport.write(head)

    def _go_on(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        pieces = [head] if head else []
        if self.scope["method"] == "HEAD":
            pass
        elif self._is_chunked:
            pieces += (b"%x\r\n" % len(body), body, b"\r\n") if body else ()
            pieces += () if more else (b"0\r\n\r\n",)
        else:
            pieces += (body,) if body else ()
            self._missing_bytes -= len(body) if self._is_framed else 0
            if self._missing_bytes < 0 or (self._missing_bytes and not more):
                raise RuntimeError("the body is not as long as its Content-Length says")
        if pieces:
            if len(body) < HIGH_WATER_BYTES:
                self._connection.transport.write(b"".join(pieces))
            else:
                self._connection.transport.writelines(pieces)
        if not more:
            self.is_complete = True
            self._tell()
            self._connection.complete(self)
