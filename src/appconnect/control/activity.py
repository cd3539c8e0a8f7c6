"""Activity for its readers: what was refused, what was done, what is used and what is not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from appconnect.control.clients import find_client
from appconnect.control.context import Context
from appconnect.core.activity import (
    DAY_SECONDS,
    FULL_ACCESS,
    HOUR_SECONDS,
    CredentialCheck,
    EventFilter,
    Page,
    Refusal,
    RefusalFilter,
    UsedIn,
)
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client, ClientSecretHash
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule

UNUSED_SECONDS: Final = 30 * DAY_SECONDS
"""How long a rule may be without use before it is marked."""
PAGE: Final = 50
_EVERY_REFUSAL, _EVERY_EVENT = RefusalFilter(), EventFilter()
MAX_HOURLY_SECONDS: Final = 3 * DAY_SECONDS
"""Up to this long a time is shown by the hour, a longer one by the day."""


def refusals(
    context: Context, wanted: RefusalFilter = _EVERY_REFUSAL, *, older_than: int | None = None, limit: int = PAGE
) -> Page[Refusal]:
    """Refused requests, the newest first; `older_than` is the `older` of the page before."""
    return context.store.activities.refusals(wanted, older_than=older_than, limit=limit)


def events(
    context: Context, wanted: EventFilter = _EVERY_EVENT, *, older_than: int | None = None, limit: int = PAGE
) -> Page[AuditEvent]:
    """Audit events, the newest first; `older_than` is the `older` of the page before."""
    return context.store.activities.events(wanted, older_than=older_than, limit=limit)


def every_refusal(context: Context, wanted: RefusalFilter) -> Iterator[Refusal]:
    """All of them, read piece by piece."""
    return _every(lambda older_than: refusals(context, wanted, older_than=older_than, limit=_PIECE))


def every_event(context: Context, wanted: EventFilter) -> Iterator[AuditEvent]:
    """All of them, read piece by piece."""
    return _every(lambda older_than: events(context, wanted, older_than=older_than, limit=_PIECE))


_PIECE: Final = 1000
_Item = TypeVar("_Item")


def _every(read: Callable[[int | None], Page[_Item]]) -> Iterator[_Item]:
    page = read(None)
    yield from page.items
    while page.older is not None:
        page = read(page.older)
        yield from page.items


def lost(context: Context, *, since: int) -> int:
    """How many records were lost since then, as there was no more room for them in memory."""
    return context.store.activities.lost(since=since)


# -- use --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """What happened in each step from `since` on, the oldest first; steps without anything are left out."""

    since: int
    step_seconds: int
    steps: tuple[UsedIn, ...]


def usage(context: Context, client_id: str | None, *, since: int) -> Usage:
    """What a client did, or with None all of them together: by the hour for up to three days, else by the day (UTC)."""
    step = HOUR_SECONDS if context.clock() - since <= MAX_HOURLY_SECONDS else DAY_SECONDS
    begin = since - since % step
    return Usage(begin, step, tuple(context.store.activities.usage(client_id, since=begin, step_seconds=step)))


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A client secret, and when it was last shown; None where never."""

    secret: ClientSecretHash
    last_at: int | None


@dataclass(frozen=True, slots=True)
class ClientActivity:
    """When a client last proved to be itself, what its upstream credential was last found to be, and its secrets."""

    last_at: int | None
    check: CredentialCheck | None
    secrets: tuple[SecretUse, ...]


def client_activity(context: Context) -> Mapping[str, ClientActivity]:
    """Of every client, by its ID."""
    return activity_of(context, context.store.snapshot(now=context.clock()).clients.values())


def activity_of(context: Context, clients: Iterable[Client]) -> Mapping[str, ClientActivity]:
    """Of these clients, by their IDs."""
    store = context.store
    last_uses, checks, secrets = (
        store.activities.last_uses(),
        store.activities.credential_checks(),
        store.activities.secret_uses(),
    )
    return {
        client.id: ClientActivity(
            last_uses.get(client.id),
            checks.get(client.id),
            tuple(SecretUse(secret, secrets.get((client.id, secret.sha256))) for secret in client.secrets),
        )
        for client in clients
    }


class RuleState(StrEnum):
    """Whether a rule is needed, as far as its use tells."""

    USED = "used"
    UNUSED = "unused"  # for 30 days, and as long it has been there
    NEW = "new"  # not used yet, and not there for 30 days


@dataclass(frozen=True, slots=True)
class RuleReport:
    """The requests that a rule allowed in the last 30 days, and the hour of the last one at all.

    `rule` is None for what full access allowed without a rule.
    """

    rule: RouteRule | None
    requests: int
    last_hour: int | None
    state: RuleState

    @property
    def is_unused(self) -> bool:
        """Whether it may be taken away, as far as its use tells."""
        return self.state is RuleState.UNUSED


def rule_reports(context: Context, client: str) -> tuple[RuleReport, ...]:
    """Of each rule in the allowlist, and of full access where the client has it; `InputError` for an unknown client."""
    return rules_of(context, *find_client(context, client))


def rules_of(context: Context, client: Client, policy: Policy) -> tuple[RuleReport, ...]:
    """As `rule_reports`, of a client that is known already."""
    horizon = context.clock() - UNUSED_SECONDS
    uses = context.store.activities.rule_uses(client.id, since=horizon)
    of_before = _rules_of_before(context, client.id, horizon) if client.created_at <= horizon else (frozenset(),)
    reports = []
    for rule in (*policy.rules, *([None] if policy.access_mode is AccessMode.FULL else [])):
        use = uses.get(str(rule) if rule is not None else FULL_ACCESS)
        was_there = all(rule is None or str(rule) in rules for rules in of_before)
        unused = RuleState.UNUSED if was_there else RuleState.NEW
        state = RuleState.USED if use is not None and use.requests else unused
        reports.append(RuleReport(rule, use.requests if use else 0, use.last_hour if use else None, state))
    return tuple(reports)


def _rules_of_before(context: Context, client_id: str, horizon: int) -> Iterable[frozenset[str]]:
    """The allowlists that a client has had since `horizon`, as its audit events tell them; the one of then included."""
    changes = context.store.activities.events_on(client_id, _SAVING)
    later = [change for change in changes if change.at > horizon]
    then = [change for change in changes if change.at <= horizon][:1]
    # Of an allowlist that nothing is known of, no rule is known to have stood in it.
    before = [_rules_in(then[0].details)] if then else [frozenset[str]()] if later else []
    return [*(_rules_in(change.details) for change in later), *before]


_SAVING: Final = (AuditEventType.CLIENT_CHANGED, AuditEventType.CLIENT_CREATED)


def _rules_in(details: str) -> frozenset[str]:
    """The rules in an audit event, where they come last (`control.clients`)."""
    return frozenset(details.rpartition("; ")[2].split(", "))
