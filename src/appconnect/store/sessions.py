"""The console's sessions over SQL. None of this moves the revision: the data plane knows nothing of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from appconnect.core.secret import Secret
from appconnect.core.sessions import Session
from appconnect.store import schema
from appconnect.store.engine import explained
from appconnect.store.vault import Vault

_TABLE, _LINKS = schema.console_sessions, schema.console_links


class SqlSessions:
    """`ports.Sessions`; a session is found by the SHA-256 of its cookie's token."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    def keep_link(self, digest: bytes, *, expires_at: int) -> None:
        """Expect one use of the one-time link; a link that was made before no longer counts."""
        with self._changing() as connection:
            connection.execute(delete(_LINKS))
            connection.execute(insert(_LINKS).values(digest=digest, site_id=schema.SITE_ID, expires_at=expires_at))

    def has_link(self, digest: bytes, *, now: int) -> bool:
        """Whether this link would begin a session."""
        wanted = (_LINKS.c.digest == digest) & (_LINKS.c.expires_at > now)
        with self._changing() as connection:
            return connection.execute(select(_LINKS.c.digest).where(wanted)).first() is not None

    def use_link(self, digest: bytes, *, now: int) -> bool:
        """Use the link up; False for one that is unknown, expired or used."""
        wanted = (_LINKS.c.digest == digest) & (_LINKS.c.expires_at > now)
        with self._changing() as connection:
            return connection.execute(delete(_LINKS).where(wanted)).rowcount == 1

    def forget_links(self) -> None:
        """No one-time link counts any more."""
        with self._changing() as connection:
            connection.execute(delete(_LINKS))

    def begin(self, session: Session, digest: bytes, *, now: int) -> None:
        """Keep a new session, and drop those that have expired."""
        with self._changing() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.expires_at <= now))
            columns = {name: getattr(session, name) for name in _FIELDS}
            connection.execute(insert(_TABLE).values(site_id=schema.SITE_ID, digest=digest, **columns))

    def find(self, digest: bytes) -> Session | None:
        """The session of a cookie's token."""
        with self._changing() as connection:
            row = connection.execute(select(_TABLE).where(_TABLE.c.digest == digest)).one_or_none()
        return _session(row) if row is not None else None

    def all(self) -> Sequence[Session]:
        """Every session, the last used first."""
        with self._changing() as connection:
            return [_session(row) for row in connection.execute(select(_TABLE).order_by(_TABLE.c.used_at.desc()))]

    def note(self, session_id: str, *, used_at: int, checked_at: int) -> None:
        """Keep when a session was last used and checked."""
        change = update(_TABLE).where(_TABLE.c.id == session_id).values(used_at=used_at, checked_at=checked_at)
        with self._changing() as connection:
            connection.execute(change)

    def end(self, session_id: str) -> bool:
        """End a session; False where there is none."""
        with self._changing() as connection:
            return connection.execute(delete(_TABLE).where(_TABLE.c.id == session_id)).rowcount == 1

    def end_all(self, *, but: str | None) -> None:
        """End every session but one."""
        with self._changing() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.id != (but or "")))

    def leave_notice(self, session_id: str, text: Secret) -> None:
        """Leave what a page of the session shows once, sealed: it may have a client secret in it."""
        sealed = self._vault.seal(text, _notice_context(session_id))
        with self._changing() as connection:
            connection.execute(update(_TABLE).where(_TABLE.c.id == session_id).values(notice=sealed))

    def notice(self, session_id: str) -> Secret | None:
        """What was left for a page of the session."""
        with self._changing() as connection:
            wanted = select(_TABLE.c.notice).where(_TABLE.c.id == session_id)
            sealed = connection.execute(wanted).scalar_one_or_none()
        return self._vault.open(sealed, _notice_context(session_id)) if sealed is not None else None

    def drop_notice(self, session_id: str) -> None:
        """It has been shown."""
        with self._changing() as connection:
            connection.execute(update(_TABLE).where(_TABLE.c.id == session_id).values(notice=None))

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with explained(), self._engine.begin() as connection:
            yield connection


_FIELDS = ("id", "user_id", "login", "browser", "created_at", "expires_at", "checked_at", "used_at")


def _session(row: Any) -> Session:
    return Session(**{name: getattr(row, name) for name in _FIELDS})


def _notice_context(session_id: str) -> str:
    return f"console_sessions/{session_id}"
