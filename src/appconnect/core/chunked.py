"""The chunked transfer coding (RFC 9112 §7.1), read strictly; it knows no socket."""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from appconnect.core.fields import read_fields

_SIZE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,15})(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb'|"[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]*"))?)*'
)
"""RFC 9112 §7.1.1, without the white space and the quoted pairs that nobody sends."""
_BEGIN_OF_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{0,15}(?:;[\t\x20-\x7e\x80-\xff]*)?\r?")


class ChunkedError(ValueError):
    """What came is no chunked body, or `is_too_long` around its chunks."""

    def __init__(self, problem: str, *, is_too_long: bool = False) -> None:
        super().__init__(problem)
        self.is_too_long = is_too_long


class _At(Enum):
    SIZE = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()
    END = auto()


_MAX_REMEMBERED_BYTES: Final = 16
_SIZE_NEXT, _DATA, _END_OF_DATA, _END = _At.SIZE, _At.DATA, _At.END_OF_DATA, _At.END


class ChunkedReader:
    """A chunked body, piece by piece. `rest` is what came behind its end; `is_whole` once that has come."""

    __slots__ = ("_at", "_bare_bytes", "_left", "_max_bare_bytes", "_max_trailers", "_trailers", "_unread", "rest")

    def __init__(self, *, max_bare_bytes: int, max_trailers: int) -> None:
        self._at, self._left, self._unread = _At.SIZE, 0, b""
        self._bare_bytes, self._max_bare_bytes = 0, max_bare_bytes
        self._trailers, self._max_trailers = 0, max_trailers
        self.rest = b""

    @property
    def is_whole(self) -> bool:
        """Whether the last chunk and its trailer have come."""
        return self._at is _At.END

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in `data`; `ChunkedError` where it cannot go on so.

        At most `max_bare_bytes` may come without any of them: sizes, extensions, a trailer, which is dropped
        (RFC 9110 §6.5.1).
        """
        data, at, pieces = self._unread + data if self._unread else data, 0, []
        end, state, left, bare_bytes = len(data), self._at, self._left, self._bare_bytes
        while at < end and state is not _END:
            if state is _DATA:
                piece = data[at : at + left]
                pieces.append(piece)
                at += len(piece)
                left -= len(piece)
                bare_bytes = 0
                if not left:
                    state = _END_OF_DATA
                continue
            stop = data.find(b"\n", at) + 1
            begun_bytes = bare_bytes + (stop or end) - at
            if begun_bytes > self._max_bare_bytes or self._trailers > self._max_trailers:
                raise ChunkedError("more around the chunks than in them", is_too_long=True)
            if not stop:
                _check_begin(state, data, at)
                break
            bare_bytes, line, at = begun_bytes, data[at:stop], stop
            if state is _SIZE_NEXT:
                left = (_read_size if len(line) <= _MAX_REMEMBERED_BYTES else _read_size.__wrapped__)(line)
                state = _DATA if left else _At.TRAILER
            elif line == b"\r\n":
                state = _SIZE_NEXT if state is _END_OF_DATA else _END
            else:
                self._read_other(state, line)
        self._at, self._left, self._bare_bytes = state, left, bare_bytes
        if state is _END:
            self._unread, self.rest = b"", data[at:]
        else:
            self._unread = data[at:]
        return pieces

    def _read_other(self, state: _At, line: bytes) -> None:
        """Count a trailer; nothing else may stand where an empty line does not."""
        _check_end(line)
        if state is _END_OF_DATA:
            raise ChunkedError("a chunk that is longer than its size")
        if read_fields(line) is None:
            raise ChunkedError("a trailer that is none")
        self._trailers += 1


@lru_cache(maxsize=256)
def _read_size(line: bytes) -> int:
    _check_end(line)
    found = _SIZE.fullmatch(line, 0, len(line) - 2)
    if found is None:
        raise ChunkedError("a size that is none")
    return int(found[1], 16)


def _check_end(line: bytes) -> None:
    if line[-2:] != b"\r\n":
        raise ChunkedError("a line that ends with a bare LF")


def _check_begin(state: _At, data: bytes, at: int) -> None:
    """A line that has not ended is looked at so far: nobody waits for the end of what is no size."""
    if state is _At.SIZE and _BEGIN_OF_SIZE.fullmatch(data, at) is None:
        raise ChunkedError("a size that is none")
    if state is _END_OF_DATA and data[at:] != b"\r":
        raise ChunkedError("a chunk that is longer than its size")
