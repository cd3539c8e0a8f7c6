"""The writing half of the store: changes that take effect together."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from appconnect.core.admin_tokens import AdminToken
from appconnect.core.audit import AuditEvent
from appconnect.core.clients import Client
from appconnect.core.keys import SigningKey
from appconnect.core.policy import Policy
from appconnect.core.snapshot import SiteAddress, SiteSwitches, UpstreamCredential
from appconnect.ports import ApplicationPassword
from appconnect.store import admin_tokens, history, rows, schema
from appconnect.store.policies import POLICY_RETENTION_SECONDS
from appconnect.store.vault import Vault


class SqlTransaction:
    """A `ports.Transaction` on one open connection; its first statement moves the revision and takes the write lock."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault
        self._changed_client_ids: set[str] = set()
        number = schema.revision.c.number
        self._revision = int(
            connection.execute(update(schema.revision).values(number=number + 1).returning(number)).scalar_one()
        )

    def finish(self) -> None:
        """Say which clients have changed. What does not belong to one is read by every worker at each revision."""
        history.record(self._connection, self._revision, self._changed_client_ids)

    def save_site(self, site: SiteAddress | None) -> None:
        """Connect the site, or disconnect it with None."""
        self._update_site(
            url=site.url if site else None,
            upstream_url=site.upstream_url if site else None,
            has_pretty_permalinks=site.has_pretty_permalinks if site else True,
            **({} if site else {"route_templates": None}),
        )

    def save_route_templates(self, templates: Sequence[str]) -> None:
        """Keep the route templates that the site's index lists."""
        self._update_site(route_templates=json.dumps(list(templates)))

    def save_switches(self, switches: SiteSwitches) -> None:
        """Change the site's own settings."""
        self._update_site(
            is_api_enabled=switches.is_api_enabled,
            grant_types=rows.grant_types_to_text(switches.grant_types),
            token_lifetime_seconds=switches.token_lifetime_seconds,
        )

    def save_signing_key(self, key: SigningKey) -> None:
        """Add a signing key or change one."""
        self._replace(schema.signing_keys, "kid", rows.from_signing_key(key, self._vault))

    def save_client(self, client: Client, policy: Policy, *, now: int) -> None:
        """Add or change a client together with its secrets and current policy; the policy it had is superseded."""
        policies = schema.policies
        self._changed_client_ids.add(client.id)
        self._connection.execute(
            update(policies)
            .where(
                policies.c.client_id == client.id, policies.c.hash != policy.hash, policies.c.superseded_at.is_(None)
            )
            .values(superseded_at=now)
        )
        self._connection.execute(delete(policies).where(policies.c.superseded_at < now - POLICY_RETENTION_SECONDS))
        content = json.dumps(policy.to_json())
        columns = {"hash": policy.hash, "client_id": client.id, "content": content, "superseded_at": None}
        self._replace(policies, "hash", columns)
        self._replace(schema.clients, "id", rows.from_client(client))
        self._connection.execute(delete(schema.client_secrets).where(schema.client_secrets.c.client_id == client.id))
        for secret in client.secrets:
            self._connection.execute(
                insert(schema.client_secrets).values(
                    client_id=client.id,
                    sha256=secret.sha256,
                    created_at=secret.created_at,
                    expires_at=secret.expires_at,
                )
            )

    def delete_client(self, client_id: str) -> None:
        """Remove a client with its secrets and policies: its tokens are void at once."""
        self._changed_client_ids.add(client_id)
        self._connection.execute(delete(schema.client_secrets).where(schema.client_secrets.c.client_id == client_id))
        self._connection.execute(delete(schema.clients).where(schema.clients.c.id == client_id))
        self._connection.execute(delete(schema.policies).where(schema.policies.c.client_id == client_id))

    def save_application_password(self, password: ApplicationPassword) -> None:
        """Add an application password or change one."""
        columns = rows.from_application_password(password, self._vault)
        self._note_password(password.app_id)
        self._changed_client_ids.add(password.client_id or history.ADMINISTRATOR)
        self._replace(schema.application_passwords, "app_id", columns)

    def forget_application_password(self, app_id: str) -> None:
        """Drop what is known of an application password that no longer exists."""
        table = schema.application_passwords
        self._note_password(app_id)
        self._connection.execute(delete(table).where(table.c.app_id == app_id))

    def await_approval(self, state_digest: str, *, expires_at: int, now: int) -> None:
        """Expect an answer from the authorize-application page until `expires_at`; drop those that nobody awaits."""
        table = schema.approvals
        self._connection.execute(delete(table).where(table.c.expires_at <= now))
        columns = {"state_digest": state_digest, "expires_at": expires_at, "is_answered": False}
        self._replace(table, "state_digest", columns)

    def answer_approval(self, state_digest: str, credential: UpstreamCredential | None, *, now: int) -> bool:
        """Keep the answer for an expected state, once; False for any other."""
        table, sealed = schema.approvals, None
        if credential is not None:
            sealed = self._vault.seal(credential.password, rows.approval_context(state_digest))
        is_expected = (table.c.state_digest == state_digest) & (table.c.expires_at > now) & ~table.c.is_answered
        answer = {"is_answered": True, "login": credential.login if credential else None, "password": sealed}
        return self._connection.execute(update(table).where(is_expected).values(**answer)).rowcount == 1

    def forget_approval(self, state_digest: str) -> None:
        """Stop waiting for an answer, or drop one that was read."""
        self._connection.execute(delete(schema.approvals).where(schema.approvals.c.state_digest == state_digest))

    def revoke_token(self, token_id: str, *, expires_at: int, now: int) -> None:
        """Refuse a token until it would have expired (seconds since the epoch); forget those that have."""
        table = schema.revoked_tokens
        self._connection.execute(delete(table).where(table.c.expires_at <= now))
        self._replace(table, "token_id", {"token_id": token_id, "expires_at": expires_at})

    def add_admin_token(self, token: AdminToken, *, now: int) -> None:
        """Add an administrator token, and drop those that have expired."""
        admin_tokens.add(self._connection, token, now=now)

    def delete_admin_token(self, token_id: str) -> None:
        """Remove an administrator token: it is refused from now on."""
        admin_tokens.delete(self._connection, token_id)

    def record(self, event: AuditEvent) -> None:
        """Write an audit event."""
        self._connection.execute(
            insert(schema.audit_events).values(
                site_id=schema.SITE_ID,
                at=event.at,
                type=event.type.value,
                actor=event.actor,
                subject=event.subject,
                details=event.details,
            )
        )

    def _note_password(self, app_id: str) -> None:
        """The client that has this application password until now, if there is one, changes too."""
        table = schema.application_passwords
        found = self._connection.execute(select(table.c.client_id).where(table.c.app_id == app_id)).scalars()
        self._changed_client_ids.update(client_id or history.ADMINISTRATOR for client_id in found)

    def _update_site(self, **columns: Any) -> None:
        self._connection.execute(update(schema.sites).where(schema.sites.c.id == schema.SITE_ID).values(**columns))

    def _replace(self, table: Table, key: str, columns: dict[str, Any]) -> None:
        """Update the row with this key, or insert it: the same on every database."""
        changed = self._connection.execute(update(table).where(table.c[key] == columns[key]).values(**columns))
        if changed.rowcount == 0:
            self._connection.execute(insert(table).values(site_id=schema.SITE_ID, **columns))
