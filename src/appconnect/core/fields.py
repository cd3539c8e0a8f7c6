"""The header fields of a message (RFC 9112 §5), read strictly, and once where the same bytes come again.

Whoever calls an API sends the same fields with each request, byte for byte, and most lines of its answers are the same
too. What is read from bytes depends on nothing else, so it is kept, like what follows from it (`Fields`): nothing here
can mean two things.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from appconnect.core.request import Pair

MAX_REMEMBERED_BYTES: Final = 4096
"""A longer block is read each time: a bound for what is remembered of strangers."""
_MAX_REMEMBERED_LINES: Final = 2048
_MAX_REMEMBERED_LINE_BYTES: Final = 256
_is_field: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*").fullmatch
"""RFC 9110 §5.1 and §5.5, without `obs-fold`: a name, a colon at once, and a value of visible bytes, space and tab."""


class _NoField(ValueError):
    """A line is no field."""


class _Lines(dict[bytes, Pair]):
    """The field that a line is, without the end of the line: a dict, for no function is called for what it knows."""

    def __missing__(self, line: bytes) -> Pair:
        if _is_field(line) is None:
            raise _NoField
        name, _, value = line.partition(b":")
        pair = name.lower(), value.strip(b" \t")
        if len(line) <= _MAX_REMEMBERED_LINE_BYTES:
            if len(self) >= _MAX_REMEMBERED_LINES:
                self.clear()  # the lines that come again are back at once
            self[line] = pair
        return pair


_read_line: Final = _Lines().__getitem__


def read_fields(block: bytes) -> tuple[Pair, ...] | None:
    """The fields of a block of whole lines, names in small letters; None where one of them is none."""
    lines = block.split(b"\r\n")
    return None if lines.pop() else read_lines(lines)


def read_lines(lines: Iterable[bytes]) -> tuple[Pair, ...] | None:
    """The fields of lines without their ends, as `read_fields` reads them."""
    try:
        return tuple(map(_read_line, lines))
    except _NoField:
        return None


def options_of(fields: Iterable[Pair]) -> frozenset[bytes]:
    """The options of `Connection` (RFC 9110 §7.6.1), in small letters."""
    values = [value for name, value in fields if name == b"connection"]
    return options_in(b",".join(values)) if values else _NONE


def options_in(value: bytes) -> frozenset[bytes]:
    """The options in the value of a `Connection`, or in several joined by commas (RFC 9110 §5.3)."""
    return _options(value) if len(value) <= MAX_REMEMBERED_BYTES else _read_options(value)


_NONE: Final = frozenset[bytes]()


def _read_options(text: bytes) -> frozenset[bytes]:
    return frozenset(option.strip(b" \t").lower() for option in text.split(b",")) - {b""}


_options: Final = lru_cache(maxsize=64)(_read_options)
