"""RFC 6750: how a client shows its access token, and what it hears when that does not suffice."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from appconnect.control_plane import clock
from appconnect.settings import Settings
from tests.protocol.conftest import BACKEND, POSTS, PUBLIC_URL, Recorder, Running, basic, running

METADATA = f"{PUBLIC_URL}/.well-known/oauth-protected-resource/wp-json"
QUOTABLE = r"[\x20-\x21\x23-\x5B\x5D-\x7E]*"  # §3: what an error description may be made of


@pytest.fixture
async def open_gateway(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """A gateway before the whole site: what has no token of ours is passed to WordPress."""
    async with running(replace(settings, untokened="pass"), upstream.url) as application:
        yield application


# -- §2: sending a token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_token_in_the_header_is_one(gateway: Running, token: str, scheme: str):
    """§2.1; RFC 9110 §11.1: a scheme's name in any case."""
    answer = await gateway.http.get(POSTS, headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200


async def test_a_token_in_the_body_is_none(gateway: Running, token: str):
    """§2.2: not to be used, and not supported."""
    answer = await gateway.http.post(POSTS, data={"access_token": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "app_connect_token_required")


async def test_a_token_in_the_query_is_none(gateway: Running, token: str):
    """§2.3: not to be used, as an address stands in logs, and not supported."""
    answer = await gateway.http.get(POSTS, params={"access_token": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "app_connect_token_required")


async def test_a_token_sent_twice_is_refused(gateway: Running, token: str):
    """§2: only one way and one token in a request; §3.1 `invalid_request` is 400."""
    answer = await gateway.http.get(POSTS, headers=[("Authorization", f"Bearer {token}")] * 2)
    assert (answer.status_code, answer.json()["code"]) == (400, "app_connect_duplicate_header")


async def test_a_token_beside_another_kind_of_credential_is_refused(gateway: Running, token: str):
    """RFC 9110 §11.6.2: `Authorization` is one field with one credential."""
    headers = [("Authorization", basic("author", "pass")), ("Authorization", f"Bearer {token}")]
    assert (await gateway.http.get(POSTS, headers=headers)).status_code == 400


# -- §3: the challenge ------------------------------------------------------------------------------------------------


async def test_without_a_token_the_challenge_has_no_error(gateway: Running):
    """§3.1: a request without any authentication gets no error code."""
    answer = await gateway.http.get(POSTS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == f'Bearer realm="App Connect", resource_metadata="{METADATA}"'


async def test_a_wrong_token_is_an_invalid_token(gateway: Running):
    """§3.1 `invalid_token`: 401."""
    answer = await gateway.get("nonsense")
    assert (answer.status_code, answer.json()["code"]) == (401, "app_connect_invalid_token")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="App Connect", error="invalid_token", ')


async def test_an_expired_token_is_an_invalid_token(gateway: Running):
    """§3.1: expired, revoked, malformed or invalid for other reasons: the client may request a new one."""
    answer = await gateway.get(gateway.forge(expires_at=clock() - 1))
    assert answer.json()["code"] == "app_connect_invalid_token"


async def test_every_invalid_token_hears_the_same(gateway: Running):
    """A forger learns nothing about how far it came."""
    expired, nonsense = await gateway.get(gateway.forge(expires_at=clock() - 1)), await gateway.get("nonsense")
    assert (expired.headers, expired.content) == (nonsense.headers, nonsense.content)


@pytest.mark.parametrize(
    "shown", ["Bearer", "Bearer ", "Bearer a b", "Bearer ä", "Bearer a,b", "Bearer \ta", "Bearerx"]
)
async def test_a_header_that_holds_no_token_is_an_invalid_token(gateway: Running, shown: str):
    """§2.1: `Bearer`, one or more spaces, and a b64token."""
    answer = await gateway.exchange("GET", POSTS, ("authorization", shown))
    assert (answer.status, answer.code) == (401, "app_connect_invalid_token")


async def test_a_route_without_a_rule_is_insufficient_scope(gateway: Running, token: str):
    """§3.1 `insufficient_scope`: 403."""
    answer = await gateway.get(token, "/wp-json/wp/v2/users/me")
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"].startswith('Bearer realm="App Connect", error="insufficient_scope", ')


async def test_the_refusal_names_the_rule_that_would_open_the_route(gateway: Running, token: str):
    """The guide's Forbidden Request, in WordPress's format."""
    content = (await gateway.get(token, "/wp-json/wp/v2/users/me")).json()
    assert content["code"] == "app_connect_forbidden_request"
    assert content["message"].startswith("Forbidden Request")
    assert content["data"] == {"status": 403, "rule": "GET /wp-json/wp/v2/users/me"}


async def test_the_error_description_has_only_characters_that_may_stand_there(gateway: Running):
    """§3: neither quotes nor backslashes nor anything beyond ASCII."""
    challenge = (await gateway.get("nonsense")).headers["www-authenticate"]
    assert re.search(f'error_description="{QUOTABLE}"', challenge)


@pytest.mark.parametrize("path", [POSTS, "/wp-json/", "/", "/wp-admin/", "/index.php?rest_route=/wp/v2/posts"])
async def test_every_address_asks_for_a_token(gateway: Running, path: str, upstream: Recorder):
    """§3: whatever was asked for, nothing of it reaches WordPress."""
    assert (await gateway.http.get(path)).status_code == 401
    assert upstream.requests == []


async def test_refusals_are_not_stored(gateway: Running):
    """§5.3: nothing of an exchange with tokens is to be served from a cache."""
    assert (await gateway.http.get(POSTS)).headers["cache-control"] == "no-store"


async def test_refusals_are_in_the_format_of_wordpress(gateway: Running):
    content = (await gateway.http.get(POSTS)).json()
    assert sorted(content) == ["code", "data", "message"]
    assert content["data"] == {"status": 401}


async def test_a_clients_own_id_and_secret_are_no_token_and_it_is_told(gateway: Running, upstream: Recorder):
    """A usual mistake: the secret is for the token endpoint only."""
    answer = await gateway.http.get(POSTS, auth=BACKEND.basic)
    assert answer.status_code == 401
    assert "token endpoint only" in answer.json()["message"]
    assert upstream.requests == []


async def test_the_token_is_not_in_any_refusal(gateway: Running, token: str):
    """§5.3."""
    answer = await gateway.get(token + "x")
    assert token not in answer.text + json.dumps(list(answer.headers.items()))


# -- before a whole site ----------------------------------------------------------------------------------------------


async def test_before_a_whole_site_a_foreign_token_is_passed_on(open_gateway: Running, upstream: Recorder):
    """§2.1 is other people's scheme as well."""
    await open_gateway.get("a-plugin-s-own-token")
    assert upstream.requests[0].values("authorization") == [b"Bearer a-plugin-s-own-token"]


async def test_before_a_whole_site_a_foreign_jwt_is_passed_on(open_gateway: Running, upstream: Recorder):
    foreign = open_gateway.forge(issuer="https://other.example")
    await open_gateway.get(foreign)
    assert upstream.requests[0].values("authorization") == [f"Bearer {foreign}".encode()]


@pytest.mark.parametrize("cut", [30, 200, 400])
async def test_before_a_whole_site_a_token_of_ours_that_was_cut_off_is_refused(
    open_gateway: Running, upstream: Recorder, cut: int
):
    """Passed on, it would be answered as if to a visitor."""
    broken = (await open_gateway.token())[:cut]
    assert (await open_gateway.get(broken)).json()["code"] == "app_connect_invalid_token"
    assert upstream.requests == []


async def test_before_a_whole_site_an_expired_token_of_ours_is_refused(open_gateway: Running, upstream: Recorder):
    answer = await open_gateway.get(open_gateway.forge(expires_at=clock() - 1))
    assert answer.json()["code"] == "app_connect_invalid_token"
    assert upstream.requests == []


async def test_before_a_whole_site_a_token_of_ours_beside_another_credential_is_refused(
    open_gateway: Running, upstream: Recorder
):
    """Two credentials have no single meaning."""
    headers = [("Authorization", basic("a", "b")), ("Authorization", f"Bearer {await open_gateway.token()}")]
    assert (await open_gateway.http.get(POSTS, headers=headers)).status_code == 400
    assert upstream.requests == []


async def test_before_a_whole_site_a_token_of_ours_opens_nothing_but_routes(open_gateway: Running, upstream: Recorder):
    answer = await open_gateway.get(await open_gateway.token(), "/wp-admin/")
    assert (answer.status_code, answer.json()["code"]) == (404, "app_connect_not_a_rest_route")
    assert upstream.requests == []
