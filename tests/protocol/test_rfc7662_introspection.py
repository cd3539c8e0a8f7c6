"""RFC 7662: a client asks whether a token of its own can be used."""

from typing import Any

import httpx
import pytest

from appconnect.control import clients, switches
from appconnect.control_plane import clock
from appconnect.core.clients import GrantType
from tests.protocol.conftest import BACKEND, INTROSPECT, PUBLIC_URL, RESOURCE, REVOKE, STRANGER, Registered, Running


async def introspect(gateway: Running, token: str, client: Registered = BACKEND, **more: str) -> httpx.Response:
    return await gateway.http.post(INTROSPECT, auth=client.basic, data={"token": token, **more})


async def introspected(gateway: Running, token: str, client: Registered = BACKEND) -> dict[str, Any]:
    answer = await introspect(gateway, token, client)
    assert answer.status_code == 200
    return dict(answer.json())


INACTIVE = {"active": False}


async def test_a_token_that_works_is_active(gateway: Running, token: str):
    """§2.2: issued by this server, not revoked, within its time."""
    assert (await introspected(gateway, token))["active"] is True


async def test_the_answer_has_what_the_token_says(gateway: Running, token: str):
    """§2.2: client_id, username, token_type, exp, iat, sub, aud, iss, jti by their registered names."""
    content = await introspected(gateway, token)
    assert (content["iss"], content["aud"], content["sub"]) == (PUBLIC_URL, RESOURCE, "author")
    assert (content["client_id"], content["username"], content["token_type"]) == (BACKEND.id, "author", "Bearer")
    assert content["exp"] - content["iat"] == 3600
    assert content["jti"]


async def test_times_are_whole_numbers(gateway: Running, token: str):
    """§2.2: integer timestamps, in seconds since the epoch."""
    content = await introspected(gateway, token)
    assert (type(content["exp"]), type(content["iat"])) == (int, int)


async def test_the_answer_is_json_and_not_stored(gateway: Running, token: str):
    """§2.2, §4: a state that was true a moment ago must not be served again."""
    answer = await introspect(gateway, token)
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_nonsense_is_inactive_and_no_error(gateway: Running):
    """§2.2: not active, and nothing more is told."""
    assert await introspected(gateway, "nonsense") == INACTIVE


async def test_an_expired_token_is_inactive(gateway: Running):
    """§4: the server checks everything that would make a token invalid."""
    assert await introspected(gateway, gateway.forge(expires_at=clock() - 1)) == INACTIVE


async def test_a_revoked_token_is_inactive(gateway: Running, token: str):
    await gateway.http.post(REVOKE, auth=BACKEND.basic, data={"token": token})
    assert await introspected(gateway, token) == INACTIVE


async def test_a_token_of_a_disabled_client_is_inactive(gateway: Running, token: str):
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert await introspected(gateway, token) == INACTIVE


async def test_a_token_of_a_grant_type_that_was_disabled_is_inactive(gateway: Running, token: str):
    await gateway.change(switches.set_grant_type, GrantType.CLIENT_CREDENTIALS, is_enabled=False)
    assert await introspected(gateway, token) == INACTIVE


async def test_a_token_of_another_client_is_inactive(gateway: Running, token: str):
    """§2.2: what a caller may not know about, it learns nothing of."""
    assert await introspected(gateway, token, STRANGER) == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something_else"])
async def test_a_hint_changes_nothing(gateway: Running, token: str, hint: str):
    """§2.1: a server may ignore it."""
    assert (await introspect(gateway, token, token_type_hint=hint)).json()["active"] is True


async def test_a_caller_without_credentials_is_refused(gateway: Running, token: str):
    """§2.1: against scanning for tokens, the endpoint requires authorization; §2.3: 401."""
    answer = await gateway.http.post(INTROSPECT, data={"token": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_a_wrong_secret_is_refused(gateway: Running, token: str):
    """§2.3."""
    answer = await introspect(gateway, token, Registered(BACKEND.id, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_bearer_token_does_not_authenticate_a_client(gateway: Running, token: str):
    """§2.1 leaves the way to us: client authentication, as at the token endpoint."""
    headers = {"Authorization": f"Bearer {token}"}
    assert (await gateway.http.post(INTROSPECT, headers=headers, data={"token": token})).status_code == 401


async def test_a_request_without_a_token_is_invalid(gateway: Running):
    """§2.1: `token` is required."""
    answer = await gateway.http.post(INTROSPECT, auth=BACKEND.basic, data={"token_type_hint": "access_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_get_is_refused(gateway: Running, token: str):
    """§2.1: HTTP POST; §4: a token in an address would stand in logs."""
    answer = await gateway.http.get(INTROSPECT, params={"token": token}, auth=BACKEND.basic)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
