"""Administrator tokens: what a program shows to the admin API. Narrow, expiring, revocable."""

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appconnect.core.clients import hash_secret, is_well_formed, new_secret
from appconnect.core.secret import Secret

ADMIN_TOKEN_PREFIX: Final = "aca_"  # noqa: S105 - a prefix, by which scanners of leaked secrets find ours
MIN_LIFETIME_SECONDS: Final = 3_600
MAX_LIFETIME_SECONDS: Final = 366 * 86_400
USE_SECONDS: Final = 60
"""How exactly the last use is known: a write for each call would wear the disk for nothing."""


class AdminScope(StrEnum):
    """What an administrator token may be allowed. Each operation of the admin API needs one of these."""

    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    SITE_READ = "site:read"
    SITE_WRITE = "site:write"
    USERS_WRITE = "users:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    ACTIVITY_READ = "activity:read"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"

    @property
    def meaning(self) -> str:
        """What it opens, in a sentence."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    AdminScope.CLIENTS_READ: "List and show clients, and explain what a client may do.",
    AdminScope.CLIENTS_WRITE: (
        "Add, edit, disable and delete clients, and make their secrets. As powerful as an administrator of the site, "
        "since a client can act as one."
    ),
    AdminScope.SETTINGS_READ: "Show the settings.",
    AdminScope.SETTINGS_WRITE: "Change the API switch, Grant Types and the token lifetime.",
    AdminScope.SITE_READ: "See the site's routes and users.",
    AdminScope.SITE_WRITE: "Check the connection, replacing credentials that are lost, and disconnect the site.",
    AdminScope.USERS_WRITE: "Create a dedicated WordPress user for a client.",
    AdminScope.KEYS_READ: "List the signing keys, without their private part.",
    AdminScope.KEYS_WRITE: "Rotate and retire signing keys.",
    AdminScope.SESSIONS_READ: "List who is signed in to the console.",
    AdminScope.SESSIONS_WRITE: "End sessions of the console.",
    AdminScope.ACTIVITY_READ: "Read audit events, refusals and usage.",
    AdminScope.TOKENS_READ: "List administrator tokens, without the tokens themselves.",
    AdminScope.TOKENS_WRITE: "Revoke any administrator token, and create some that may do no more than this one.",
}


@dataclass(frozen=True, slots=True)
class AdminToken:
    """An administrator token as it is kept; times are seconds since the epoch, and `used_at` is exact to a minute.

    `id` is public: by it a token is listed and revoked. `created_by` is an actor as in audit events; `checked_at` is
    when WordPress was last seen to know that one as an administrator of the site.
    """

    id: str
    digest: bytes
    name: str
    scopes: frozenset[AdminScope]
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None = None
    checked_at: int | None = None

    @property
    def actor(self) -> str:
        """Who acts by it, as audit events name it."""
        return f"api:{self.name}"

    def is_expired(self, *, now: int) -> bool:
        """Whether it has ended by time."""
        return now >= self.expires_at

    def is_use_noted(self, *, now: int) -> bool:
        """Whether a use at `now` is already known closely enough."""
        return self.used_at is not None and now - self.used_at < USE_SECONDS


def new_admin_token(entropy: bytes) -> Secret:
    """A token of 256 random bits with a prefix and a checksum, as client secrets are."""
    return new_secret(ADMIN_TOKEN_PREFIX, entropy)


def is_admin_token(text: str) -> bool:
    """Whether a text can be an administrator token at all: most mistakes need no look into the database."""
    return is_well_formed(ADMIN_TOKEN_PREFIX, text)


def check_admin_token(token: AdminToken | None, presented: str, *, now: int) -> bool:
    """Whether `presented` is this token and counts now, in the same time whatever is wrong with it."""
    is_same = hmac.compare_digest(hash_secret(presented), token.digest if token is not None else _NO_DIGEST)
    return is_same and token is not None and not token.is_expired(now=now)


_NO_DIGEST: Final = b"\0" * 32
