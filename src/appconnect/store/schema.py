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

changes = Table(
    "changes",
    metadata,
    Column("revision", Integer, primary_key=True, autoincrement=False),
    _site_id(),
    Column("mark", LargeBinary, nullable=False),  # by chance: tells it from the same number in a restored copy
    Column("client_ids", Text, nullable=False),  # a list in JSON; the administrator's password counts as an empty ID
)

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
    Column("subject", Text, nullable=False, index=True),
    Column("details", Text, nullable=False),
)

# -- the console and the admin API ------------------------------------------------------------------------------------

console_links = Table(
    "console_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the one-time link's token
    _site_id(),
    Column("expires_at", Integer, nullable=False),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", Text, primary_key=True),  # public: by it a session is listed and ended
    _site_id(),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the cookie's token
    Column("user_id", Integer),  # null: a session of the one-time link, before anybody has signed in
    Column("login", Text),
    Column("browser", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("checked_at", Integer, nullable=False),  # when WordPress was last seen to know the user as an administrator
    Column("asked_at", Integer, nullable=False),  # when it was last asked, whatever it said
    Column("used_at", Integer, nullable=False),
)

console_notices = Table(
    "console_notices",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("path", Text, primary_key=True),  # of the page that shows it, once
    _site_id(),
    Column("content", LargeBinary, nullable=False),  # sealed: it may have a client secret in it
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    _site_id(),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # names with a space between
    Column("created_by", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("used_at", Integer),
    Column("checked_at", Integer),  # when WordPress was last seen to know whoever made it as an administrator
)

# -- activity: written beside the requests, read by the console; it moves no revision ---------------------------------

refusals = Table(
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    _site_id(),
    Column("at", Integer, nullable=False, index=True),
    Column("client_id", Text, index=True),  # null: no client is known by what was presented
    Column("is_proven", Boolean, nullable=False, index=True),  # whether a secret or a token has shown that it is its
    Column("code", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("rule", Text),  # the rule that would have allowed it
    Column("address", Text, nullable=False),
)

rule_uses = Table(
    "rule_uses",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),  # empty: full access
    Column("hour", Integer, primary_key=True),  # its first second
    _site_id(),
    Column("requests", Integer, nullable=False),
)

client_uses = Table(
    "client_uses",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("hour", Integer, primary_key=True),
    _site_id(),
    Column("tokens", Integer, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("last_at", Integer, nullable=False),
)

secret_uses = Table(
    "secret_uses",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),  # as in client_secrets
    _site_id(),
    Column("last_at", Integer, nullable=False),
)

credential_checks = Table(
    "credential_checks",
    metadata,
    Column("client_id", Text, primary_key=True),
    _site_id(),
    Column("health", Text, nullable=False),  # ports.Health
    Column("at", Integer, nullable=False),
)

activity_losses = Table(
    "activity_losses",
    metadata,
    Column("id", Integer, primary_key=True),
    _site_id(),
    Column("at", Integer, nullable=False),
    Column("records", Integer, nullable=False),  # how many could not be kept in memory any longer
)
