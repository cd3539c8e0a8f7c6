"""Clients (RFC 6749 §2), their grant types and secrets."""

import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from appconnect.core.secret import Secret


class GrantType(StrEnum):
    """The grant types that a site and a client can enable; the value is the guide's name in small letters."""

    CLIENT_CREDENTIALS = "client-credentials"

    @classmethod
    def parse(cls, text: str) -> "GrantType":
        """Read a name as people write it, whatever its capitals and hyphens; `ValueError` for any other."""
        for grant_type in cls:
            if _letters(text) == _letters(grant_type):
                return grant_type
        raise ValueError(f"{text!r} is not a grant type")

    @property
    def parameter(self) -> str:
        """The `grant_type` parameter's value (RFC 6749 §4.4.2)."""
        return "client_credentials"

    @property
    def label(self) -> str:
        """The guide's label."""
        return "Client Credentials"


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


class ClientType(StrEnum):
    """RFC 6749 §2.1. A client that uses client credentials must be confidential (§4.4)."""

    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class ClientSecretHash:
    """A client secret as stored: its SHA-256 and, while it is being rotated out, when it ends."""

    sha256: bytes
    created_at: int
    expires_at: int | None = None

    def is_expired(self, *, now: int) -> bool:
        """Whether the overlap of a rotation has ended."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Client:
    """A registered backend service. `policy_hash` names its current policy; a lifetime of None means the site's."""

    id: str
    name: str
    grant_types: frozenset[GrantType]
    is_enabled: bool
    secrets: tuple[ClientSecretHash, ...]
    policy_hash: str
    created_at: int
    token_lifetime_seconds: int | None = None
    client_type: ClientType = ClientType.CONFIDENTIAL
    tokens_revoked_at: int | None = None
    """Tokens issued until then, that second included, are void."""


# -- client IDs and secrets -------------------------------------------------------------------------------------------

CLIENT_ID_PREFIX = "ac_"
CLIENT_SECRET_PREFIX = "acs_"  # noqa: S105 - a prefix, by which scanners of leaked secrets find ours
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS, _CHECKSUM_DIGITS = 43, 6


def new_client_id(entropy: bytes) -> str:
    """A client ID of 96 random bits; it is public, but never to be guessed by counting."""
    return CLIENT_ID_PREFIX + _base62(entropy[:12], 17)


def new_client_secret(entropy: bytes) -> Secret:
    """A client secret of 256 random bits with a prefix and a CRC-32, as scanners of leaked secrets expect."""
    return new_secret(CLIENT_SECRET_PREFIX, entropy)


def new_secret(prefix: str, entropy: bytes) -> Secret:
    """A secret of 256 random bits behind a prefix, with a CRC-32."""
    if len(entropy) != 32:
        raise ValueError("a secret takes 32 random bytes")
    body = prefix + _base62(entropy, _SECRET_DIGITS)
    return Secret(body + _checksum(body))


def is_well_formed(prefix: str, text: str) -> bool:
    """Whether a text looks like a secret that was made with this prefix, its checksum included."""
    body, checksum = text[:-_CHECKSUM_DIGITS], text[-_CHECKSUM_DIGITS:]
    is_long_enough = len(text) == len(prefix) + _SECRET_DIGITS + _CHECKSUM_DIGITS
    return is_long_enough and text.isascii() and text.startswith(prefix) and _checksum(body) == checksum


def hash_secret(secret: str) -> bytes:
    """SHA-256: enough for 256 random bits, where a slow hash would only slow the token endpoint."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def find_secret(client: Client | None, presented: str, *, now: int) -> ClientSecretHash | None:
    """The valid secret of the client that `presented` is, if it is one; it takes as long for no client."""
    digest = hash_secret(presented)
    valid = [secret for secret in client.secrets if not secret.is_expired(now=now)] if client else []
    padding = [_NO_SECRET] * (2 - len(valid))
    matches = [secret for secret in (*valid, *padding) if hmac.compare_digest(digest, secret.sha256)]
    return matches[0] if matches else None


_NO_SECRET = ClientSecretHash(b"\0" * 32, created_at=0)


def _base62(raw: bytes, digits: int) -> str:
    number, text = int.from_bytes(raw), ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return text


def _checksum(body: str) -> str:
    return _base62(binascii.crc32(body.encode()).to_bytes(4), _CHECKSUM_DIGITS)
