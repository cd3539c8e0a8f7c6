"""Activity: what clients did, as counters by hour, and each refusal. It is recorded beside the requests."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, TypeVar

from appconnect.core.audit import AuditEventType

MAX_REFUSALS: Final = 10_000
MAX_UNPROVEN: Final = 2_000
"""Of them, those of which anybody may make as many as they like: they push out no others."""
MAX_COUNTERS: Final = 100_000
"""How much waits in memory for the database, of each kind of counter; beyond it the oldest is lost."""
HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
FULL_ACCESS: Final = ""
"""In the place of a rule, where the access mode allowed a request."""


class Health(StrEnum):
    """What a check of an upstream credential found."""

    HEALTHY = "healthy"
    REPLACED = "replaced"
    LOST = "lost"
    UNKNOWN = "unknown"  # WordPress could not be asked


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused: when (seconds since the epoch), what it asked for, and from which address.

    `client_id` is None where no client is known by what was presented. `code` is the reason: a `Reason`, the answer's
    code without its prefix, or one of RFC 6749's. `rule` is the one that would have allowed the request. `is_proven`
    tells whether a secret or a token has shown that it is its client's.
    """

    at: int
    client_id: str | None
    code: str
    method: str
    path: str
    query: str
    rule: str | None
    address: str
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class ClientUse:
    """What a client did in one hour. `last_at` is 0 where nobody has proven to be the client."""

    tokens: int = 0
    allowed: int = 0
    refused: int = 0
    last_at: int = 0

    def plus(self, other: "ClientUse") -> "ClientUse":
        """Both together."""
        return ClientUse(
            self.tokens + other.tokens,
            self.allowed + other.allowed,
            self.refused + other.refused,
            max(self.last_at, other.last_at),
        )

    @property
    def records(self) -> int:
        """How many things were counted."""
        return self.tokens + self.allowed + self.refused


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """What the checks of a client's upstream credential find, and since when."""

    health: Health
    since: int

    def then(self, later: "CredentialCheck") -> "CredentialCheck":
        """What is known after a later check: the same finding keeps its beginning."""
        return self if later.health is self.health else later


RuleHour = tuple[str, str, int]
"""Client ID, rule (or `FULL_ACCESS`), first second of the hour."""
ClientHour = tuple[str, int]
"""Client ID, first second of the hour."""
SecretKey = tuple[str, bytes]
"""Client ID, SHA-256 of the client secret."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What was recorded since the database last took it; `lost` counts records that there was no room for."""

    refusals: tuple[Refusal, ...] = ()
    rule_uses: Mapping[RuleHour, int] = field(default_factory=dict)
    client_uses: Mapping[ClientHour, ClientUse] = field(default_factory=dict)
    secret_uses: Mapping[SecretKey, int] = field(default_factory=dict)
    credential_checks: Mapping[str, CredentialCheck] = field(default_factory=dict)
    lost: int = 0


def hour_of(at: int) -> int:
    """The first second of its hour."""
    return at - at % HOUR_SECONDS


def merged(
    older: Activity,
    newer: Activity,
    *,
    most_refusals: int = MAX_REFUSALS,
    most_unproven: int = MAX_UNPROVEN,
    most_counters: int = MAX_COUNTERS,
) -> Activity:
    """Both together, and no more than there is room for: the oldest refusals and hours go, and are counted as lost."""
    found = older.refusals + newer.refusals
    refusals = _newest(found, most_refusals, most_unproven)
    rules, clients = dict(older.rule_uses), dict(older.client_uses)
    secrets, checks = dict(older.secret_uses), dict(older.credential_checks)
    for rule_hour, requests in newer.rule_uses.items():
        rules[rule_hour] = rules.get(rule_hour, 0) + requests
    for client_hour, use in newer.client_uses.items():
        clients[client_hour] = clients.get(client_hour, ClientUse()).plus(use)
    for secret, at in newer.secret_uses.items():
        secrets[secret] = max(secrets.get(secret, 0), at)
    for client_id, check in newer.credential_checks.items():
        checks[client_id] = checks.get(client_id, check).then(check)
    lost_requests = sum(rules.pop(key) for key in _oldest(rules, most_counters))
    lost_uses = sum(clients.pop(key).records for key in _oldest(clients, most_counters))
    lost = older.lost + newer.lost + len(found) - len(refusals) + lost_requests + lost_uses
    return Activity(refusals, rules, clients, secrets, checks, lost)


def _newest(refusals: tuple[Refusal, ...], most: int, most_unproven: int) -> tuple[Refusal, ...]:
    """The newest of both kinds, in their order, within the room that each has."""
    places = [[at for at, one in enumerate(refusals) if one.is_proven is is_proven] for is_proven in (True, False)]
    kept = [*places[0][max(0, len(places[0]) - most) :], *places[1][max(0, len(places[1]) - most_unproven) :]]
    return tuple(refusals[at] for at in sorted(kept))


_Hour = TypeVar("_Hour", RuleHour, ClientHour)


def _oldest(keys: Collection[_Hour], most: int) -> list[_Hour]:
    """The keys, their hour in the last place, that are too many."""
    return sorted(keys, key=lambda key: key[-1])[: len(keys) - most] if len(keys) > most else []


# -- reading it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalFilter:
    """Which refusals: those for which everything holds. `text` is a part of the path; `since` <= at < `until`."""

    client_id: str | None = None
    code: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which audit events: those for which everything holds; `since` <= at < `until`.

    `actor` and `subject` may be parts of theirs, `text` a part of any of its words, all in any case.
    """

    type: AuditEventType | None = None
    actor: str | None = None
    subject: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None


_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Some of many, the newest first; `older` is the cursor of the page that follows, None where none does."""

    items: tuple[_Item, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class UsedIn:
    """What a client, or all of them, did in the hour or day (in UTC) that began at `at`."""

    at: int
    use: ClientUse


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How often a rule has allowed a request since some time, and the first second of the hour in which it last did."""

    requests: int
    last_hour: int
