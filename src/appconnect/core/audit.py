"""The closed list of audit events: everything that an administrator can do leaves one of these."""

from dataclasses import dataclass
from enum import StrEnum


class AuditEventType(StrEnum):
    """What happened."""

    INITIALIZED = "initialized"
    SITE_CONNECTED = "site.connected"
    SITE_DISCONNECTED = "site.disconnected"
    SETTINGS_CHANGED = "settings.changed"
    CLIENT_CREATED = "client.created"
    CLIENT_CHANGED = "client.changed"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_DELETED = "client.deleted"
    SECRET_ROTATED = "client.secret_rotated"  # noqa: S105 - an event's name
    TOKENS_REVOKED = "client.tokens_revoked"
    UPSTREAM_CREDENTIAL_REPLACED = "upstream_credential.replaced"
    SERVICE_USER_CHANGED = "service_user.changed"
    SETUP_BEGUN = "console.setup_begun"
    SIGNED_IN = "console.signed_in"
    SIGN_IN_REFUSED = "console.sign_in_refused"
    SESSION_ENDED = "console.session_ended"
    KEY_ROTATED = "signing_key.rotated"
    KEY_RETIRED = "signing_key.retired"
    SERVICE_USER_CREATED = "service_user.created"
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - an event's name
    ADMIN_TOKEN_CREATED = "admin_token.created"  # noqa: S105 - an event's name
    ADMIN_TOKEN_REVOKED = "admin_token.revoked"  # noqa: S105 - an event's name


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that was done: when (seconds since the epoch), by whom, to what, and the change in words."""

    type: AuditEventType
    at: int
    actor: str
    subject: str
    details: str
