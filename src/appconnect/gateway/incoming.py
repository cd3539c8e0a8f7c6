"""The client's side of one exchange: its body as it arrives, and whether it is still there."""

import asyncio
from collections.abc import AsyncIterator

from appconnect.asgi import BodyTooLarge, ClientGone, Message, Receive


class Incoming:
    """The only reader of a request's ASGI messages."""

    def __init__(self, receive: Receive, content_length: int | None) -> None:
        self._receive, self._content_length = receive, content_length
        self._peeked: Message | None = None
        self._is_read = asyncio.Event()
        self.is_gone = False

    async def peek(self) -> bytes:
        """The first piece of the body, which stays to be read."""
        if self._peeked is None:
            self._peeked = await self._receive()
        return bytes(self._peeked.get("body", b""))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece; `ClientGone` where it breaks off.

        A body shorter than was announced must not end well: WordPress would take what comes next for the rest of it.
        """
        missing = self._content_length
        while True:
            message = self._peeked or await self._receive()
            self._peeked = None
            if message["type"] == "http.disconnect":
                self.is_gone = True
                raise ClientGone
            if body := message.get("body", b""):
                missing = None if missing is None else missing - len(body)
                yield body
            if not message.get("more_body", False):
                if missing:
                    raise ClientGone
                self._is_read.set()
                return

    async def whole(self, *, max_bytes: int) -> bytes:
        """The whole body; `BodyTooLarge` past `max_bytes`, before anything is read where the client gave its length."""
        if self._content_length is not None and self._content_length > max_bytes:
            raise BodyTooLarge
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > max_bytes:
                raise BodyTooLarge
        return bytes(body)

    def skip_body(self) -> None:
        """Say that nobody will read the body, so that `gone` may listen at once."""
        self._is_read.set()

    async def gone(self) -> None:
        """Return once the client has closed the connection."""
        await self._is_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
