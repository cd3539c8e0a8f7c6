"""The console's sessions over SQL. None of this moves the revision: the data plane knows nothing of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Delete, Engine, delete, insert, select, update

from appconnect.core.secret import Secret
from appconnect.core.sessions import Session
from appconnect.store import schema
from appconnect.store.engine import explained
from appconnect.store.vault import Vault, WrongKeyError

_TABLE, _LINKS, _NOTICES = schema.console_sessions, schema.console_links, schema.console_notices


class SqlSessions:
    """`ports.Sessions`; a session is found by the SHA-256 of its cookie's token."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    def keep_link(self, digest: bytes, *, expires_at: int) -> None:
        """Expect one use of the one-time link; one that was made before, and what it began, no longer count."""
        with self._connected() as connection:
            connection.execute(delete(_LINKS))
            connection.execute(delete(_TABLE).where(_TABLE.c.user_id.is_(None)))
            connection.execute(insert(_LINKS).values(digest=digest, site_id=schema.SITE_ID, expires_at=expires_at))

    def has_link(self, digest: bytes, *, now: int) -> bool:
        """Whether this link would begin a session."""
        wanted = (_LINKS.c.digest == digest) & (_LINKS.c.expires_at > now)
        with self._connected() as connection:
            return connection.execute(select(_LINKS.c.digest).where(wanted)).first() is not None

    def use_link(self, digest: bytes, *, now: int) -> bool:
        """Use the link up; False for one that is unknown, expired or used."""
        wanted = (_LINKS.c.digest == digest) & (_LINKS.c.expires_at > now)
        with self._connected() as connection:
            return connection.execute(delete(_LINKS).where(wanted)).rowcount == 1

    def begin(self, session: Session, digest: bytes, *, now: int) -> None:
        """Keep a new session, and drop those that have expired.

        With an administrator's, the time of the one-time link is over: it and what it began no longer count.
        """
        with self._connected() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.expires_at <= now))
            if session.is_administrator:
                connection.execute(delete(_LINKS))
                connection.execute(delete(_TABLE).where(_TABLE.c.user_id.is_(None)))
            connection.execute(delete(_NOTICES).where(_NOTICES.c.session_id.not_in(select(_TABLE.c.id))))
            columns = {name: getattr(session, name) for name in _FIELDS}
            connection.execute(insert(_TABLE).values(site_id=schema.SITE_ID, digest=digest, **columns))

    def find(self, digest: bytes) -> Session | None:
        """The session of a cookie's token."""
        with self._connected() as connection:
            row = connection.execute(select(_TABLE).where(_TABLE.c.digest == digest)).one_or_none()
        return _session(row) if row is not None else None

    def all(self) -> Sequence[Session]:
        """Every session, the last used first."""
        with self._connected() as connection:
            return [_session(row) for row in connection.execute(select(_TABLE).order_by(_TABLE.c.used_at.desc()))]

    def note(self, session: Session) -> None:
        """Keep when a session was last used, checked and asked about."""
        change = update(_TABLE).where(_TABLE.c.id == session.id)
        with self._connected() as connection:
            connection.execute(
                change.values(used_at=session.used_at, checked_at=session.checked_at, asked_at=session.asked_at)
            )

    def end(self, session_id: str) -> bool:
        """End a session; False where there is none."""
        with self._connected() as connection:
            connection.execute(delete(_NOTICES).where(_NOTICES.c.session_id == session_id))
            return connection.execute(delete(_TABLE).where(_TABLE.c.id == session_id)).rowcount == 1

    def end_all(self, *, but: str | None) -> None:
        """End every session but one."""
        with self._connected() as connection:
            connection.execute(delete(_NOTICES).where(_NOTICES.c.session_id != (but or "")))
            connection.execute(delete(_TABLE).where(_TABLE.c.id != (but or "")))

    def make_setup(self, session_id: str, *, expires_at: int) -> None:
        """Make an administrator's session one that may connect a site and nothing else."""
        change = update(_TABLE).where(_TABLE.c.id == session_id)
        with self._connected() as connection:
            connection.execute(change.values(user_id=None, login=None, expires_at=expires_at))

    def leave_notice(self, session_id: str, path: str, text: Secret) -> None:
        """Leave what a page of the session shows once, sealed: it may have a client secret in it."""
        content = self._vault.seal(text, _notice_context(session_id, path))
        with self._connected() as connection:
            connection.execute(_notice(delete(_NOTICES), session_id, path))
            values = {"session_id": session_id, "path": path, "content": content}
            connection.execute(insert(_NOTICES).values(site_id=schema.SITE_ID, **values))

    def take_notice(self, session_id: str, path: str) -> Secret | None:
        """What was left for a page of the session; whoever comes second gets nothing."""
        if not self._has_notice(session_id, path):
            return None  # nearly every page: looking takes no write lock
        with self._connected() as connection:
            taken = _notice(delete(_NOTICES), session_id, path).returning(_NOTICES.c.content)
            content = connection.execute(taken).scalar_one_or_none()
        return self._vault.open(content, _notice_context(session_id, path)) if content is not None else None

    def _has_notice(self, session_id: str, path: str) -> bool:
        wanted = (_NOTICES.c.session_id == session_id) & (_NOTICES.c.path == path)
        with self._connected() as connection:
            return connection.execute(select(_NOTICES.c.path).where(wanted)).first() is not None

    def seal(self, text: Secret, purpose: str) -> bytes:
        """Text that a browser keeps for us and can neither read nor make."""
        return self._vault.seal(text, purpose)

    def unseal(self, sealed: bytes, purpose: str) -> Secret | None:
        """What was sealed for this purpose; None for anything else."""
        try:
            return self._vault.open(sealed, purpose)
        except WrongKeyError:
            return None

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with explained(), self._engine.begin() as connection:
            yield connection


_FIELDS = ("id", "user_id", "login", "browser", "created_at", "expires_at", "checked_at", "asked_at", "used_at")


def _session(row: Any) -> Session:
    return Session(**{name: getattr(row, name) for name in _FIELDS})


def _notice(statement: Delete, session_id: str, path: str) -> Delete:
    return statement.where(_NOTICES.c.session_id == session_id, _NOTICES.c.path == path)


def _notice_context(session_id: str, path: str) -> str:
    return f"console_notices/{session_id}{path}"
