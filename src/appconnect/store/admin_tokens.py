"""Administrator tokens over SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy import delete as sql_delete

from appconnect.core.admin_tokens import USE_SECONDS, AdminScope, AdminToken
from appconnect.store import schema
from appconnect.store.engine import explained

_TABLE = schema.admin_tokens
_PLAIN_FIELDS = ("id", "digest", "name", "created_by", "created_at", "expires_at", "used_at", "checked_at")


class SqlAdminTokens:
    """`ports.AdminTokens`. Noting a use moves no revision: the data plane knows nothing of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, digest: bytes) -> AdminToken | None:
        """The token of a digest, whether it has expired or not."""
        with explained(), self._engine.begin() as connection:
            row = connection.execute(select(_TABLE).where(_TABLE.c.digest == digest)).one_or_none()
        return _token(row) if row is not None else None

    def all(self) -> Sequence[AdminToken]:
        """Every token, the oldest first."""
        with explained(), self._engine.begin() as connection:
            return [
                _token(row) for row in connection.execute(select(_TABLE).order_by(_TABLE.c.created_at, _TABLE.c.id))
            ]

    def note_check(self, token_id: str, *, now: int) -> None:
        """Keep when WordPress was last seen to know whoever made a token."""
        with explained(), self._engine.begin() as connection:
            connection.execute(update(_TABLE).where(_TABLE.c.id == token_id).values(checked_at=now))

    def note_use(self, token_id: str, *, now: int) -> None:
        """Keep when a token was used, once a minute whatever the number of workers."""
        is_due = _TABLE.c.used_at.is_(None) | (_TABLE.c.used_at <= now - USE_SECONDS)
        change = update(_TABLE).where((_TABLE.c.id == token_id) & is_due)
        with explained(), self._engine.begin() as connection:
            connection.execute(change.values(used_at=now))


def add(connection: Connection, token: AdminToken, *, now: int) -> None:
    """Insert a token, and drop those that have expired."""
    connection.execute(sql_delete(_TABLE).where(_TABLE.c.expires_at <= now))
    columns = {name: getattr(token, name) for name in _PLAIN_FIELDS}
    connection.execute(insert(_TABLE).values(site_id=schema.SITE_ID, scopes=" ".join(sorted(token.scopes)), **columns))


def delete(connection: Connection, token_id: str) -> None:
    """Remove a token."""
    connection.execute(sql_delete(_TABLE).where(_TABLE.c.id == token_id))


def _token(row: Any) -> AdminToken:
    scopes = frozenset(map(AdminScope, row.scopes.split()))
    return AdminToken(scopes=scopes, **{name: getattr(row, name) for name in _PLAIN_FIELDS})
