"""Access tokens: RFC 9068 JWTs signed with Ed25519 (RFC 9864), checked as RFC 8725 asks."""

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from appconnect.core.keys import KeyRing

ALGORITHM: Final = "Ed25519"
TYPE: Final = "at+jwt"
MAX_TOKEN_CHARACTERS: Final = 2048
"""Ours have about 600; longer ones are not worth parsing."""
LEEWAY_SECONDS: Final = 5
"""For `iat` and `nbf`-like checks between nodes whose clocks differ; expiry gets none (ours are both ends)."""

_HEADER_NAMES: Final = frozenset(("alg", "typ", "kid"))
_REGISTRY: Final = jws.JWSRegistry(algorithms=[ALGORITHM])


class InvalidToken(Exception):
    """The token is not one of ours that may be used; `detail` is for the log, never for the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says (RFC 9068 §2.2); times in seconds since the epoch."""

    issuer: str
    audience: str
    subject: str
    client_id: str
    token_id: str
    issued_at: int
    expires_at: int
    policy_hash: str

    def to_json(self) -> dict[str, Any]:
        """The claims by their registered names; `policy` is ours."""
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.subject,
            "client_id": self.client_id,
            "jti": self.token_id,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "policy": self.policy_hash,
        }


def issue(claims: Claims, key_ring: KeyRing) -> str:
    """Sign the claims with the ring's current key, in the compact serialization (RFC 7515 §7.1).

    Our header and claims need none of the checks for which joserfc takes as long as for the signature.
    """
    key = key_ring.signing_key(now=claims.issued_at)
    signed = f"{_encoded_header(key.kid)}.{_base64url(_to_json(claims.to_json()).encode())}"
    return f"{signed}.{_base64url(key.sign(signed.encode('ascii')))}"


@lru_cache(maxsize=16)
def _encoded_header(kid: str) -> str:
    return _base64url(_to_json({"alg": ALGORITHM, "typ": TYPE, "kid": kid}).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


_to_json: Final = json.JSONEncoder(separators=(",", ":")).encode


def verify(token: str, key_ring: KeyRing, *, issuer: str, audience: str, now: int) -> Claims:
    """The claims of a token that is ours, meant for us and not expired; `InvalidToken` otherwise.

    Nothing is taken from the token but a `kid` to choose among our own keys (RFC 8725 §3.1, §3.10).
    """
    claims = _verified_claims(token, key_ring, now)
    if claims.issuer != issuer or claims.audience != audience:
        raise InvalidToken("issued by or for another site")
    if claims.issued_at > now + LEEWAY_SECONDS:
        raise InvalidToken("issued in the future")
    if now >= claims.expires_at:
        raise InvalidToken("expired")
    return claims


def _verified_claims(token: str, key_ring: KeyRing, now: int) -> Claims:
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise InvalidToken("too long or not ASCII")
    try:
        header = _header(token)
        key = key_ring.find(header["kid"], now=now)
        if key is None:
            raise InvalidToken("signed with a key that is not in use")
        signed = jws.deserialize_compact(token, key.jwk, registry=_REGISTRY)
        return _to_claims(_from_json(signed.payload))
    except (JoseError, ValueError, RecursionError) as error:
        raise InvalidToken(f"not a valid JWT: {type(error).__name__}") from error


def _header(token: str) -> dict[str, Any]:
    """The header, one of ours; joserfc is strict about its base64url when it checks the signature."""
    part = token.partition(".")[0]
    header = _from_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(header, dict) or set(header) != _HEADER_NAMES:
        raise InvalidToken("its header is not one of ours")
    if header["alg"] != ALGORITHM or header["typ"] != TYPE or not isinstance(header["kid"], str):
        raise InvalidToken("its header is not one of ours")
    return header


def _from_json(raw: bytes) -> Any:
    return json.loads(raw.decode(), object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7515 §4, RFC 7519 §4: of a name that stands there twice, readers differ in which one counts."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise InvalidToken("a name stands there twice")
    return content


def _to_claims(content: Any) -> Claims:
    try:
        claims = Claims(
            content["iss"],
            content["aud"],
            content["sub"],
            content["client_id"],
            content["jti"],
            content["iat"],
            content["exp"],
            content["policy"],
        )
    except (KeyError, TypeError) as error:
        raise InvalidToken("a claim is missing") from error
    texts = (
        claims.issuer,
        claims.audience,
        claims.subject,
        claims.client_id,
        claims.token_id,
        claims.policy_hash,
    )
    times = (claims.issued_at, claims.expires_at)
    if not all(type(text) is str for text in texts) or not all(type(time) is int for time in times):
        raise InvalidToken("a claim has the wrong type")
    return claims
