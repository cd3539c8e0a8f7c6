"""The client's side of one exchange: its body as it arrives, and whether it is still there."""

from collections.abc import AsyncIterator

from appconnect.asgi import BodyTooLarge, ClientGone, Message, Receive


class Incoming:
    """The only reader of a request's ASGI messages; `content_length` is in bytes, where the client gave it."""

    __slots__ = ("_peeked", "_receive", "content_length", "is_gone")

    def __init__(self, receive: Receive, content_length: int | None) -> None:
        self._receive, self.content_length = receive, content_length
        self._peeked: Message | None = None
        self.is_gone = False

    def leave(self) -> None:
        """The client is gone."""
        self.is_gone = True

    async def peek(self) -> bytes:
        """The first piece of the body, which stays to be read."""
        if self._peeked is None:
            self._peeked = await self._receive()
        return bytes(self._peeked.get("body", b""))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece; `ClientGone` where it breaks off.

        A body shorter than was announced must not end well: WordPress would take what comes next for the rest of it.
        """
        missing = self.content_length
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
                return

    async def whole(self, *, max_bytes: int) -> bytes:
        """The whole body; `BodyTooLarge` past `max_bytes`, before anything is read where the client gave its length."""
        if self.content_length is not None and self.content_length > max_bytes:
            raise BodyTooLarge
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > max_bytes:
                raise BodyTooLarge
        return bytes(body)
