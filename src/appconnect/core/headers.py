"""Header fields of a request: which leave no doubt, and which may go on to WordPress with our credential."""

import re
from collections.abc import Iterable
from enum import Enum, auto
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, Self

from appconnect.core.fields import options_of
from appconnect.core.request import Pair, Refused, shown

_SINGLE: Final = frozenset(
    (
        b"authorization",
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"x-http-method-override",
    )
)
MAX_CONTENT_TYPE_BYTES: Final = 256
"""Ample for a type with a boundary (RFC 2046 §5.1.1: 70), and little enough for WordPress's patterns."""
HOP_BY_HOP: Final = frozenset(  # RFC 9110 §7.6.1, with Proxy-* and Trailer of its predecessors
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
NEVER_FORWARDED: Final = HOP_BY_HOP | frozenset(
    (
        *(b"authorization", b"proxy-authorization", b"x-authorization", b"x-http-authorization"),
        *(b"cookie", b"x-wp-nonce"),  # a cookie outranks an application password (`wp_validate_auth_cookie`)
        *(b"x-http-method-override", b"x-http-method", b"x-method-override"),
        *(b"x-original-url", b"x-rewrite-url", b"x-original-method", b"x-accel-redirect"),
        *(b"forwarded", b"x-real-ip", b"client-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip"),
        *(b"cf-connecting-ip", b"proxy", b"https", b"front-end-https"),
        *(b"host", b"content-length", b"expect"),  # framing and addressing are ours
    )
)
_HEADER_NAME: Final = re.compile(rb"[a-z0-9-]+")
"""Narrower than a token (RFC 9110 §5.6.2): every other character is one that some CGI or PHP makes `_` of."""
_MEANINGFUL: Final = _SINGLE | NEVER_FORWARDED
_X_FORWARDED: Final = b"x-forwarded-"
_MAX_REMEMBERED_BYTES: Final = 64


class Fields(tuple[Pair, ...]):  # noqa: SLOT001 - what follows from them stays with them
    """The fields of a request in their order, names in small letters, and what follows from them alone.

    Whoever calls an API sends the same fields each time: what follows from them is worked out once, and kept.
    """

    @classmethod
    def of(cls, fields: Iterable[Pair]) -> Self:
        """These fields, which may be known already."""
        return fields if isinstance(fields, cls) else cls(fields)

    @cached_property
    def checked(self) -> tuple[Pair, ...]:
        """Those that CGI leaves as they are; `Refused` for what two readers could understand differently."""
        return check_headers(self)

    @cached_property
    def forwarded(self) -> tuple[Pair, ...]:
        """Those that go on; `Refused` as for `checked`."""
        return forwarded(self.checked)

    @cached_property
    def carries_body(self) -> bool:
        """Whether the request has content; `Refused` as for `checked`."""
        return carries_body(self.checked)

    @cached_property
    def method_override(self) -> bytes | None:
        """The method that WordPress would take for the real one; `Refused` as for `checked`."""
        return first(self.checked, b"x-http-method-override")

    @cached_property
    def hosts(self) -> tuple[bytes, ...]:
        """The values of `Host`, of which there must be one (RFC 9112 §3.2)."""
        return self.values(b"host")

    @cached_property
    def authorizations(self) -> tuple[bytes, ...]:
        """The values of `Authorization`."""
        return self.values(b"authorization")

    @cached_property
    def content_length(self) -> int | None:
        """The length of the body in bytes where it is given once and in digits (RFC 9110 §8.6)."""
        lengths = self.values(b"content-length")
        return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() else None

    @cached_property
    def options(self) -> frozenset[bytes]:
        """The options of `Connection` (RFC 9110 §7.6.1)."""
        return options_of(self)

    def values(self, wanted: bytes) -> tuple[bytes, ...]:
        """The values of each field of this name."""
        return tuple([value for name, value in self if name == wanted])


class Request(NamedTuple):
    """A request as the HTTP server parsed it: nothing decoded, header names lower-cased, order kept."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: Fields


class _Name(Enum):
    """What a field's name alone says of it."""

    SINGLE = auto()
    OTHER = auto()
    FOLDED = auto()  # CGI would make another name of it, one without a meaning here
    AMBIGUOUS = auto()  # CGI would make another name of it, one with a meaning here


def check_headers(headers: Iterable[Pair]) -> tuple[Pair, ...]:
    """Refuse what two readers could understand differently (RFC 9112 §6.3, §11.2); drop names that CGI would fold."""
    checked, singles = [], set()
    for pair in headers:
        name, value = pair
        kind = _read_name(name) if len(name) <= _MAX_REMEMBERED_BYTES else _read_name.__wrapped__(name)
        if kind is _Name.OTHER:
            checked.append(pair)
        elif kind is _Name.SINGLE:
            if name in singles:
                raise Refused(400, "duplicate_header", f"The header {shown(name)} was sent twice. Send it once.")
            if name == b"content-type" and len(value) > MAX_CONTENT_TYPE_BYTES:
                raise Refused(400, "content_type", f"A content type has at most {MAX_CONTENT_TYPE_BYTES} bytes.")
            singles.add(name)
            checked.append(pair)
        elif kind is _Name.AMBIGUOUS:
            raise Refused(400, "ambiguous_header", f"The header {shown(name)} must be written with hyphens.")
    if b"transfer-encoding" in singles and b"content-length" in singles:
        raise Refused(400, "ambiguous_length", "Send either Content-Length or Transfer-Encoding, not both.")
    return tuple(checked)


@lru_cache(maxsize=1024)
def _read_name(name: bytes) -> _Name:
    """CGI (RFC 3875 §4.1.18) and PHP give `Content_Length` and `Content-Length` the same name."""
    if _HEADER_NAME.fullmatch(name):
        return _Name.SINGLE if name in _SINGLE else _Name.OTHER
    folded = re.sub(rb"[^a-z0-9]", b"-", name)
    is_meaningful = folded in _MEANINGFUL or folded.startswith(_X_FORWARDED)
    return _Name.AMBIGUOUS if is_meaningful else _Name.FOLDED


def forwarded(headers: Iterable[Pair]) -> tuple[Pair, ...]:
    """The fields that go on: none of one connection, of the session, of addressing, nor what `Connection` names."""
    fields = tuple(headers)
    dropped = NEVER_FORWARDED | options_of(fields)
    return tuple([pair for pair in fields if pair[0] not in dropped and not pair[0].startswith(_X_FORWARDED)])


def carries_body(headers: Iterable[Pair]) -> bool:
    """RFC 9112 §6.3: a request has content where it is framed by one of these two."""
    for name, value in headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t") != b""):
            return True
    return False


def first(headers: Iterable[Pair], wanted: bytes) -> bytes | None:
    """The value of a field that is sent once at most."""
    for name, value in headers:
        if name == wanted:
            return value
    return None
