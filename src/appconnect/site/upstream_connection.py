"""One connection to WordPress: a request and its answer at a time, straight on the transport.

Nothing is made per request but the answer: no task unless a body is sent, and no timer. The connection says until when
something must happen, and its pool looks after it (`expire`).
"""

import asyncio
from collections.abc import AsyncIterator
from math import inf
from typing import Final, cast

from appconnect.ports import UpstreamFailure, UpstreamRequest, UpstreamUnavailable
from appconnect.site.upstream_reading import AnswerReader, BrokenAnswer

KEEPALIVE_SECONDS: Final = 10.0
"""Shorter than the usual 15 s or more of web servers, so that we rarely meet a connection they have just closed."""
MAX_WAITING_BYTES: Final = 262_144
"""What may wait unread of an answer before its connection is held back; one read of the event loop may come on top."""


class ConnectionDied(UpstreamUnavailable):
    """A connection ended before a byte of the answer: WordPress need not have seen the request."""


class PooledAnswer(AnswerReader):
    """`ports.UpstreamAnswer`: what is read of an answer, and who waits for it."""

    __slots__ = ("_connection", "failure", "waiter")

    def __init__(self, connection: "Connection", waiter: asyncio.Future[None], *, is_head: bool) -> None:
        AnswerReader.__init__(self, is_head=is_head)
        self._connection = connection
        self.waiter: asyncio.Future[None] | None = waiter  # of whoever waits, first for the head and then for the body
        self.failure: UpstreamUnavailable | None = None

    def whole_body(self) -> bytes | None:
        """The body where all of it has come; None, and nothing is taken, where it is still on the way."""
        if not self.is_whole:
            return None
        pieces = self.take()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; `UpstreamUnavailable` where it breaks off."""
        while True:
            for piece in self.take():
                yield piece
            if self.pieces:
                continue
            if self.is_whole:
                return
            if self.failure is not None:
                raise self.failure
            self._connection.go_on(self)
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter

    async def close(self) -> None:
        """Cut the connection where the body has not ended; otherwise it has been given back already."""
        if not self.is_whole:
            self._connection.abandon(self)

    def wake(self) -> None:
        """Tell whoever waits that something has come, or that nothing more will."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class Connection(asyncio.Protocol):
    """A connection of a pool: in `idle` while the next request may have it, and in `alive` to its end."""

    def __init__(self, idle: "list[Connection]", alive: "set[Connection]", answer_timeout_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle, self._alive, self._timeout = idle, alive, answer_timeout_seconds
        self._transport: asyncio.Transport
        self._answer: PooledAnswer | None = None
        self._is_heard = False  # that answer's head has been handed over
        self._is_held = False  # reading, because too much waits
        self._is_sent = True  # all of the request
        self._room: asyncio.Future[None] | None = None  # is waited for while the transport takes no more
        self.is_over = False
        self.sending: asyncio.Task[None] | None = None
        self.deadline = inf
        self.lost: asyncio.Future[None] = self._loop.create_future()

    # -- a request ----------------------------------------------------------------------------------------------------

    async def ask(self, request: UpstreamRequest, head: bytes, length: int | None) -> PooledAnswer:
        """Send a request and wait for the head of its answer; to be cancelled is to be cut."""
        if self.is_over:
            raise ConnectionDied(UpstreamFailure.BROKEN, "the connection ended at once")
        waiter = self._loop.create_future()
        answer = self._answer = PooledAnswer(self, waiter, is_head=request.method == "HEAD")
        self._is_heard = False
        self._transport.write(head)
        if request.body is None:
            self.deadline = self._loop.time() + self._timeout
        else:
            self._is_sent, self.deadline = False, inf
            self.sending = self._loop.create_task(self._send(request.body, length))
        try:
            await waiter
        except asyncio.CancelledError:
            self.abandon(answer)  # or leave the connection to whoever has it, where the answer had come already
            raise
        if answer.failure is not None and not self._is_heard:
            raise answer.failure
        return answer

    async def _send(self, body: AsyncIterator[bytes], length: int | None) -> None:
        """Send a body, exactly as long as was announced; where it breaks off, so does the request."""
        try:
            await self._send_pieces(body, length)
        except Exception as error:  # noqa: BLE001 - whatever stops the body stops the request
            self.sending = None
            self._fail(UpstreamUnavailable(UpstreamFailure.BROKEN, f"the body broke off: {error!r}"), error)
        else:
            self.sending, self._is_sent = None, True
            if not self._is_held:
                self.deadline = self._loop.time() + self._timeout
        finally:
            if (close := getattr(body, "aclose", None)) is not None:
                await close()

    async def _send_pieces(self, body: AsyncIterator[bytes], length: int | None) -> None:
        left = length
        async for piece in body:
            if self._room is not None:
                self.deadline = self._loop.time() + self._timeout
                await self._room
                self.deadline = inf
            if left is not None:
                left -= len(piece)
                if left < 0:
                    raise ValueError("longer than it was announced")
                self._transport.write(piece)
                self._is_sent = not left
            elif piece:
                self._transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
        if left:
            raise ValueError("shorter than it was announced")
        if length is None:
            self._transport.write(b"0\r\n\r\n")

    # -- its answer ---------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes of the answer; what comes while nobody waits ends the connection (RFC 9112 §9.2)."""
        answer = self._answer
        if answer is None:
            self.cut()
            return
        try:
            answer.feed(data)
        except BrokenAnswer as error:
            self._fail(UpstreamUnavailable(UpstreamFailure.BROKEN, str(error)))
            return
        if not self._is_heard and answer.status:
            # What is left of the request's body is not sent any more: WordPress did not wait for it.
            self._is_heard = True
            if not self._is_sent:
                answer.is_reusable, self._is_sent = False, True
                self._stop_sending()
        if answer.is_whole:
            self._finish(answer)
        elif answer.waiting_bytes > MAX_WAITING_BYTES:
            self._is_held, self.deadline = True, inf
            self._transport.pause_reading()
        elif self._is_sent:
            self.deadline = self._loop.time() + self._timeout
        if self._is_heard:
            answer.wake()

    def _finish(self, answer: PooledAnswer) -> None:
        self._answer = None
        if self._is_held:  # TLS hands over what it had decrypted already
            self._is_held = False
            self._transport.resume_reading()
        if answer.is_reusable and self.sending is None and not self._transport.is_closing():
            self.deadline = self._loop.time() + KEEPALIVE_SECONDS
            self._idle.append(self)
        else:
            self.cut()

    def go_on(self, answer: PooledAnswer) -> None:
        """All that had come of the answer is taken: read on."""
        if self._is_held and self._answer is answer:
            self._is_held, self.deadline = False, self._loop.time() + self._timeout
            self._transport.resume_reading()

    def abandon(self, answer: PooledAnswer) -> None:
        """Nobody wants the rest of the answer."""
        if self._answer is answer:
            self._answer = None
            self.cut()

    # -- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to live."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its type

    def eof_received(self) -> None:
        """WordPress sends no more, which ends an answer well only where nothing else tells its end."""
        answer = self._answer
        if answer is not None:
            try:
                answer.end()
            except BrokenAnswer as error:
                self._fail(self._broken(str(error)))
                return
            self._answer = None
            answer.wake()
        self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._fail(self._broken(str(exc or "the connection ended")))
        self._alive.discard(self)
        self.lost.set_result(None)

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """The transport takes more again."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def expire(self) -> None:
        """The deadline has passed."""
        self._fail(UpstreamUnavailable(UpstreamFailure.TIMEOUT, "nothing came in time"))

    def cut(self) -> None:
        """End the connection at once, and whatever it was doing."""
        if self.is_over:
            return
        self.is_over = True
        if self in self._idle:
            self._idle.remove(self)
        self._stop_sending()
        self._transport.abort()

    def _stop_sending(self) -> None:
        if self.sending is not None:
            self.sending.cancel()

    def _broken(self, detail: str) -> UpstreamUnavailable:
        has_begun = self._answer is not None and self._answer.has_begun
        return (UpstreamUnavailable if has_begun else ConnectionDied)(UpstreamFailure.BROKEN, detail)

    def _fail(self, failure: UpstreamUnavailable, cause: Exception | None = None) -> None:
        """There is no more of the answer, if one is waited for; the connection is no use to anybody."""
        answer, self._answer = self._answer, None
        if answer is not None:
            failure.__cause__ = cause
            answer.failure = failure
            answer.wake()
        self.cut()
