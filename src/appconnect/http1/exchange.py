"""One request and its answer, between the application and the connection."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from appconnect.http1.limits import CLOSE


class Flow(FlowControl):
    """Reading goes on only where it is not held back, and `resumed` is told."""

    is_held = False

    def __init__(self, transport: asyncio.Transport, resumed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._resumed = resumed

    def resume_reading(self) -> None:
        """Read again what the client sends."""
        if self.read_paused and not self.is_held:
            super().resume_reading()
            self._resumed()


class Cycle(RequestResponseCycle):
    """One request and its answer; `leaves_much_unread` tells whether too much of a body is left to be read."""

    leaves_much_unread: Callable[["Cycle"], bool]
    invited: Callable[[], None]

    def leave(self) -> None:
        """The client is gone, or as good as gone."""
        self.disconnected = True
        self.message_event.set()

    async def receive(self) -> Any:
        """A client that waits for 100 has time for its body from when it is sent; `invited` is told."""
        if self.waiting_for_100_continue:
            self.invited()
        return await super().receive()

    async def send(self, message: Any) -> None:
        """Say that the connection ends where too much of the body is left to be read."""
        if not self.response_started and self.leaves_much_unread(self):
            message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
        await super().send(message)


class Writing:
    """The connection as a cycle sees it: to close it is to finish it."""

    def __init__(self, transport: asyncio.Transport, finish: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = finish
