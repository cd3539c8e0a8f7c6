"""The token endpoint (RFC 6749 §4.4): named steps in the RFC's order, over one snapshot, without a write."""

from collections.abc import Mapping
from functools import lru_cache

from appconnect.asgi import NO_STORE, Answer, json_answer
from appconnect.core.access import is_grant_enabled
from appconnect.core.clients import Client, GrantType
from appconnect.core.policy import Policy
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import Claims, issue
from appconnect.oauth.errors import ErrorCode, OAuthError
from appconnect.oauth.form import RESOURCE


def token_answer(
    client: Client, parameters: Mapping[str, str], snapshot: Snapshot, *, now: int, token_id: str
) -> Answer:
    """Issue an access token to an authenticated client."""
    grant_type = _requested_grant_type(parameters)
    _check_client_may_use(grant_type, client, snapshot)
    _check_scope(parameters)
    _check_resource(parameters, snapshot)
    policy = snapshot.current_policy(client)
    lifetime = client.token_lifetime_seconds or snapshot.switches.token_lifetime_seconds
    # A token that follows a revocation within its second is none of those that were revoked.
    issued_at = max(now, (client.tokens_revoked_at or 0) + 1)
    claims = Claims(
        issuer=snapshot.issuer,
        audience=snapshot.audience,
        subject=policy.service_user.login,
        client_id=client.id,
        token_id=token_id,
        issued_at=issued_at,
        expires_at=issued_at + lifetime,
        policy_hash=policy.hash,
    )
    content = {
        "token_type": "Bearer",
        "access_token": issue(claims, snapshot.key_ring),
        "expires_in": lifetime,
        "granted_rest_routes": _granted_rest_routes(policy),
    }
    return json_answer(200, content, NO_STORE, (b"pragma", b"no-cache"))


@lru_cache(maxsize=1024)
def _granted_rest_routes(policy: Policy) -> tuple[str, ...]:
    """Written out once for a client that asks again and again."""
    return policy.granted_rest_routes


def _requested_grant_type(parameters: Mapping[str, str]) -> GrantType:
    wanted = parameters.get("grant_type")
    if wanted is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "grant_type is missing: send grant_type=client_credentials.")
    for grant_type in GrantType:
        if grant_type.parameter == wanted:
            return grant_type
    raise OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE, "grant_type must be client_credentials.")


def _check_client_may_use(grant_type: GrantType, client: Client, snapshot: Snapshot) -> None:
    if not client.is_enabled:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, "Unauthorized Client: this client is disabled.")
    if not is_grant_enabled(client, grant_type, snapshot):
        where = "for this client" if grant_type in snapshot.switches.grant_types else "globally"
        raise OAuthError(
            ErrorCode.UNAUTHORIZED_CLIENT, f"Unauthorized Client: {grant_type.label} is not enabled {where}."
        )


def _check_scope(parameters: Mapping[str, str]) -> None:
    if "scope" in parameters:
        raise OAuthError(
            ErrorCode.INVALID_SCOPE, "There are no scopes here: what a token opens is the client's route allowlist."
        )


def _check_resource(parameters: Mapping[str, str], snapshot: Snapshot) -> None:
    """RFC 8707 §2: a client may name the resources that the token is for; there is only this one."""
    for resource in parameters.get(RESOURCE, "").split():
        if resource.rstrip("/") not in (snapshot.audience, snapshot.issuer):
            raise OAuthError(ErrorCode.INVALID_TARGET, f"resource must be {snapshot.audience}.")
