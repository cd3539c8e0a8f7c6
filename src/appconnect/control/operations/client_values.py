"""What operations on clients take and give."""

from dataclasses import dataclass
from typing import Any, Final

from appconnect.control.operations.operation import Input, Output, PageWanted, SecretText
from appconnect.core.clients import Client
from appconnect.core.policy import Policy

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsWanted(PageWanted):
    """Which clients are wanted."""

    text: str = ""
    """A part of their name, ID or user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientNamed(Input):
    """Which client."""

    client: str
    """The client's ID or name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient(Input):
    """A client to add."""

    name: str = ""
    """Name: for people, such as "Backend Service"."""
    grant_types: tuple[str, ...] | None = None
    """Grant Types; all that there are, where it is left out."""
    client_type: str | None = None
    """Client Type: confidential, which Client Credentials require."""
    access_mode: str | None = None
    """Access Mode: restricted, which is the default, or full."""
    client_credentials_user: str | None = None
    """Client Credentials User: the WordPress user to act as, by login, e-mail or ID. Required."""
    rest_route_allowlist: tuple[str, ...] = ()
    """REST Route Allowlist: route rules such as "GET /wp-json/wp/v2/posts"."""
    embed: bool | None = None
    """Whether _embed may be used, which reads other routes too."""
    token_lifetime_seconds: int | None = None
    """How long its access tokens live, 60 to 86400 seconds; 0 stands for the site's lifetime."""
    application_password: SecretText | None = None
    """The user's application password, where the gateway may not make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEdit(Input):
    """Changes to a client; what is left out stays as it is."""

    client: str
    """The client's ID or name."""
    name: str | None = None
    """Name: for people."""
    grant_types: tuple[str, ...] | None = None
    """Grant Types."""
    client_type: str | None = None
    """Client Type: confidential."""
    access_mode: str | None = None
    """Access Mode: restricted or full."""
    client_credentials_user: str | None = None
    """Client Credentials User: the WordPress user to act as, by login, e-mail or ID."""
    rest_route_allowlist: tuple[str, ...] = ()
    """REST Route Allowlist: route rules to add."""
    disallow: tuple[str, ...] = ()
    """Route rules to remove from the allowlist."""
    embed: bool | None = None
    """Whether _embed may be used."""
    token_lifetime_seconds: int | None = None
    """How long its access tokens live, in seconds; 0 stands for the site's lifetime."""
    application_password: SecretText | None = None
    """The user's application password, where the gateway may not make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRotation(Input):
    """How to make a new secret."""

    client: str
    """The client's ID or name."""
    overlap_seconds: int = DAY_SECONDS
    """How long the old secret stays valid, up to 90 days. With 0, its tokens end too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretContent(Output):
    """A client secret, without the secret itself."""

    created_at: int
    """When it was made, in seconds since the epoch."""
    expires_at: int | None
    """When it ends, where it is being rotated out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContent(Output):
    """A client as it is."""

    client_id: str
    """The client's ID."""
    name: str
    """Name."""
    enabled: bool
    """Whether it may get and use access tokens."""
    grant_types: tuple[str, ...]
    """Grant Types."""
    client_type: str
    """Client Type."""
    access_mode: str
    """Access Mode: restricted or full."""
    client_credentials_user: str
    """The login of the WordPress user that it acts as."""
    client_credentials_user_id: int
    """That user's ID."""
    client_credentials_user_roles: tuple[str, ...]
    """That user's roles."""
    rest_route_allowlist: tuple[str, ...]
    """Its route rules."""
    embed: bool
    """Whether _embed may be used."""
    token_lifetime_seconds: int | None
    """How long its access tokens live; null: the site's lifetime."""
    created_at: int
    """When it was added, in seconds since the epoch."""
    secrets: tuple[SecretContent, ...]
    """Its secrets: two while one is being rotated out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedClient(ClientContent):
    """A client as it is now."""

    warnings: tuple[str, ...]
    """What to know about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedClient(ClientContent):
    """A client that was added."""

    client_secret: SecretText
    """Its secret, shown only now."""
    token_endpoint: str
    """Where it requests access tokens."""
    warnings: tuple[str, ...]
    """What to know about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSwitched(Output):
    """Whether a client is enabled now."""

    client_id: str
    """The client's ID."""
    name: str
    """Its name."""
    enabled: bool
    """Whether it may get and use access tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDeleted(Output):
    """A client that is gone."""

    client_id: str
    """The ID that it had."""
    name: str
    """The name that it had."""
    deleted: bool
    """Always true."""
    warnings: tuple[str, ...]
    """What is left to do in WordPress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRotated(Output):
    """A new client secret."""

    client_id: str
    """The client's ID."""
    client_secret: SecretText
    """The new secret, shown only now."""
    old_secret_expires_in: int
    """For how many seconds the old one stays valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensRevoked(Output):
    """Access tokens that are void."""

    client_id: str
    """The client's ID."""
    name: str
    """Its name."""
    tokens_revoked_at: int
    """Those issued until then, in seconds since the epoch, are void."""


def content_of(client: Client, policy: Policy) -> dict[str, Any]:
    """The fields of `ClientContent`."""
    return {
        "client_id": client.id,
        "name": client.name,
        "enabled": client.is_enabled,
        "grant_types": tuple(sorted(client.grant_types)),
        "client_type": client.client_type.value,
        "access_mode": policy.access_mode.value,
        "client_credentials_user": policy.service_user.login,
        "client_credentials_user_id": policy.service_user.id,
        "client_credentials_user_roles": tuple(sorted(policy.service_user.roles)),
        "rest_route_allowlist": tuple(map(str, policy.rules)),
        "embed": policy.allows_embed,
        "token_lifetime_seconds": client.token_lifetime_seconds,
        "created_at": client.created_at,
        "secrets": tuple(SecretContent(created_at=one.created_at, expires_at=one.expires_at) for one in client.secrets),
    }
