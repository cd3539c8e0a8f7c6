"""The revocation endpoint (RFC 7009)."""

from collections.abc import Mapping

from appconnect.core.clients import Client
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import Claims, InvalidToken, verify
from appconnect.oauth.errors import ErrorCode, OAuthError


def token_to_revoke(client: Client, parameters: Mapping[str, str], snapshot: Snapshot, *, now: int) -> Claims | None:
    """The token to revoke, or None where there is nothing left to do: §2.2, an invalid token is no error.

    §2.1: a client revokes only what was issued to it. `token_type_hint` needs no check, as there is one type.
    """
    token = parameters.get("token")
    if token is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "token is missing.")
    try:
        claims = verify(token, snapshot.key_ring, issuer=snapshot.issuer, audience=snapshot.audience, now=now)
    except InvalidToken:
        return None
    if claims.client_id != client.id:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, "This token was issued to another client.")
    return claims
