"""What a request is refused with where it has no single meaning."""

Pair = tuple[bytes, bytes]


class Refused(Exception):
    """The gateway will not pass the request on; worded for an API caller in WordPress's error format."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, f"app_connect_{code}", message


def shown(raw: bytes) -> str:
    """For messages only: anything printable, at most 60 characters."""
    return raw.decode("latin-1")[:60]
