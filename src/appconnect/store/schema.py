"""The tables. Everything belongs to a site; times are seconds since the epoch."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

SITE_ID = 1
"""The one site of this version; tables carry it so that a gateway can come to front several."""

metadata = MetaData()


def _site_id() -> Column[int]:
    return Column("site_id", Integer, ForeignKey("sites.id"), nullable=False)


revision = Table("revision", metadata, Column("number", Integer, nullable=False))

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text),  # null until connected
    Column("upstream_url", Text),
    Column("has_pretty_permalinks", Boolean, nullable=False),
    Column("is_api_enabled", Boolean, nullable=False),
    Column("grant_types", Text, nullable=False),  # names with a space between
    Column("token_lifetime_seconds", Integer, nullable=False),
    Column("route_templates", Text),  # a list in JSON; null until connected
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    _site_id(),
    Column("private_key", LargeBinary, nullable=False),  # sealed
    Column("created_at", Integer, nullable=False),
    Column("retired_at", Integer),
)

policies = Table(
    "policies",
    metadata,
    Column("hash", Text, primary_key=True),
    _site_id(),
    Column("client_id", Text, nullable=False, index=True),
    Column("content", Text, nullable=False),  # Policy.to_json
    Column("superseded_at", Integer),  # null while it is its client's current one
)

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    _site_id(),
    Column("name", Text, nullable=False),
    Column("client_type", Text, nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("token_lifetime_seconds", Integer),  # null: the site's
    Column("tokens_revoked_at", Integer),
    Column("policy_hash", Text, ForeignKey("policies.hash"), nullable=False),
    Column("created_at", Integer, nullable=False),
)

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("client_id", Text, ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer),
)

application_passwords = Table(
    "application_passwords",
    metadata,
    Column("app_id", Text, primary_key=True),
    _site_id(),
    Column("user_id", Integer, nullable=False),
    Column("login", Text, nullable=False),
    Column("client_id", Text, index=True),  # null: the administrator's; no foreign key, as it outlives its client
    Column("state", Text, nullable=False),  # PasswordState
    Column("uuid", Text),
    Column("password", LargeBinary),  # sealed
    Column("is_ours", Boolean, nullable=False),
    Column("intended_at", Integer, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("state_digest", Text, primary_key=True),
    _site_id(),
    Column("expires_at", Integer, nullable=False),
    Column("is_answered", Boolean, nullable=False),
    Column("login", Text),  # null in an answer: the administrator said no
    Column("password", LargeBinary),  # sealed
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    _site_id(),
    Column("expires_at", Integer, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Integer, primary_key=True),
    _site_id(),
    Column("at", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
)
