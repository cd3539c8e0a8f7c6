"""What a request presents itself with: one of our tokens, something else, or nothing."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from appconnect.core.body import Reading, readings_of
from appconnect.core.clients import CLIENT_ID_PREFIX
from appconnect.core.fields import MAX_REMEMBERED_BYTES
from appconnect.core.headers import MAX_CONTENT_TYPE_BYTES, Request, first
from appconnect.core.query import access_tokens, split_pairs
from appconnect.core.request import Refused
from appconnect.core.rules import Method

_BEARER: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE)
_JWT: Final = re.compile(rb"eyJ[A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Presented:
    """`token` is set where the request is ours to answer; a malformed one is the empty text."""

    token: str | None = None
    has_client_credentials: bool = False
    has_token_elsewhere: bool = False

    @property
    def is_something(self) -> bool:
        """Whether there is anything of ours in the request."""
        return self.token is not None or self.has_client_credentials or self.has_token_elsewhere


def presented(request: Request, *, issuer: str, takes_every_bearer: bool) -> Presented:
    """Tell our tokens from other people's.

    Before a whole site, other plugins' bearer tokens are none of our business. A token is theirs only if it is no JWT,
    or a JWT that names another issuer: one of ours that was cut or bent must not reach WordPress as an anonymous call.
    """
    headers = request.headers.authorizations
    bearers = [value for value in headers if value[:6].lower() == b"bearer"]
    if not bearers:
        return Presented(
            has_client_credentials=any(map(_is_our_basic, headers)),
            has_token_elsewhere=has_token_in(request.raw_query, issuer=issuer),
        )
    if len(headers) > 1:
        raise Refused(400, "duplicate_header", "The Authorization header was sent more than once.")
    if not takes_every_bearer:
        jwt = _JWT.search(bearers[0])
        if jwt is None or not _is_ours(jwt[0].decode("ascii"), issuer):
            return Presented()
    read = _with_bearer if len(bearers[0]) <= MAX_REMEMBERED_BYTES else _with_bearer.__wrapped__
    return read(bearers[0])


@lru_cache(maxsize=512)
def _with_bearer(header: bytes) -> Presented:
    found = _BEARER.fullmatch(header)
    return Presented(found[1].decode("ascii") if found else "")


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


def check_host(request: Request) -> None:
    """RFC 9112 §3.2: exactly one Host, or `Refused`; the HTTP server lets none and several through."""
    hosts = request.headers.hosts
    if len(hosts) != 1 or not hosts[0]:
        raise Refused(400, "host", "Send exactly one Host header.")


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
