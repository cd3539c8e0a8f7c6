"""What an administrator changes counts at the feed's next tick, for tokens that were issued before it.

A token can only lose; to win, a new one is needed. While the database is away, the last known state stays in force.
"""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import Engine, text

from appconnect.control import clients, switches
from appconnect.control.context import Context
from appconnect.control_plane import clock
from appconnect.core.clients import GrantType
from appconnect.core.policy import ServiceUser
from appconnect.store.engine import open_engine
from tests.protocol.conftest import AUTHOR, BACKEND, POSTS, STRANGER, Recorder, Running, eventually, reply

ME = "/wp-json/wp/v2/users/me"


def is_invalid_token(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and answer.json()["code"] == "app_connect_invalid_token"


def is_forbidden(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["code"] == "app_connect_forbidden_request"


# -- what ends a token ------------------------------------------------------------------------------------------------


async def test_disabling_the_client_ends_its_tokens(gateway: Running, token: str):
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert is_invalid_token(await gateway.get(token))


async def test_enabling_it_again_revives_them(gateway: Running, token: str):
    """Disabling is reversible; what must not come back is revoked or deleted."""
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=True)
    assert (await gateway.get(token)).status_code == 200


async def test_disabling_the_grant_type_globally_ends_them(gateway: Running, token: str):
    await gateway.change(switches.set_grant_type, GrantType.CLIENT_CREDENTIALS, is_enabled=False)
    assert is_invalid_token(await gateway.get(token))


async def test_disabling_the_grant_type_on_the_client_ends_them(gateway: Running, token: str):
    await gateway.change(take_grant_types_away)
    assert is_invalid_token(await gateway.get(token))


def take_grant_types_away(context: Context) -> None:
    client, policy = clients.find_client(context, BACKEND.id)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, grant_types=frozenset()), policy, now=clock())


async def test_deleting_the_client_ends_them(gateway: Running, token: str):
    await gateway.change(clients.delete_client, BACKEND.id)
    assert is_invalid_token(await gateway.get(token))


async def test_a_deleted_client_gets_no_token(gateway: Running):
    await gateway.change(clients.delete_client, BACKEND.id)
    assert (await gateway.request_token()).json()["error"] == "invalid_client"


async def test_revoking_in_another_worker_ends_a_token(gateway: Running, token: str):
    """RFC 7009 §2: the endpoint of one worker, the gateway of every worker."""
    forged = gateway.forge(token_id="of-another-worker")
    assert (await gateway.get(forged)).status_code == 200
    await gateway.change(revoke, "of-another-worker")
    assert is_invalid_token(await gateway.get(forged))
    assert (await gateway.get(token)).status_code == 200


def revoke(context: Context, token_id: str) -> None:
    with context.store.transaction() as transaction:
        transaction.revoke_token(token_id, expires_at=clock() + 3600, now=clock())


async def test_switching_the_api_off_refuses_every_call(gateway: Running, token: str):
    await gateway.change(switches.set_api, is_enabled=False)
    answer = await gateway.get(token)
    assert (answer.status_code, answer.json()["code"]) == (503, "app_connect_api_disabled")


async def test_switching_it_on_again_revives_every_token(gateway: Running, token: str):
    await gateway.change(switches.set_api, is_enabled=False)
    await gateway.change(switches.set_api, is_enabled=True)
    assert (await gateway.get(token)).status_code == 200


async def test_the_other_client_is_not_touched(gateway: Running):
    token = await gateway.token(STRANGER)
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert (await gateway.get(token)).status_code == 200


async def test_revoking_a_clients_tokens_ends_all_of_them(gateway: Running, token: str):
    other = await gateway.token()
    await gateway.change(clients.revoke_tokens, BACKEND.id)
    assert is_invalid_token(await gateway.get(token))
    assert is_invalid_token(await gateway.get(other))


async def test_a_token_issued_at_once_after_that_can_be_used(gateway: Running):
    """The guide: it can be used immediately. Here the clock reads the second of the revocation, and one before it."""
    await gateway.change(revoke_tokens_at, clock() + 1)
    assert (await gateway.get(await gateway.token())).status_code == 200


def revoke_tokens_at(context: Context, at: int) -> None:
    client, policy = clients.find_client(context, BACKEND.id)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, tokens_revoked_at=at), policy, now=clock())


async def test_rotating_the_secret_with_an_overlap_ends_no_token(gateway: Running, token: str):
    await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=600)
    assert (await gateway.get(token)).status_code == 200


async def test_rotating_the_secret_without_an_overlap_ends_its_tokens(gateway: Running, token: str):
    """A secret that is not trusted any more has issued nothing that is."""
    await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=0)
    assert is_invalid_token(await gateway.get(token))


# -- narrowing and widening -------------------------------------------------------------------------------------------


async def test_taking_a_rule_away_counts_for_tokens_already_issued(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(disallow=[f"GET {POSTS}"]))
    assert is_forbidden(await gateway.get(token))


async def test_the_rules_that_stay_still_open_their_routes(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(disallow=[f"GET {POSTS}"]))
    assert (await gateway.get(token, f"{POSTS}/1")).status_code == 200


async def test_a_new_rule_needs_a_new_token(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(allow=[f"GET {ME}"]))
    assert is_forbidden(await gateway.get(token, ME))
    assert (await gateway.get(await gateway.token(), ME)).status_code == 200


async def test_full_access_needs_a_new_token(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(access_mode="full"))
    assert is_forbidden(await gateway.get(token, ME))
    assert (await gateway.get(await gateway.token(), ME)).status_code == 200


async def test_the_end_of_full_access_counts_for_tokens_already_issued(gateway: Running):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(access_mode="full"))
    token = await gateway.token()
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(access_mode="restricted"))
    assert is_forbidden(await gateway.get(token, ME))


async def test_embedding_needs_a_new_token(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(allows_embed=True))
    assert is_forbidden(await gateway.get(token, f"{POSTS}?_embed"))
    assert (await gateway.get(await gateway.token(), f"{POSTS}?_embed")).status_code == 200


async def test_the_end_of_embedding_counts_for_tokens_already_issued(gateway: Running):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(allows_embed=True))
    token = await gateway.token()
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(allows_embed=False))
    assert is_forbidden(await gateway.get(token, f"{POSTS}?_embed"))


async def test_a_rule_taken_away_and_given_back_is_open_again(gateway: Running, token: str):
    """The token still has it, and the client has it again."""
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(disallow=[f"GET {POSTS}"]))
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(allow=[f"GET {POSTS}"]))
    assert (await gateway.get(token)).status_code == 200


async def test_another_name_changes_nothing_for_tokens(gateway: Running, token: str):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(name="Another name"))
    assert (await gateway.get(token)).status_code == 200


async def test_a_shorter_lifetime_leaves_tokens_their_expiry(gateway: Running, token: str):
    await gateway.change(switches.set_token_lifetime, 60)
    assert (await gateway.get(token)).status_code == 200


# -- the service user -------------------------------------------------------------------------------------------------


def become(context: Context, user: ServiceUser) -> None:
    client, policy = clients.find_client(context, BACKEND.id)
    changed = replace(policy, service_user=user)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, policy_hash=changed.hash), changed, now=clock())


GREATER = [
    pytest.param(replace(AUTHOR, capabilities=AUTHOR.capabilities | {"edit_others_posts"}), id="a capability more"),
    pytest.param(replace(AUTHOR, roles=AUTHOR.roles | {"editor"}), id="a role more"),
    pytest.param(replace(AUTHOR, id=3, login="editor"), id="another user"),
]
SMALLER = [
    pytest.param(replace(AUTHOR, capabilities=frozenset(("edit_posts",))), id="a capability less"),
    pytest.param(replace(AUTHOR, roles=frozenset()), id="a role less"),
]


@pytest.mark.parametrize("user", GREATER)
async def test_a_token_never_grows_with_its_user(gateway: Running, token: str, user: ServiceUser):
    await gateway.change(become, user)
    assert is_invalid_token(await gateway.get(token))


@pytest.mark.parametrize("user", GREATER)
async def test_a_new_token_acts_as_the_greater_user(gateway: Running, user: ServiceUser):
    await gateway.change(become, user)
    assert (await gateway.get(await gateway.token())).status_code == 200


@pytest.mark.parametrize("user", SMALLER)
async def test_a_user_that_shrank_keeps_the_token(gateway: Running, token: str, user: ServiceUser):
    """What he may no longer do, WordPress refuses."""
    await gateway.change(become, user)
    assert (await gateway.get(token)).status_code == 200


async def test_a_token_of_the_smaller_user_ends_when_the_user_grows_back(gateway: Running):
    smaller = replace(AUTHOR, capabilities=frozenset(("edit_posts",)))
    await gateway.change(become, smaller)
    token = await gateway.token()
    await gateway.change(become, AUTHOR)
    assert is_invalid_token(await gateway.get(token))


async def test_a_promotion_in_wordpress_is_found_by_the_check_of_a_credential_in_use(
    gateway: Running, upstream: Recorder, token: str
):
    upstream.wordpress.users[2]["capabilities"]["edit_others_posts"] = True
    assert (await gateway.get(token)).status_code == 200

    async def has_ended() -> bool:
        return is_invalid_token(await gateway.get(token))

    await eventually(has_ended)
    assert (await gateway.get(await gateway.token())).status_code == 200


# -- without the database ---------------------------------------------------------------------------------------------


@pytest.fixture
def engine(gateway: Running) -> Iterator[Engine]:
    engine = open_engine(gateway.settings.database_path)
    yield engine
    engine.dispose()


@pytest.fixture
def away(engine: Engine, gateway: Running, token: str) -> str:
    """A token from before; since then the database answers nothing: its first table has another name."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE revision RENAME TO mislaid"))
    return token


def come_back(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE mislaid RENAME TO revision"))


async def test_without_the_database_tokens_are_issued(gateway: Running, away: str):
    assert (await gateway.request_token()).status_code == 200


async def test_without_the_database_tokens_are_verified(gateway: Running, away: str):
    assert (await gateway.get(await gateway.token())).status_code == 200
    assert is_invalid_token(await gateway.get(away + "x"))


async def test_without_the_database_a_token_from_before_works(gateway: Running, away: str):
    assert (await gateway.get(away)).status_code == 200


async def test_without_the_database_rules_are_enforced(gateway: Running, away: str):
    assert is_forbidden(await gateway.get(away, ME))


async def test_without_the_database_a_wrong_secret_is_refused(gateway: Running, away: str):
    answer = await gateway.request_token(replace(BACKEND, secret="wrong"))
    assert answer.json()["error"] == "invalid_client"


async def test_without_the_database_an_answer_in_doubt_is_not_passed_on(
    gateway: Running, upstream: Recorder, away: str
):
    """Whether the credential still works cannot be found out then."""
    upstream.replies = [reply(b'["public"]', is_anonymous=True)]
    answer = await gateway.get(away)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_connect_upstream_unchecked")


async def test_without_the_database_a_worker_is_ready(gateway: Running, away: str):
    """It serves; whoever watches the database sees that elsewhere."""
    assert (await gateway.http.get("/app-connect/readyz")).status_code == 200


async def test_when_the_database_is_back_changes_count_again(gateway: Running, away: str, engine: Engine):
    come_back(engine)
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert is_invalid_token(await gateway.get(away))
