"""The introspection endpoint (RFC 7662): a client may ask about its own tokens."""

from collections.abc import Mapping

from appconnect.asgi import NO_STORE, Answer, json_answer
from appconnect.core.access import open_access
from appconnect.core.clients import Client
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import InvalidToken
from appconnect.oauth.errors import ErrorCode, OAuthError


def introspection_answer(client: Client, parameters: Mapping[str, str], snapshot: Snapshot, *, now: int) -> Answer:
    """Whether a token could be used now; §2.2: of one that is not the caller's, nothing but that it is inactive."""
    token = parameters.get("token")
    if token is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "token is missing.")
    try:
        access = open_access(token, snapshot, now=now)
    except InvalidToken:
        return _INACTIVE
    if access.client.id != client.id or not snapshot.switches.is_api_enabled:
        return _INACTIVE
    content = {"active": True, "token_type": "Bearer", "username": access.claims.subject, **access.claims.to_json()}
    return json_answer(200, content, NO_STORE)


_INACTIVE = json_answer(200, {"active": False}, NO_STORE)
