"""Header fields: which leave no doubt, and which may go on to WordPress with our credential."""

import re
from collections.abc import Iterable
from typing import Final

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


def check_headers(headers: Iterable[Pair]) -> tuple[Pair, ...]:
    """Refuse what two readers could understand differently (RFC 9112 §6.3, §11.2); drop names that CGI would fold."""
    checked, seen = [], set()
    for name, value in headers:
        if name in _SINGLE and name in seen:
            raise Refused(400, "duplicate_header", f"The header {shown(name)} was sent twice. Send it once.")
        if name == b"content-type" and len(value) > MAX_CONTENT_TYPE_BYTES:
            raise Refused(400, "content_type", f"A content type has at most {MAX_CONTENT_TYPE_BYTES} bytes.")
        seen.add(name)
        if _HEADER_NAME.fullmatch(name):
            checked.append((name, value))
        elif _folded(name) in _MEANINGFUL or _folded(name).startswith(b"x-forwarded-"):
            # CGI (RFC 3875 §4.1.18) and PHP give `Content_Length` and `Content-Length` the same name.
            raise Refused(400, "ambiguous_header", f"The header {shown(name)} must be written with hyphens.")
    if b"transfer-encoding" in seen and b"content-length" in seen:
        raise Refused(400, "ambiguous_length", "Send either Content-Length or Transfer-Encoding, not both.")
    return tuple(checked)


def _folded(name: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"-", name)


def forwarded(headers: Iterable[Pair]) -> tuple[Pair, ...]:
    """The fields that go on: none of one connection, of the session, of addressing, nor what `Connection` names."""
    fields = tuple(headers)
    values = (value for name, value in fields if name == b"connection")
    dropped = NEVER_FORWARDED | {option.strip().lower() for value in values for option in value.split(b",")}
    return tuple(pair for pair in fields if pair[0] not in dropped and not pair[0].startswith(b"x-forwarded-"))


def carries_body(headers: Iterable[Pair]) -> bool:
    """RFC 9112 §6.3: a request has content where it is framed by one of these two."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t") != b"")
        for name, value in headers
    )


def first(headers: Iterable[Pair], wanted: bytes) -> bytes | None:
    """The value of a field that is sent once at most."""
    return next((value for name, value in headers if name == wanted), None)
