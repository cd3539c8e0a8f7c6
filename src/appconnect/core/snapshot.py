"""All that the data plane knows at one moment: immutable, and swapped whole when something changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appconnect.core.clients import Client, GrantType
from appconnect.core.keys import KeyRing
from appconnect.core.policy import Policy
from appconnect.core.secret import Secret
from appconnect.core.templates import RouteTemplates


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """Where WordPress is: its own address, and the path and style of its REST root.

    `upstream_url` is where it answers, where that is not `url` itself (a gateway before the whole site).
    """

    url: str
    upstream_url: str
    has_pretty_permalinks: bool


@dataclass(frozen=True, slots=True)
class SiteSwitches:
    """The site's own settings (the guide's Settings page)."""

    is_api_enabled: bool
    grant_types: frozenset[GrantType]
    token_lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class UpstreamCredential:
    """The application password with which the gateway acts as a client's service user (RFC 7617 Basic)."""

    login: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one revision. `policies` holds each one that an unexpired token may still name."""

    revision: int
    public_url: str
    site: SiteAddress | None
    switches: SiteSwitches
    key_ring: KeyRing
    clients: Mapping[str, Client] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    credentials: Mapping[str, UpstreamCredential] = field(default_factory=dict)
    revoked_token_ids: frozenset[str] = frozenset()
    templates: RouteTemplates = field(default_factory=RouteTemplates)

    @property
    def issuer(self) -> str:
        """RFC 8414 §2: the authorization server's identifier."""
        return self.public_url

    @property
    def audience(self) -> str:
        """RFC 9728 §1.2: the protected resource's identifier, which tokens are for."""
        return self.public_url + "/wp-json"

    def current_policy(self, client: Client) -> Policy:
        """What the client may do now."""
        return self.policies[client.policy_hash]
