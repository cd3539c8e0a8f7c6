"""What a request presents itself with: one of our tokens, something else, or nothing."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from appconnect.core.body import Reading, readings_of
from appconnect.core.clients import CLIENT_ID_PREFIX
from appconnect.core.headers import MAX_CONTENT_TYPE_BYTES, first
from appconnect.core.query import access_tokens, split_pairs
from appconnect.core.request import Refused, Request
from appconnect.core.rules import Method

_BEARER: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE)
_JWT: Final = re.compile(rb"eyJ[A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Presented:
    """`token` is set where the request is ours to answer; a malformed one is the empty text."""

    token: str | None = None
    has_client_credentials: bool = False
    has_token_elsewhere: bool = False


def presented(request: Request, *, issuer: str, takes_every_bearer: bool) -> Presented:
    """Tell our tokens from other people's.

    Before a whole site, other plugins' bearer tokens are none of our business. A token is theirs only if it is no JWT,
    or a JWT that names another issuer: one of ours that was cut or bent must not reach WordPress as an anonymous call.
    """
    headers = [value for name, value in request.headers if name == b"authorization"]
    bearers = [value for value in headers if value[:6].lower() == b"bearer"]
    if not bearers:
        return Presented(
            has_client_credentials=any(map(_is_our_basic, headers)),
            has_token_elsewhere=has_token_in(request.raw_query, issuer=issuer),
        )
    if len(headers) > 1:
        raise Refused(400, "duplicate_header", "The Authorization header was sent more than once.")
    found, jwt = _BEARER.fullmatch(bearers[0]), _JWT.search(bearers[0])
    is_ours = takes_every_bearer or (jwt is not None and _is_ours(jwt[0].decode("ascii"), issuer))
    return Presented(found[1].decode("ascii") if found else "") if is_ours else Presented()


def claimed_client_id(token: str) -> str | None:
    """The client that a token says it was issued to, whether or not that is true."""
    client_id = (_peek(token) or {}).get("client_id")
    return client_id if isinstance(client_id, str) else None


def has_token_in(query_or_form: bytes, *, issuer: str) -> bool:
    """Whether one of our tokens stands where RFC 6750 §2.2 and §2.3 have it, and we do not take it."""
    if b"token" not in query_or_form:
        return False
    tokens = access_tokens(split_pairs(query_or_form, most=len(query_or_form)))
    return any(_JWT.fullmatch(token) and _is_ours(token.decode("ascii"), issuer) for token in tokens)


def is_form(request: Request) -> bool:
    """Whether PHP would take the body for `application/x-www-form-urlencoded`."""
    content_type = first(request.headers, b"content-type") or b""
    return len(content_type) <= MAX_CONTENT_TYPE_BYTES and Reading.FORM in readings_of(
        content_type, wire_method=Method.POST, method=Method.POST
    )


def host_problem(request: Request) -> Refused | None:
    """RFC 9112 §3.2: exactly one Host; the HTTP server lets none and several through."""
    hosts = [value for name, value in request.headers if name == b"host"]
    return None if len(hosts) == 1 and hosts[0] else Refused(400, "host", "Send exactly one Host header.")


def content_length(request: Request) -> int | None:
    """The length of the body in bytes where the client gave it; the HTTP server took it for digits already."""
    lengths = [value for name, value in request.headers if name == b"content-length"]
    return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() else None


def _is_ours(token: str, issuer: str) -> bool:
    claims = _peek(token)
    return claims is None or claims.get("iss") == issuer


def _peek(token: str) -> dict[str, Any] | None:
    """The unverified claims: only to tell whose token it is, never to trust it."""
    part = [*token.split("."), ""][1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _is_our_basic(header: bytes) -> bool:
    try:
        return header[:6].lower() == b"basic " and base64.b64decode(header[6:]).startswith(CLIENT_ID_PREFIX.encode())
    except (binascii.Error, ValueError):
        return False
