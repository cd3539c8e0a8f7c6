"""What a token opens at this moment: the second half of verifying it, after its signature."""

from dataclasses import dataclass

from appconnect.core.clients import Client, GrantType
from appconnect.core.policy import Policy, still_covers
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import Claims, InvalidToken, verify


@dataclass(frozen=True, slots=True)
class Access:
    """A token that may be used: its claims, its client, and the two policies that both must allow a request."""

    claims: Claims
    client: Client
    granted: Policy
    current: Policy


def open_access(token: str, snapshot: Snapshot, *, now: int) -> Access:
    """Verify a token against the snapshot; `InvalidToken` where it, its client or its grant no longer stands."""
    claims = verify(token, snapshot.key_ring, issuer=snapshot.issuer, audience=snapshot.audience, now=now)
    return access_of(claims, snapshot)


def access_of(claims: Claims, snapshot: Snapshot) -> Access:
    """What a verified token opens; `InvalidToken` where its client or its grant no longer stands."""
    if claims.token_id in snapshot.revoked_token_ids:
        raise InvalidToken("revoked")
    client = snapshot.clients.get(claims.client_id)
    if client is None or not client.is_enabled:
        raise InvalidToken("its client was deleted or disabled")
    if client.tokens_revoked_at is not None and claims.issued_at <= client.tokens_revoked_at:
        raise InvalidToken("its client's tokens were revoked")
    if not is_grant_enabled(client, GrantType.CLIENT_CREDENTIALS, snapshot):
        raise InvalidToken("its grant type was disabled")
    granted, current = snapshot.policies.get(claims.policy_hash), snapshot.policies.get(client.policy_hash)
    if granted is None or current is None or not still_covers(granted, current):
        raise InvalidToken("its service user changed")
    return Access(claims, client, granted, current)


def is_grant_enabled(client: Client, grant_type: GrantType, snapshot: Snapshot) -> bool:
    """Whether a grant type is enabled both for the site and for the client."""
    return grant_type in snapshot.switches.grant_types and grant_type in client.grant_types
