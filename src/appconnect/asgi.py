"""The data plane's share of ASGI: small bodies in, whole answers out."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from appconnect.core.headers import Fields, Request
from appconnect.core.request import Pair

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OnDisconnect = Callable[[], object]
DISCONNECT: Final = "appconnect.disconnect"
"""An extension of the server's: after `scope["extensions"][DISCONNECT](on_gone)`, where the client goes away before its
answer is complete, `on_gone` is called and the request's task cancelled. To wait for that with `receive` would cost
each request a task more."""

NO_STORE: Pair = (b"cache-control", b"no-store")


class ClientGone(Exception):
    """The client closed the connection before it had said or heard everything."""


class BodyTooLarge(Exception):
    """A body that must be small is not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: tuple[Pair, ...] = ()
    body: bytes = b""


def json_answer(status: int, content: Any, *headers: Pair) -> Answer:
    """An answer in JSON."""
    body = _to_json(content).encode()
    return Answer(status, ((b"content-type", b"application/json; charset=UTF-8"), *headers), body)


_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_request(scope: Scope) -> Request:
    """The request as the HTTP server parsed it, nothing decoded."""
    return Request(scope["method"], scope["raw_path"], scope["query_string"], Fields.of(scope["headers"]))


def peer_address(scope: Scope) -> str:
    """The address of the connection's other end; behind a proxy, the proxy's."""
    client = scope.get("client")
    return client[0] if client else "unknown"


async def read_body(receive: Receive, *, max_bytes: int) -> bytes:
    """A whole small body; `BodyTooLarge` past `max_bytes`, `ClientGone` where it never ends."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer."""
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
