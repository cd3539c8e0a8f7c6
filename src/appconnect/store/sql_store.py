"""The store over SQL: opening it, reading it, and one change at a time."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from appconnect.core.activity import EventFilter
from appconnect.core.audit import AuditEvent
from appconnect.core.clients import ClientSecretHash
from appconnect.core.keys import KeyRing
from appconnect.core.policy import Policy
from appconnect.core.snapshot import Snapshot
from appconnect.core.templates import RouteTemplates
from appconnect.ports import ApplicationPassword, Approval, PasswordState, Transaction
from appconnect.store import rows, schema
from appconnect.store.activity import SqlActivities
from appconnect.store.admin_tokens import SqlAdminTokens
from appconnect.store.engine import explained
from appconnect.store.sessions import SqlSessions
from appconnect.store.transaction import POLICY_RETENTION_SECONDS, SqlTransaction
from appconnect.store.vault import Vault

LOCK_POLL_SECONDS = 0.05


class SqlStore:
    """A `ports.Store` over SQL. Methods block: call them from a thread where an event loop is running."""

    def __init__(self, engine: Engine, vault: Vault, *, public_url: str, lock_file: Path) -> None:
        self._engine, self._vault = engine, vault
        self._public_url, self._lock_file = public_url, lock_file
        self._templates = ("[]", RouteTemplates())
        self.sessions = SqlSessions(engine, vault)
        self.activities = SqlActivities(engine)
        self.admin_tokens = SqlAdminTokens(engine)

    def revision(self) -> int:
        """The number that grows with each transaction."""
        with self._reading() as connection:
            return int(connection.execute(select(schema.revision.c.number)).scalar_one())

    def snapshot(self, *, now: int) -> Snapshot:
        """All that the data plane needs, read in one transaction."""
        with self._reading() as connection:
            site = connection.execute(select(schema.sites)).one()
            policies = self._policies(connection, now)
            return Snapshot(
                revision=int(connection.execute(select(schema.revision.c.number)).scalar_one()),
                public_url=self._public_url,
                site=rows.to_site_address(site),
                switches=rows.to_switches(site),
                key_ring=self._key_ring(connection),
                clients={client.id: client for client in self._clients(connection)},
                policies=policies,
                credentials={
                    password.client_id: password.credential
                    for password in self._passwords(connection)
                    if password.client_id is not None and password.state is PasswordState.IN_USE
                },
                revoked_token_ids=self._revoked_token_ids(connection, now),
                templates=self._route_templates(site.route_templates or "[]"),
            )

    def application_passwords(self) -> Sequence[ApplicationPassword]:
        """All of them, unfinished ones too."""
        with self._reading() as connection:
            return self._passwords(connection)

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
            yield SqlTransaction(connection, self._vault)

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

    def _policies(self, connection: Connection, now: int) -> dict[str, Policy]:
        table = schema.policies
        is_wanted = table.c.superseded_at.is_(None) | (table.c.superseded_at > now - POLICY_RETENTION_SECONDS)
        found = connection.execute(select(table.c.hash, table.c.content).where(is_wanted))
        return {row.hash: Policy.from_json(json.loads(row.content)) for row in found}

    def _clients(self, connection: Connection) -> Iterator[Any]:
        secrets: dict[str, list[ClientSecretHash]] = {}
        for row in connection.execute(select(schema.client_secrets).order_by(schema.client_secrets.c.created_at)):
            secrets.setdefault(row.client_id, []).append(ClientSecretHash(row.sha256, row.created_at, row.expires_at))
        for row in connection.execute(select(schema.clients).order_by(schema.clients.c.created_at)):
            yield rows.to_client(row, tuple(secrets.get(row.id, ())))

    def _route_templates(self, text: str) -> RouteTemplates:
        """Hundreds of patterns, compiled anew only where the site has others."""
        if self._templates[0] != text:
            self._templates = (text, RouteTemplates(json.loads(text)))
        return self._templates[1]

    def _key_ring(self, connection: Connection) -> KeyRing:
        return KeyRing(
            tuple(rows.to_signing_key(row, self._vault) for row in _all(connection, select(schema.signing_keys)))
        )

    def _passwords(self, connection: Connection) -> list[ApplicationPassword]:
        found = _all(connection, select(schema.application_passwords))
        return [rows.to_application_password(row, self._vault) for row in found]

    def _revoked_token_ids(self, connection: Connection, now: int) -> frozenset[str]:
        table = schema.revoked_tokens
        return frozenset(connection.execute(select(table.c.token_id).where(table.c.expires_at > now)).scalars())


def _all(connection: Connection, statement: Select[Any]) -> Sequence[Any]:
    return connection.execute(statement).all()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
