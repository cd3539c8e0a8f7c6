"""Signing keys (Ed25519) and the ring that knows which one signs and which still verify."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair named by its RFC 7638 thumbprint; `retired_at` (seconds since the epoch) ends it."""

    jwk: OKPKey = field(repr=False, compare=False)
    created_at: int
    retired_at: int | None = None
    kid: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kid", self.jwk.thumbprint())

    def sign(self, content: bytes) -> bytes:
        """An Ed25519 signature (RFC 8032 §5.1.6)."""
        private_key = self.jwk.private_key
        assert isinstance(private_key, Ed25519PrivateKey)
        return private_key.sign(content)

    def public_jwk(self) -> dict[str, Any]:
        """The JWK for the JWKS document (RFC 7517 §4, RFC 8037 §2), without the private part."""
        public = self.jwk.as_dict(private=False)
        return {
            "kty": public["kty"],
            "crv": public["crv"],
            "x": public["x"],
            "kid": self.kid,
            "use": "sig",
            "alg": "Ed25519",
        }


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The site's signing keys. The newest in force signs; each that is not retired verifies, even before it signs."""

    keys: tuple[SigningKey, ...]

    def signing_key(self, *, now: int) -> SigningKey:
        """The key to sign with; raises `LookupError` where all are retired."""
        keys = self._in_use(now)
        in_force = [key for key in keys if key.created_at <= now]
        return max(in_force or keys, key=lambda key: key.created_at, default=None) or _no_key()

    def find(self, kid: str, *, now: int) -> SigningKey | None:
        """The key that may verify a token with this `kid`."""
        return next((key for key in self._in_use(now) if key.kid == kid), None)

    def public_jwks(self, *, now: int) -> dict[str, Any]:
        """The JWK Set (RFC 7517 §5) of all keys that verify."""
        return {"keys": [key.public_jwk() for key in self._in_use(now)]}

    def _in_use(self, now: int) -> list[SigningKey]:
        return [key for key in self.keys if key.retired_at is None or now < key.retired_at]


def _no_key() -> SigningKey:
    raise LookupError("every signing key is retired")
