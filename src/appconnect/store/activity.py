"""Activity over SQL: what the workers recorded, added up. None of it moves the revision."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, Select, Table, case, func, select

from appconnect.core.activity import (
    Activity,
    ClientUse,
    CredentialCheck,
    EventFilter,
    Health,
    Page,
    Refusal,
    RefusalFilter,
    RuleUse,
    SecretKey,
    UsedIn,
    hour_of,
)
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.store import rows, schema
from appconnect.store.activity_writing import drop_in_excess, drop_old, write
from appconnect.store.engine import explained

_COUNTS: Final = ("tokens", "allowed", "refused")


class SqlActivities:
    """`ports.Activities`. Methods block, as the store's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dropped_in_hour = 0

    def write(self, recorded: Activity, *, now: int) -> None:
        """Add what was recorded to what is there, all of it or nothing, and drop what is too old."""
        with explained(), self._engine.begin() as connection:
            if hour_of(now) != self._dropped_in_hour:  # a search of whole tables, so not each time
                drop_old(connection, now=now)
            write(connection, recorded, now=now)
            drop_in_excess(connection)
        self._dropped_in_hour = hour_of(now)

    def refusals(self, wanted: RefusalFilter, *, older_than: int | None, limit: int) -> Page[Refusal]:
        """The newest first."""
        table = schema.refusals
        conditions = _between(table, wanted.since, wanted.until)
        if wanted.client_id is not None:
            conditions.append(table.c.client_id == wanted.client_id)
        if wanted.code is not None:
            conditions.append(table.c.code == wanted.code)
        if wanted.text:
            conditions.append(table.c.path.icontains(wanted.text, autoescape=True))
        found, older = self._page(table, conditions, older_than, limit)
        return Page(tuple(map(_to_refusal, found)), older)

    def events(self, wanted: EventFilter, *, older_than: int | None, limit: int) -> Page[AuditEvent]:
        """Audit events, the newest first."""
        table = schema.audit_events
        conditions = _between(table, wanted.since, wanted.until)
        if wanted.type is not None:
            conditions.append(table.c.type == wanted.type.value)
        if wanted.actor:
            conditions.append(table.c.actor.icontains(wanted.actor, autoescape=True))
        if wanted.subject:
            conditions.append(table.c.subject.icontains(wanted.subject, autoescape=True))
        if wanted.text:
            words = table.c.type + " " + table.c.actor + " " + table.c.subject + " " + table.c.details
            conditions.append(words.icontains(wanted.text, autoescape=True))
        found, older = self._page(table, conditions, older_than, limit)
        return Page(tuple(map(rows.to_audit_event, found)), older)

    def events_on(self, subject: str, types: Sequence[AuditEventType]) -> Sequence[AuditEvent]:
        """Every audit event of these types on just this subject, the newest first."""
        table = schema.audit_events
        is_wanted = (table.c.subject == subject) & table.c.type.in_([type_.value for type_ in types])
        return list(map(rows.to_audit_event, self._all(select(table).where(is_wanted).order_by(table.c.id.desc()))))

    def usage(self, client_id: str | None, *, since: int, step_seconds: int) -> Sequence[UsedIn]:
        """What a client did, or all of them with None, in each step that it did something in; the oldest first."""
        table = schema.client_uses
        at = (table.c.hour // step_seconds * step_seconds).label("at")
        counts = [func.sum(table.c[name]).label(name) for name in _COUNTS]
        statement = select(at, *counts, func.max(table.c.last_at).label("last_at")).where(table.c.hour >= since)
        if client_id is not None:
            statement = statement.where(table.c.client_id == client_id)
        found = self._all(statement.group_by(at).order_by(at))
        return [UsedIn(row.at, ClientUse(row.tokens, row.allowed, row.refused, row.last_at)) for row in found]

    def rule_uses(self, client_id: str, *, since: int) -> Mapping[str, RuleUse]:
        """By rule, or `FULL_ACCESS`: the requests of hours that began since then, and when it was last used at all."""
        table = schema.rule_uses
        requests = func.sum(case((table.c.hour >= since, table.c.requests), else_=0))
        statement = select(table.c.rule, requests.label("requests"), func.max(table.c.hour).label("last_hour"))
        found = self._all(statement.where(table.c.client_id == client_id).group_by(table.c.rule))
        return {row.rule: RuleUse(row.requests, row.last_hour) for row in found}

    def last_uses(self) -> Mapping[str, int]:
        """When each client that is still there last proved to be itself; one that never did is left out."""
        uses, clients = schema.client_uses, schema.clients
        of_client = select(uses.c.last_at).where(uses.c.client_id == clients.c.id, uses.c.last_at > 0)
        last = of_client.order_by(uses.c.hour.desc()).limit(1).scalar_subquery().label("last_at")
        return {row.id: row.last_at for row in self._all(select(clients.c.id, last)) if row.last_at is not None}

    def secret_uses(self) -> Mapping[SecretKey, int]:
        """When each client secret was last used for a token."""
        return {(row.client_id, row.sha256): row.last_at for row in self._all(select(schema.secret_uses))}

    def credential_checks(self) -> Mapping[str, CredentialCheck]:
        """What was last found of each client's upstream credential."""
        found = self._all(select(schema.credential_checks))
        return {row.client_id: CredentialCheck(Health(row.health), row.at) for row in found}

    def lost(self, *, since: int) -> int:
        """How many records there was no room for in memory."""
        table = schema.activity_losses
        (row,) = self._all(select(func.sum(table.c.records).label("records")).where(table.c.at >= since))
        return int(row.records or 0)

    def _page(
        self, table: Table, conditions: list[ColumnElement[bool]], older_than: int | None, limit: int
    ) -> tuple[Sequence[Row[Any]], int | None]:
        """Rows, and the cursor of those that follow: the ID of the last one, where there are more."""
        if older_than is not None:
            conditions.append(table.c.id < older_than)
        found = self._all(select(table).where(*conditions).order_by(table.c.id.desc()).limit(limit + 1))
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def _all(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with explained(), self._engine.begin() as connection:
            return connection.execute(statement).all()


def _between(table: Table, since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    after = [table.c.at >= since] if since is not None else []
    return [*after, table.c.at < until] if until is not None else after


_REFUSAL_FIELDS = ("at", "client_id", "code", "method", "path", "query", "rule", "address", "is_proven")


def _to_refusal(row: Row[Any]) -> Refusal:
    return Refusal(**{name: getattr(row, name) for name in _REFUSAL_FIELDS})
