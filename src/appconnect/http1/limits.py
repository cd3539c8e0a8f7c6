"""How much and how long, and the answers to what is no request."""

from dataclasses import dataclass
from typing import Final

from appconnect.asgi import NO_STORE, Answer, json_answer

CLOSE: Final = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how long, a client may keep a connection busy."""

    target_bytes: int = 16_384
    head_bytes: int = 65_536
    fields: int = 100
    pipelined_requests: int = 16
    head_seconds: float = 20.0
    """From the first byte of a head, or from connecting, to its end."""
    body_seconds: float = 30.0
    """Without a byte of a body that is waited for."""
    write_seconds: float = 60.0
    """Without a byte of an answer being taken."""
    drained_bytes: int = 65_536
    """What may be left of a body after its answer for the connection to go on."""
    lingering_bytes: int = 1_048_576
    lingering_seconds: float = 2.0
    """What is still read after an answer that ends the connection, so that it is not lost (RFC 9112 §9.6)."""


def _refusal(status: int, code: str, message: str) -> Answer:
    content = {"code": f"app_connect_{code}", "message": message, "data": {"status": status}}
    return json_answer(status, content, NO_STORE, CLOSE)


def refusals(limits: Limits) -> dict[str, Answer]:
    """The answers to what is no request, in WordPress's error format; each ends the connection."""
    most = f"The head of the request has more than {limits.fields} fields or {limits.head_bytes} bytes."
    return {
        "malformed": _refusal(400, "malformed_request", "The request is not well-formed HTTP/1.1 (RFC 9112)."),
        "timeout": _refusal(408, "request_timeout", "The request did not arrive in time."),
        "target": _refusal(414, "target_too_long", f"The target has more than {limits.target_bytes} bytes."),
        "head": _refusal(431, "head_too_large", most),
        "coding": _refusal(501, "transfer_coding", "The only transfer coding that is understood is chunked."),
        "whole": _refusal(501, "no_resource", "CONNECT, and OPTIONS of the whole server (*), are not supported."),
        "version": _refusal(505, "http_version", "Send the request over HTTP/1.1 or HTTP/1.0."),
    }
