"""Errors for a client's developer (RFC 6749 §5.2)."""

from enum import StrEnum

from appconnect.asgi import NO_STORE, Answer, json_answer
from appconnect.core.request import Pair


class ErrorCode(StrEnum):
    """The registered codes that we answer, each with its HTTP status."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"  # RFC 8707 §2
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"  # RFC 6749 §4.1.2.1; RFC 7009 §2.2.1 asks for the 503

    @property
    def status(self) -> int:
        """RFC 6749 §5.2: 400, but 401 for a client that failed to authenticate."""
        return {ErrorCode.INVALID_CLIENT: 401, ErrorCode.TEMPORARILY_UNAVAILABLE: 503}.get(self, 400)


class OAuthError(Exception):
    """A request that an endpoint refuses: `description` is for the caller, `detail` for the log only."""

    def __init__(self, code: ErrorCode, description: str, *, detail: str = "", status: int | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.detail = code, description, detail or description
        self.status = status or code.status

    def answer(self) -> Answer:
        """The error as RFC 6749 §5.2 words it."""
        content = {"error": self.code.value, "error_description": self.description}
        headers: list[Pair] = [NO_STORE]
        if self.code is ErrorCode.INVALID_CLIENT:
            headers.append((b"www-authenticate", b'Basic realm="App Connect", charset="UTF-8"'))
        if self.code is ErrorCode.TEMPORARILY_UNAVAILABLE:
            headers.append((b"retry-after", b"5"))
        return json_answer(self.status, content, *headers)


def too_many_failures(detail: str) -> OAuthError:
    """RFC 6585 §4: one more guess at a client's secret, or from an address, than may wait for its answer."""
    description = "Too many requests with a wrong client ID or client secret. Check them, and try again later."
    return OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, detail=detail, status=429)
