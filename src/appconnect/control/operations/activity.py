"""Operations that read what happened."""

from typing import Final

from appconnect.control import activity as control
from appconnect.control.clients import find_client
from appconnect.control.context import InputError
from appconnect.control.operations.activity_values import (
    ClientActivityContent,
    ClientUsed,
    EventContent,
    EventsWanted,
    RefusalContent,
    RefusalsWanted,
    RuleUseContent,
    RuleUses,
    StepContent,
    UsageContent,
    UsageWanted,
)
from appconnect.control.operations.client_values import ClientNamed
from appconnect.control.operations.operation import AnyOperation, Caller, Operation, Page, PageWanted, page
from appconnect.core.activity import DAY_SECONDS, EventFilter, RefusalFilter
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.audit import AuditEventType


def _older_than(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InputError.of("cursor", "It is of no list.", "Begin without it.")
    return int(cursor)


def _events(caller: Caller, wanted: EventsWanted) -> Page[EventContent]:
    if wanted.type is not None and wanted.type not in set(AuditEventType):
        remedy = f"Choose: {', '.join(AuditEventType)}."
        raise InputError.of("type", f"{wanted.type!r} is no type of events.", remedy)
    chosen = EventFilter(
        type=AuditEventType(wanted.type) if wanted.type is not None else None,
        actor=wanted.actor,
        subject=wanted.subject,
        text=wanted.text,
        since=wanted.since,
        until=wanted.until,
    )
    found = control.events(caller.context, chosen, older_than=_older_than(wanted.cursor), limit=wanted.limit)
    items = (
        EventContent(at=one.at, type=one.type.value, actor=one.actor, subject=one.subject, details=one.details)
        for one in found.items
    )
    return Page(items=tuple(items), next=str(found.older) if found.older is not None else None)


def _refusals(caller: Caller, wanted: RefusalsWanted) -> Page[RefusalContent]:
    chosen = RefusalFilter(
        client_id=find_client(caller.context, wanted.client)[0].id if wanted.client is not None else None,
        code=wanted.code,
        text=wanted.text,
        since=wanted.since,
        until=wanted.until,
    )
    found = control.refusals(caller.context, chosen, older_than=_older_than(wanted.cursor), limit=wanted.limit)
    items = (
        RefusalContent(
            at=one.at,
            client_id=one.client_id,
            code=one.code,
            method=one.method,
            path=one.path,
            query=one.query,
            rule=one.rule,
            address=one.address,
        )
        for one in found.items
    )
    return Page(items=tuple(items), next=str(found.older) if found.older is not None else None)


def _usage(caller: Caller, wanted: UsageWanted) -> UsageContent:
    context = caller.context
    client_id = find_client(context, wanted.client)[0].id if wanted.client is not None else None
    since = context.clock() - wanted.days * DAY_SECONDS
    found = control.usage(context, client_id, since=since)
    steps = (
        StepContent(at=one.at, tokens=one.use.tokens, allowed=one.use.allowed, refused=one.use.refused)
        for one in found.steps
    )
    lost = control.lost(context, since=since)
    return UsageContent(since=found.since, step_seconds=found.step_seconds, steps=tuple(steps), lost=lost)


def _rules(caller: Caller, given: ClientNamed) -> RuleUses:
    client, _ = find_client(caller.context, given.client)
    rules = (
        RuleUseContent(
            rule=str(one.rule) if one.rule is not None else None,
            requests=one.requests,
            last_hour=one.last_hour,
            state=one.state.value,
        )
        for one in control.rule_reports(caller.context, client.id)
    )
    return RuleUses(client_id=client.id, rules=tuple(rules))


def _clients(caller: Caller, wanted: PageWanted) -> Page[ClientActivityContent]:
    found = [
        ClientActivityContent(
            client_id=client_id,
            last_at=one.last_at,
            health=one.check.health.value if one.check else None,
            health_since=one.check.since if one.check else None,
            secrets=tuple(
                ClientUsed(created_at=secret.secret.created_at, last_at=secret.last_at) for secret in one.secrets
            ),
        )
        for client_id, one in control.client_activity(caller.context).items()
    ]
    return page(found, wanted, lambda one: one.client_id)


EVENTS: Final = Operation(
    name="audit",
    method="GET",
    path="/audit",
    scope=AdminScope.ACTIVITY_READ,
    summary="List what administrators did, the newest first.",
    takes=EventsWanted,
    gives=Page[EventContent],
    run=_events,
)
REFUSALS: Final = Operation(
    name="activity.refusals",
    method="GET",
    path="/activity/refusals",
    scope=AdminScope.ACTIVITY_READ,
    summary="List the requests that were refused, the newest first.",
    takes=RefusalsWanted,
    gives=Page[RefusalContent],
    run=_refusals,
)
USAGE: Final = Operation(
    name="activity.usage",
    method="GET",
    path="/activity/usage",
    scope=AdminScope.ACTIVITY_READ,
    summary="Count the tokens and requests of a client, or of all: by the hour up to three days, else by the day.",
    takes=UsageWanted,
    gives=UsageContent,
    run=_usage,
)
CLIENTS: Final = Operation(
    name="activity.clients",
    method="GET",
    path="/activity/clients",
    scope=AdminScope.ACTIVITY_READ,
    summary="Tell of every client when it and its secrets were last used, and how its upstream credential is.",
    takes=PageWanted,
    gives=Page[ClientActivityContent],
    run=_clients,
)
RULES: Final = Operation(
    name="activity.rules",
    method="GET",
    path="/clients/{client}/rules",
    scope=AdminScope.ACTIVITY_READ,
    summary="Tell of every rule of a client how often it was used in 30 days, and which were not.",
    takes=ClientNamed,
    gives=RuleUses,
    run=_rules,
)

ACTIVITY: Final[tuple[AnyOperation, ...]] = (EVENTS, REFUSALS, USAGE, CLIENTS, RULES)
