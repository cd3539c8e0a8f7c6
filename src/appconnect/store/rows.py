"""Rows to values and back."""

from functools import lru_cache
from typing import Any

from joserfc.jwk import OKPKey
from sqlalchemy import Row

from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client, ClientSecretHash, ClientType, GrantType
from appconnect.core.keys import SigningKey
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches, UpstreamCredential
from appconnect.ports import ApplicationPassword, Approval, PasswordState
from appconnect.store.vault import Vault


@lru_cache
def grant_types_from_text(text: str) -> frozenset[GrantType]:
    """Read the names that a column holds."""
    return frozenset(map(GrantType, text.split()))


def grant_types_to_text(grant_types: frozenset[GrantType]) -> str:
    """Write names into a column."""
    return " ".join(sorted(grant_types))


def to_site_address(row: Row[Any]) -> SiteAddress | None:
    """The site's address, once it is connected."""
    return SiteAddress(row.url, row.upstream_url, row.has_pretty_permalinks) if row.url else None


def to_switches(row: Row[Any]) -> SiteSwitches:
    """The site's own settings."""
    return SiteSwitches(row.is_api_enabled, grant_types_from_text(row.grant_types), row.token_lifetime_seconds)


def to_client(row: Row[Any], secrets: tuple[ClientSecretHash, ...]) -> Client:
    """A client with its secrets."""
    return Client(
        id=row.id,
        name=row.name,
        grant_types=grant_types_from_text(row.grant_types),
        is_enabled=row.is_enabled,
        secrets=secrets,
        policy_hash=row.policy_hash,
        created_at=row.created_at,
        token_lifetime_seconds=row.token_lifetime_seconds,
        client_type=ClientType(row.client_type),
        tokens_revoked_at=row.tokens_revoked_at,
    )


def from_client(client: Client) -> dict[str, Any]:
    """A client's columns, without its secrets."""
    return {
        "id": client.id,
        "name": client.name,
        "client_type": client.client_type.value,
        "grant_types": grant_types_to_text(client.grant_types),
        "is_enabled": client.is_enabled,
        "token_lifetime_seconds": client.token_lifetime_seconds,
        "tokens_revoked_at": client.tokens_revoked_at,
        "policy_hash": client.policy_hash,
        "created_at": client.created_at,
    }


def to_signing_key(row: Row[Any], vault: Vault) -> SigningKey:
    """A signing key, opened."""
    pem = vault.open(row.private_key, f"signing_keys/{row.kid}").reveal()
    return SigningKey(OKPKey.import_key(pem), row.created_at, row.retired_at)


def from_signing_key(key: SigningKey, vault: Vault) -> dict[str, Any]:
    """A signing key's columns, sealed."""
    pem = Secret(key.jwk.as_pem(private=True).decode())
    return {
        "kid": key.kid,
        "private_key": vault.seal(pem, f"signing_keys/{key.kid}"),
        "created_at": key.created_at,
        "retired_at": key.retired_at,
    }


def to_application_password(row: Row[Any], vault: Vault) -> ApplicationPassword:
    """An application password, opened where there is one."""
    return ApplicationPassword(
        app_id=row.app_id,
        user_id=row.user_id,
        login=row.login,
        client_id=row.client_id,
        state=PasswordState(row.state),
        uuid=row.uuid,
        password=vault.open(row.password, _password_context(row.app_id)) if row.password is not None else None,
        is_ours=row.is_ours,
        intended_at=row.intended_at,
    )


def from_application_password(password: ApplicationPassword, vault: Vault) -> dict[str, Any]:
    """An application password's columns, sealed."""
    secret = password.password
    return {
        "app_id": password.app_id,
        "user_id": password.user_id,
        "login": password.login,
        "client_id": password.client_id,
        "state": password.state.value,
        "uuid": password.uuid,
        "password": vault.seal(secret, _password_context(password.app_id)) if secret is not None else None,
        "is_ours": password.is_ours,
        "intended_at": password.intended_at,
    }


def to_approval(row: Row[Any], vault: Vault) -> Approval:
    """What the authorize-application page sent back."""
    if row.password is None:
        return Approval(row.is_answered)
    password = vault.open(row.password, approval_context(row.state_digest))
    return Approval(row.is_answered, UpstreamCredential(row.login, password))


def approval_context(state_digest: str) -> str:
    """What a password in an answer is sealed for."""
    return f"approvals/{state_digest}"


def _password_context(app_id: str) -> str:
    return f"application_passwords/{app_id}"


def to_audit_event(row: Row[Any]) -> AuditEvent:
    """An audit event."""
    return AuditEvent(AuditEventType(row.type), row.at, row.actor, row.subject, row.details)
