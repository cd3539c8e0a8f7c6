"""The writing half of activity: several workers add to the same counters, in statements that every database has."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Table,
    Update,
    bindparam,
    case,
    delete,
    exists,
    insert,
    select,
    update,
)

from appconnect.core.activity import DAY_SECONDS, Activity
from appconnect.store import schema

REFUSAL_RETENTION_SECONDS: Final = 90 * DAY_SECONDS
MAX_REFUSALS_KEPT: Final = 100_000
MAX_UNPROVEN_KEPT: Final = 10_000
"""Of those of which anybody may make as many as they like, beside the others."""
HOUR_RETENTION_SECONDS: Final = 400 * DAY_SECONDS

Rows = Sequence[Mapping[str, Any]]


def drop_old(connection: Connection, *, now: int) -> None:
    """Drop what is older than it is kept, and what is known of secrets and clients that are gone."""
    refusals, losses, secrets, checks = (
        schema.refusals,
        schema.activity_losses,
        schema.secret_uses,
        schema.credential_checks,
    )
    connection.execute(delete(refusals).where(refusals.c.at < now - REFUSAL_RETENTION_SECONDS))
    for table in (schema.rule_uses, schema.client_uses):
        connection.execute(delete(table).where(table.c.hour < now - HOUR_RETENTION_SECONDS))
    connection.execute(delete(losses).where(losses.c.at < now - HOUR_RETENTION_SECONDS))
    connection.execute(delete(secrets).where(secrets.c.sha256.not_in(select(schema.client_secrets.c.sha256))))
    connection.execute(delete(checks).where(checks.c.client_id.not_in(select(schema.clients.c.id))))


def drop_in_excess(connection: Connection) -> None:
    """Drop the oldest refusals of each kind beyond those that are kept."""
    table = schema.refusals
    for is_proven, most in ((True, MAX_REFUSALS_KEPT), (False, MAX_UNPROVEN_KEPT)):
        is_kind = table.c.is_proven.is_(is_proven)
        too_old = select(table.c.id).where(is_kind).order_by(table.c.id.desc()).offset(most).limit(1)
        newest = connection.execute(too_old).scalar_one_or_none()
        if newest is not None:
            connection.execute(delete(table).where(is_kind, table.c.id <= newest))


def write(connection: Connection, recorded: Activity, *, now: int) -> None:
    """Add all of it. Each statement writes, so that on SQLite the first one takes the write lock."""
    losses = [{"at": now, "records": recorded.lost}] if recorded.lost else []
    for table, found in ((schema.refusals, map(asdict, recorded.refusals)), (schema.activity_losses, losses)):
        if columns := [{"site_id": schema.SITE_ID, **row} for row in found]:
            connection.execute(insert(table), columns)
    rules = [
        {"client_id": client_id, "rule": rule, "hour": hour, "requests": requests}
        for (client_id, rule, hour), requests in recorded.rule_uses.items()
    ]
    clients = [
        {"client_id": client_id, "hour": hour, **asdict(use)} for (client_id, hour), use in recorded.client_uses.items()
    ]
    secrets = [
        {"client_id": client_id, "sha256": sha256, "last_at": at}
        for (client_id, sha256), at in recorded.secret_uses.items()
    ]
    _add(connection, schema.rule_uses, rules, sums=("requests",))
    _add(connection, schema.client_uses, clients, sums=("tokens", "allowed", "refused"), latest=("last_at",))
    _add(connection, schema.secret_uses, secrets, latest=("last_at",))
    _write_checks(connection, recorded)


def _write_checks(connection: Connection, recorded: Activity) -> None:
    """A finding that is the same as before keeps its beginning; of two workers' findings the later one counts."""
    table = schema.credential_checks
    found = [
        {"client_id": client_id, "health": check.health.value, "at": check.since}
        for client_id, check in recorded.credential_checks.items()
    ]
    _make_missing(connection, table, found)
    health, at = _new(table.c.health), _new(table.c.at)
    is_news = (table.c.health != health) & (table.c.at <= at)
    _change(connection, update(table).where(is_news).values(health=health, at=at), table, found)


def _add(
    connection: Connection, table: Table, found: Rows, *, sums: Sequence[str] = (), latest: Sequence[str] = ()
) -> None:
    """Add to the columns `sums`, and move the columns `latest` on, in the rows with these primary keys."""
    _make_missing(connection, table, [{**row, **dict.fromkeys(sums, 0)} for row in found])
    changes: dict[str, ColumnElement[Any]] = {name: table.c[name] + _new(table.c[name]) for name in sums}
    for name in latest:
        changes[name] = case((table.c[name] < _new(table.c[name]), _new(table.c[name])), else_=table.c[name])
    _change(connection, update(table).values(changes), table, found)


def _make_missing(connection: Connection, table: Table, found: Rows) -> None:
    """Insert the rows that are not there.

    Where another worker inserts the same one meanwhile, which SQLite has no room for, the transaction fails as a whole
    and is tried again.
    """
    values = [_new(column) for column in table.c]
    is_there = exists().where(*(key == _new(key) for key in table.primary_key))
    statement = insert(table).from_select(list(table.c), select(*values).where(~is_there))
    _execute(connection, statement, [{"site_id": schema.SITE_ID, **row} for row in found])


def _change(connection: Connection, statement: Update, table: Table, found: Rows) -> None:
    _execute(connection, statement.where(*(key == _new(key) for key in table.primary_key)), found)


def _execute(connection: Connection, statement: Executable, found: Rows) -> None:
    if found:
        connection.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in found])


def _new(column: Column[Any]) -> BindParameter[Any]:
    """The new value of a column; SQLAlchemy keeps the column's own name for itself."""
    return bindparam(f"new_{column.name}", type_=column.type)
