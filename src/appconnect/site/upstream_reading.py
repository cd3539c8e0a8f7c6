"""One answer of WordPress's, from the bytes of its connection (RFC 9112 §6.3); it knows no socket.

Where the answer ends is found once, here; what cannot be told for certain is broken, never a guess.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from appconnect.core.chunked import ChunkedError, ChunkedReader
from appconnect.core.fields import options_in, options_of, read_lines
from appconnect.core.request import Pair

MAX_HEAD_BYTES: Final = 65_536
"""nginx and Apache send 4 to 8 KB at most unless they are told otherwise."""
MAX_FIELDS: Final = 200
MAX_INTERIM_ANSWERS: Final = 5
"""As in Go's net/http; RFC 9110 §15.2 allows any number."""
MAX_BARE_BYTES: Final = 16_384
"""Between two pieces of a chunked body, or after its last one: sizes, extensions, trailers."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
"""RFC 9112 §4; the reason and the space before it mean nothing, and some servers leave both out."""
_WITHOUT_BODY: Final = (204, 304)
_MAX_REMEMBERED_BYTES: Final = 64
_MAX_LENGTH_DIGITS: Final = 18


class BrokenAnswer(Exception):
    """What came is no answer, or not the whole of one."""


class _Body(Enum):
    COUNTED = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


_COUNTED: Final = _Body.COUNTED


class AnswerReader:
    """The answer to one request. `status` is 0 until the head is whole; `pieces` is what has come of the body."""

    __slots__ = (
        *("headers", "is_head", "is_reusable", "is_whole", "pieces", "status", "waiting_bytes"),
        *("_body", "_chunks", "_interim_count", "_left", "_unread"),
    )

    def __init__(self, *, is_head: bool) -> None:
        self.is_head = is_head
        self.status = 0
        self.headers: Sequence[Pair] = ()
        self.pieces: list[bytes] = []
        self.waiting_bytes = 0
        self.is_whole = False
        self.is_reusable = False
        """Whether the connection may carry another request once this answer is whole."""
        self._unread = b""
        self._interim_count = 0
        self._body: _Body  # is known once the head is; the one of the two that it needs is there then
        self._left: int
        self._chunks: ChunkedReader

    @property
    def has_begun(self) -> bool:
        """Whether anything has come."""
        return bool(self.status or self._unread or self._interim_count)

    def feed(self, data: bytes) -> None:
        """Take what has come; `BrokenAnswer` where it cannot be the answer, or what follows of it."""
        if not self.status:
            data = self._read_heads(data)
            if not self.status:
                return
        body = self._body
        if body is _COUNTED:
            self._count(data)
        elif body is _Body.CHUNKED:
            self._read_chunks(data)
        else:
            self._keep(data)

    def end(self) -> None:
        """The connection has ended in good order; `BrokenAnswer` where the answer had not."""
        if not self.status or self._body is not _Body.UNTIL_CLOSE:
            raise BrokenAnswer("the connection ended before the answer")
        self.is_whole = True

    def take(self) -> list[bytes]:
        """What has come of the body and nobody has taken."""
        pieces, self.pieces, self.waiting_bytes = self.pieces, [], 0
        return pieces

    # -- the head -----------------------------------------------------------------------------------------------------

    def _read_heads(self, data: bytes) -> bytes:
        """Read interim heads and the final one, as far as they have come; the bytes that follow them."""
        if self._unread:
            data, self._unread = self._unread + data, b""
        while (end := data.find(b"\r\n\r\n")) >= 0:
            if end > MAX_HEAD_BYTES:
                break
            self._read_head(data[:end].split(b"\r\n"))
            data = data[end + 4 :]
            if self.status:
                return data
        if len(data) > MAX_HEAD_BYTES:
            raise BrokenAnswer("a head that is too long")
        if data[:7] != b"HTTP/1."[: len(data)]:
            raise BrokenAnswer("no HTTP/1.1")
        self._unread = data
        return b""

    def _read_head(self, lines: list[bytes]) -> None:
        """Read the lines of a head, without their ends and the empty one."""
        line = lines.pop(0)
        read = (_read_status if len(line) <= _MAX_REMEMBERED_BYTES else _read_status.__wrapped__)(line)
        fields = read_lines(lines)
        if read is None or fields is None:
            raise BrokenAnswer("a head that is not well-formed")
        if len(fields) > MAX_FIELDS:
            raise BrokenAnswer("a head with too many fields")
        status, is_latest = read
        if status < 200:
            self._interim_count += 1
            if status == 101 or self._interim_count > MAX_INTERIM_ANSWERS:
                raise BrokenAnswer("interim answers that nobody asked for")
            return
        self._read_framing(fields, status, is_latest=is_latest)
        self.status, self.headers = status, fields

    def _read_framing(self, fields: Sequence[Pair], status: int, *, is_latest: bool) -> None:
        """RFC 9112 §6.3."""
        named = dict(fields)
        is_each_once = len(named) == len(fields)
        if (option := named.get(b"connection")) is not None:
            options = options_in(option) if is_each_once else options_of(fields)
            self.is_reusable = is_latest and b"close" not in options
        else:
            self.is_reusable = is_latest
        length, is_coded = named.get(b"content-length"), b"transfer-encoding" in named
        if length is not None:
            is_one = is_each_once or [name for name, _ in fields].count(b"content-length") == 1
            if is_coded or not is_one or not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
                raise BrokenAnswer("a length that is none, or not the only one")
        if self.is_head or status in _WITHOUT_BODY:
            self._body, self._left = _COUNTED, 0
        elif is_coded:
            codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
            if codings != [b"chunked"] or not is_latest:  # §6.1: with 1.0, its framing is faulty
                raise BrokenAnswer("a transfer coding other than chunked")
            self._chunks = ChunkedReader(max_bare_bytes=MAX_BARE_BYTES, max_trailers=MAX_FIELDS)
            self._body = _Body.CHUNKED
        elif length is not None:
            self._body, self._left = _COUNTED, int(length)
        else:
            self._body, self.is_reusable = _Body.UNTIL_CLOSE, False

    # -- the body -----------------------------------------------------------------------------------------------------

    def _keep(self, data: bytes) -> None:
        if data:
            self.pieces.append(data)
            self.waiting_bytes += len(data)

    def _count(self, data: bytes) -> None:
        left = self._left = self._left - len(data)
        if left <= 0:
            self.is_whole = True
            if left < 0:
                data, self.is_reusable = data[:left], False
        if data:
            self.pieces.append(data)
            self.waiting_bytes += len(data)

    def _read_chunks(self, data: bytes) -> None:
        chunks = self._chunks
        try:
            pieces = chunks.feed(data)
        except ChunkedError as error:
            raise BrokenAnswer(str(error)) from error
        for piece in pieces:
            self._keep(piece)
        if chunks.is_whole:
            self.is_whole = True
            if chunks.rest:
                self.is_reusable = False


@lru_cache(maxsize=64)
def _read_status(line: bytes) -> tuple[int, bool] | None:
    """The status, and whether the version is 1.1; None for a line that says neither."""
    found = _STATUS_LINE.fullmatch(line)
    return None if found is None else (int(found[2]), found[1] == b"1")
