"""RFC 7009: a client takes back a token of its own."""

import httpx
import pytest
from sqlalchemy import Engine, text

from appconnect.control import clients
from appconnect.control_plane import clock
from appconnect.core.audit import AuditEventType
from appconnect.store.engine import open_engine
from tests.protocol.conftest import BACKEND, REVOKE, STRANGER, Registered, Running


async def revoke(gateway: Running, token: str, client: Registered = BACKEND, **more: str) -> httpx.Response:
    return await gateway.http.post(REVOKE, auth=client.basic, data={"token": token, **more})


@pytest.fixture
def broken_database(gateway: Running) -> Engine:
    """A database that answers nothing any more: its first table has another name."""
    engine = open_engine(gateway.settings.database_path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE revision RENAME TO mislaid"))
    return engine


async def test_a_revoked_token_is_refused_from_then_on(gateway: Running, token: str):
    """§2: the token is invalidated at once, and may not be used again."""
    await revoke(gateway, token)
    answer = await gateway.get(token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_the_answer_is_200_and_an_empty_object(gateway: Running, token: str):
    """§2.2: the client looks at nothing but the status."""
    answer = await revoke(gateway, token)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert answer.headers["cache-control"] == "no-store"


async def test_other_tokens_of_the_client_stay(gateway: Running, token: str):
    """§2.1: only the token that was sent, as there is no grant that it hangs on."""
    other = await gateway.token()
    await revoke(gateway, token)
    assert (await gateway.get(other)).status_code == 200


async def test_revoking_twice_is_no_error(gateway: Running, token: str):
    """§2.2: the purpose is reached already."""
    await revoke(gateway, token)
    assert (await revoke(gateway, token)).status_code == 200


@pytest.mark.parametrize(
    "token", [pytest.param("nonsense", id="no JWT"), pytest.param("eyJhbGciOiJub25lIn0.e30.", id="an unsigned JWT")]
)
async def test_an_invalid_token_is_no_error(gateway: Running, token: str):
    """§2.2: invalid tokens do not cause an error."""
    assert (await revoke(gateway, token)).status_code == 200


async def test_an_expired_token_is_no_error(gateway: Running):
    """§2.2: as any invalid token."""
    assert (await revoke(gateway, gateway.forge(expires_at=clock() - 1))).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something_else"])
async def test_a_hint_changes_nothing(gateway: Running, token: str, hint: str):
    """§2.1: a server may ignore it, and looks through all its tokens where it is wrong."""
    await revoke(gateway, token, token_type_hint=hint)
    assert (await gateway.get(token)).status_code == 401


async def test_a_token_of_another_client_is_refused_and_stays(gateway: Running, token: str):
    """§2.1: the request is refused and the client is told."""
    answer = await revoke(gateway, token, STRANGER)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert (await gateway.get(token)).status_code == 200


async def test_a_caller_without_credentials_is_refused_and_the_token_stays(gateway: Running, token: str):
    """§2.1: the client authenticates as at the token endpoint."""
    answer = await gateway.http.post(REVOKE, data={"token": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await gateway.get(token)).status_code == 200


async def test_a_wrong_secret_is_refused_and_the_token_stays(gateway: Running, token: str):
    """§2.1, RFC 6749 §2.3.1."""
    assert (await revoke(gateway, token, Registered(BACKEND.id, "wrong"))).status_code == 401
    assert (await gateway.get(token)).status_code == 200


async def test_credentials_may_stand_in_the_body(gateway: Running, token: str):
    """§2.1, RFC 6749 §2.3.1."""
    data = {"token": token, "client_id": BACKEND.id, "client_secret": BACKEND.secret}
    assert (await gateway.http.post(REVOKE, data=data)).status_code == 200
    assert (await gateway.get(token)).status_code == 401


async def test_a_request_without_a_token_is_invalid(gateway: Running):
    """§2.1: `token` is required."""
    answer = await gateway.http.post(REVOKE, auth=BACKEND.basic, data={"token_type_hint": "access_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_token_in_the_query_is_not_one(gateway: Running, token: str):
    """§2.1: the parameters are in the body; an address stands in logs."""
    answer = await gateway.http.post(
        REVOKE, params={"token": token}, auth=BACKEND.basic, data={"token_type_hint": "access_token"}
    )
    assert answer.status_code == 400


async def test_get_is_refused(gateway: Running):
    """§2.1: HTTP POST."""
    answer = await gateway.http.get(REVOKE, auth=BACKEND.basic)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_disabled_client_may_still_revoke(gateway: Running, token: str):
    """What it had may come back to life when it is enabled again."""
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert (await revoke(gateway, token)).status_code == 200
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=True)
    assert (await gateway.get(token)).status_code == 401


async def test_without_the_database_it_asks_to_try_again(gateway: Running, token: str, broken_database: Engine):
    """§2.2.1: 503, and the client must take it that the token still exists; `Retry-After` says when to try."""
    answer = await revoke(gateway, token)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_it_is_in_the_audit_log_without_the_token(gateway: Running, token: str):
    await revoke(gateway, token)
    (event,) = gateway.store.audit_events(limit=1)
    assert (event.type, event.actor) == (AuditEventType.TOKEN_REVOKED, f"client {BACKEND.id}")
    assert token not in repr(event)
