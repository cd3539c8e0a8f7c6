"""A request as it was received, and the refusal of one that has no single meaning."""

from dataclasses import dataclass

Pair = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the HTTP server parsed it: nothing decoded, header names lower-cased, order kept."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: tuple[Pair, ...]


class Refused(Exception):
    """The gateway will not pass the request on; worded for an API caller in WordPress's error format."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, f"app_connect_{code}", message


def shown(raw: bytes) -> str:
    """For messages only: anything printable, at most 60 characters."""
    return raw.decode("latin-1")[:60]
