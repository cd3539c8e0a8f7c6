"""What a client may do, as one immutable value named by its content."""

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Self

from appconnect.core.rules import Allowlist, RouteRule


class AccessMode(StrEnum):
    """The guide's access modes. Restricted is the default."""

    RESTRICTED = "restricted"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The WordPress user that a client acts as, with roles and capabilities as last seen (`users/ID?context=edit`)."""

    id: int
    login: str
    roles: frozenset[str]
    capabilities: frozenset[str]

    @property
    def is_administrator(self) -> bool:
        """Whether WordPress lets this user change the site itself."""
        return "manage_options" in self.capabilities or "administrator" in self.roles


@dataclass(frozen=True)
class Policy:
    """Client, service user, access mode, allowlist and switches; two with the same content have the same `hash`."""

    client_id: str
    service_user: ServiceUser
    access_mode: AccessMode
    rules: tuple[RouteRule, ...]
    allows_embed: bool = False

    @cached_property
    def allowlist(self) -> Allowlist:
        """The rules, compiled when they are first asked for: of thousands of clients few are at work."""
        return Allowlist(self.rules)

    @cached_property
    def hash(self) -> str:
        """The name of this content, which tokens and the database know it by."""
        return _digest(self.to_json())

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def granted_rest_routes(self) -> tuple[str, ...]:
        """The rules as the token endpoint shows them."""
        return tuple(map(str, self.rules))

    def to_json(self) -> dict[str, Any]:
        """The content that the hash names, in a form that does not depend on the order of sets."""
        return {
            "client_id": self.client_id,
            "service_user": {
                "id": self.service_user.id,
                "login": self.service_user.login,
                "roles": sorted(self.service_user.roles),
                "capabilities": sorted(self.service_user.capabilities),
            },
            "access_mode": self.access_mode.value,
            "rules": list(self.granted_rest_routes),
            "allows_embed": self.allows_embed,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_json`; raises `KeyError`, `ValueError` for anything else."""
        user = content["service_user"]
        return cls(
            client_id=content["client_id"],
            service_user=ServiceUser(user["id"], user["login"], _names(user["roles"]), _names(user["capabilities"])),
            access_mode=AccessMode(content["access_mode"]),
            rules=tuple(map(RouteRule.parse, content["rules"])),
            allows_embed=content["allows_embed"],
        )


def still_covers(granted: Policy, current: Policy) -> bool:
    """Whether a token with `granted` may still be used now that the client has `current`.

    It acts as the user it was issued for and never inherits a promotion: another user, or roles or capabilities that
    grew, need a new token. Rules are compared for each request instead (`decide`), as narrowing keeps a token valid.
    """
    then, now = granted.service_user, current.service_user
    return (
        granted.client_id == current.client_id
        and then.id == now.id
        and now.roles <= then.roles
        and now.capabilities <= then.capabilities
    )


def _names(names: Iterable[str]) -> frozenset[str]:
    return _one_for_all(frozenset(map(sys.intern, names)))


@lru_cache(maxsize=1024)
def _one_for_all(names: frozenset[str]) -> frozenset[str]:
    """Thousands of users have the same roles and capabilities: equal sets become one object."""
    return names


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
