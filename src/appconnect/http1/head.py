"""The head of a request (RFC 9112 §3, §5, §6): one reading of its bytes, or none."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import httptools

from appconnect.core.fields import MAX_REMEMBERED_BYTES, read_fields
from appconnect.core.headers import Fields
from appconnect.http1.limits import Limits

_LINE: Final = re.compile(rb"([A-Z-]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_LINE_WITHOUT_VERSION: Final = re.compile(rb"[A-Z-]+ [\x21-\x7e]+")
_BEGIN_OF_LINE: Final = re.compile(rb"[A-Z-]{1,20}(?: [\x21-\x7e]*(?: [HTP/0-9.]{0,8}\r?)?)?")
_ODD_END: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)(?!\Z)|\0")
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)*")
_METHODS: Final = frozenset(  # RFC 9110 §9, RFC 5789, and those of WebDAV and its relatives that servers know
    (
        b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE "
        b"NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE "
        b"UNBIND UNLINK UNLOCK UNSUBSCRIBE"
    ).split()
)
_MAX_LENGTH_DIGITS: Final = 18


class BadHead(ValueError):
    """What came is no head that can be answered; `why` is one of `limits.refusals`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Framing:
    """The fields of a head, and what they say of the message: `length` is in bytes, None for chunked."""

    fields: Fields
    length: int | None
    is_chunked: bool
    expects_100: bool
    closes: bool


def skip_empty_lines(data: bytes) -> bytes:
    """RFC 9112 §2.2: empty lines before a request are nothing."""
    if data[:1] != b"\r":
        return data
    found = _EMPTY_LINES.match(data)
    return data[found.end() :] if found is not None else data


def check_begin(data: bytes, searched: int, limits: Limits) -> None:
    """Look at a head whose end has not come, the first `searched` bytes of which were looked at before."""
    end = data.find(b"\r\n")
    line = data if end < 0 else data[:end]
    if len(line) > limits.target_bytes + 64:
        raise BadHead("target")
    if len(data) > limits.head_bytes:
        raise BadHead("head")
    if _ODD_END.search(data, max(0, searched - 1)) or (end < 0 and _BEGIN_OF_LINE.fullmatch(line) is None):
        raise BadHead("malformed")


def read_line(line: bytes, limits: Limits) -> tuple[str, bytes, bytes, bool]:
    """Method, path, query, and whether the version is 1.1 (else 1.0); `BadHead` for anything else."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadHead("version" if _LINE_WITHOUT_VERSION.fullmatch(line) else "malformed")
    method, target, major, minor = found.groups()
    if method not in _METHODS:
        raise BadHead("malformed")
    if len(target) > limits.target_bytes:
        raise BadHead("target")
    if major != b"1":
        raise BadHead("version")
    if minor not in (b"0", b"1"):
        raise BadHead("malformed")
    path, query = _read_target(method, target)
    return method.decode("ascii"), path, query, minor == b"1"


def _read_target(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """RFC 9112 §3.2: path and query of a path, or of an http address, whose host is not looked at.

    The other two forms name no resource. A path begins with a slash: it will be put behind the site's address, and
    must not become a part of its host.
    """
    if method == b"CONNECT" or (method == b"OPTIONS" and target == b"*"):
        raise BadHead("whole")
    if target[:1] == b"/" and b"#" not in target:
        path, _, query = target.partition(b"?")
        return path, query
    try:
        parsed = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadHead("malformed") from None
    path, query = parsed.path or b"/", parsed.query or b""
    is_odd = parsed.fragment is not None or parsed.userinfo is not None or path[:1] != b"/"
    if is_odd or parsed.schema not in (b"http", b"https"):
        raise BadHead("malformed")
    return path, query


def read_framing(block: bytes, limits: Limits) -> Framing:
    """The lines of fields, and where the message ends (RFC 9112 §6.3); `BadHead` where that is not one place."""
    framing = (_remember if len(block) <= MAX_REMEMBERED_BYTES else _read_block)(block)
    if len(framing.fields) > limits.fields:
        raise BadHead("head")
    return framing


def _read_block(block: bytes) -> Framing:
    read = read_fields(block)
    if read is None:
        raise BadHead("malformed")
    fields = Fields(read)
    lengths, codings = fields.values(b"content-length"), fields.values(b"transfer-encoding")
    expects_100 = any(value.lower() == b"100-continue" for value in fields.values(b"expect"))
    if codings:
        if lengths:
            raise BadHead("malformed")
        _check_codings([coding.strip(b" \t") for coding in b",".join(codings).lower().split(b",")])
        return Framing(fields, None, True, expects_100, b"close" in fields.options)
    if len(lengths) > 1 or not all(value.isdigit() and len(value) <= _MAX_LENGTH_DIGITS for value in lengths):
        raise BadHead("malformed")
    length = int(lengths[0]) if lengths else 0
    return Framing(fields, length, False, expects_100, b"close" in fields.options)


_remember: Final = lru_cache(maxsize=512)(_read_block)


def _check_codings(codings: list[bytes]) -> None:
    if codings == [b"chunked"]:
        return
    # RFC 9112 §6.1, §7.1: chunked is the last one, and there once
    raise BadHead("malformed" if b"chunked" in codings[:-1] else "coding")
