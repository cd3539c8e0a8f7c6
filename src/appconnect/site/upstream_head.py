"""The head of a request on the wire: written once, and never with a line that nobody meant."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from appconnect.core.fields import MAX_REMEMBERED_BYTES
from appconnect.core.request import Pair, Refused, shown
from appconnect.ports import UpstreamFailure, UpstreamRequest, UpstreamUnavailable

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 §5.6.2."""
_TARGET: Final = re.compile(r"/[!-~]*")
"""Origin-form (RFC 9112 §3.2.1), as far as it matters to where the line ends."""
_is_start: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ /[!-~]*").fullmatch
"""Both of them, as nearly every request has them."""
_MAX_REMEMBERED: Final = 256
_LENGTH: Final = b"\r\ncontent-length: "
_CODING: Final = b"\r\ntransfer-encoding: "
_FRAMING: Final = frozenset((_LENGTH, _CODING))
_EXPECTS_CONTENT: Final = frozenset(("POST", "PUT", "PATCH"))
"""RFC 9110 §8.6: these say `Content-Length: 0` where they have none."""


def request_head(request: UpstreamRequest) -> tuple[bytes, int | None]:
    """The bytes of a head, and how long the body behind it is: None for one in chunks.

    `Refused` for text that is no UTF-8; `ValueError`, which is a mistake of ours, for what would end a line or frame
    the request otherwise than its body is.
    """
    method, headers = request.method, request.headers
    line = method + " " + request.target
    if _is_start(line) is None:  # with more than the one space between them, it does not match
        check_target(request.target)
        raise ValueError("a method that is none")
    if request.body is None and method not in _EXPECTS_CONTENT and type(headers) is tuple:
        return line.encode() + _remembered[headers], 0
    block, announced = _block(headers)
    length, field = _framing(request, announced)
    return b"%b HTTP/1.1%b%b\r\n\r\n" % (line.encode(), block, field), length


def _block(headers: Sequence[Pair]) -> tuple[bytes, bytes | None]:
    """The lines of fields, each after the end of the line before, and the length that one of them announces."""
    parts: list[bytes] = []
    announced: bytes | None = None
    for name, value in headers:
        start = _start(name)
        if start in _FRAMING:
            if start == _CODING or announced is not None:
                raise ValueError("a request is framed by one Content-Length, or by us")
            announced = value
        parts.append(start)
        parts.append(value)
    block = b"".join(parts)
    if block.count(b"\n") != len(headers) or block.count(b"\r") != len(headers) or b"\0" in block:
        raise ValueError("a header holds the end of a line")
    if not block.isascii():
        check_encoding(headers)
    return block, announced


class _Remembered(dict[tuple[Pair, ...], bytes]):
    """The rest of a head behind its target, by its fields, where there is no body.

    A client sends the same fields with each request, and so do we. At most so many are kept, for they hold passwords.
    """

    def __missing__(self, headers: tuple[Pair, ...]) -> bytes:
        block, announced = _block(headers)
        if announced is not None and (not announced.isdigit() or int(announced)):
            raise ValueError("a length without a body")
        rest = b" HTTP/1.1" + block + b"\r\n\r\n"
        if len(rest) <= MAX_REMEMBERED_BYTES:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[headers] = rest
        return rest


_remembered: Final = _Remembered()


def check_target(target: str) -> None:
    """`UpstreamUnavailable` for a target that would be another server's, written behind the site's address."""
    if not target.startswith("/"):
        raise UpstreamUnavailable(UpstreamFailure.UNREACHABLE, "a target without a slash")
    if _TARGET.fullmatch(target) is None:
        raise ValueError("a target holds what is not visible ASCII")


def check_encoding(headers: Sequence[Pair]) -> None:
    """Header text goes out as UTF-8; read as anything else, the file name of an upload would be corrupted."""
    for name, value in headers:
        try:
            value.decode()
        except UnicodeDecodeError as error:
            raise Refused(400, "header_encoding", f"The header {shown(name)} is not UTF-8.") from error


def _framing(request: UpstreamRequest, announced: bytes | None) -> tuple[int | None, bytes]:
    """The length of the body, None in chunks, and the field that is missing to say so."""
    if announced is not None:
        if not announced.isdigit():
            raise ValueError("a length that is none")
        length = int(announced)
        if length and request.body is None:
            raise ValueError("a length without a body")
        return length, b""
    if request.body is not None:
        return None, _CODING + b"chunked"
    return 0, _LENGTH + b"0" if request.method in _EXPECTS_CONTENT else b""


@lru_cache(maxsize=1024)
def _start(name: bytes) -> bytes:
    """The end of the line before and the field's name: names are few, so each is looked at once."""
    if _TOKEN.fullmatch(name) is None:
        raise ValueError("a header's name that is none")
    return b"\r\n" + name.lower() + b": "
