"""The store over SQL: opening it, reading it, and one change at a time."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from appconnect.core.activity import EventFilter
from appconnect.core.audit import AuditEvent
from appconnect.core.snapshot import Snapshot
from appconnect.ports import ApplicationPassword, Approval, Transaction
from appconnect.store import rows, schema
from appconnect.store.activity import SqlActivities
from appconnect.store.admin_tokens import SqlAdminTokens
from appconnect.store.engine import explained
from appconnect.store.reading import Reader
from appconnect.store.sessions import SqlSessions
from appconnect.store.transaction import SqlTransaction
from appconnect.store.vault import Vault

LOCK_POLL_SECONDS = 0.05


class SqlStore:
    """A `ports.Store` over SQL. Methods block: call them from a thread where an event loop is running."""

    def __init__(self, engine: Engine, vault: Vault, *, public_url: str, lock_file: Path) -> None:
        self._engine, self._vault, self._lock_file = engine, vault, lock_file
        self._reader = Reader(vault, public_url=public_url)
        self.sessions = SqlSessions(engine, vault)
        self.activities = SqlActivities(engine)
        self.admin_tokens = SqlAdminTokens(engine)

    def revision(self) -> int:
        """The number that grows with each transaction."""
        with self._reading() as connection:
            return int(connection.execute(select(schema.revision.c.number)).scalar_one())

    def snapshot(self, *, now: int) -> Snapshot:
        """All that the data plane needs, read in one transaction; what did not change is that of the last one."""
        with self._reading() as connection:
            return self._reader.read(connection, now=now).snapshot

    def application_passwords(self) -> Sequence[ApplicationPassword]:
        """All of them, unfinished ones too, the oldest first."""
        with self._reading() as connection:
            return self._reader.read(connection, now=None).records.passwords

    def application_passwords_of(self, client_id: str) -> Sequence[ApplicationPassword]:
        """A client's own, unfinished ones too, the oldest first."""
        with self._reading() as connection:
            record = self._reader.read(connection, now=None).records.records.get(client_id)
        return record.passwords if record is not None else ()

    def approval(self, state_digest: str) -> Approval | None:
        """What has come back for a state; None for one that nobody waits for."""
        table = schema.approvals
        with self._reading() as connection:
            row = connection.execute(select(table).where(table.c.state_digest == state_digest)).one_or_none()
            return rows.to_approval(row, self._vault) if row is not None else None

    def audit_events(self, *, limit: int) -> Sequence[AuditEvent]:
        """The newest first."""
        return list(self.activities.events(EventFilter(), older_than=None, limit=limit).items)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a change; committed when the block ends, undone when it raises."""
        with explained(), self._engine.begin() as connection:
            change = SqlTransaction(connection, self._vault)
            yield change
            change.finish()

    @contextmanager
    def exclusively(self, *, wait_seconds: float = 60.0) -> Iterator[bool]:
        """Hold a lock on a file beside the database, which the kernel drops when this process dies."""
        with os.fdopen(os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)) as file:
            deadline = time.monotonic() + wait_seconds
            while not (is_ours := _try_lock(file.fileno())) and time.monotonic() < deadline:
                time.sleep(LOCK_POLL_SECONDS)
            yield is_ours

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(), self._engine.begin() as connection:
            yield connection


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
