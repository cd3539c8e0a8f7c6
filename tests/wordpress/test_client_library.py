"""`appconnect.client` with httpx, sync and async, against the gateway and WordPress."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest

from appconnect.client import TOKEN_PATH, AppConnect, TokenError
from tests.gateways import Registered
from tests.wordpress.conftest import Guarded

TOKEN_LIFETIME_SECONDS = 60
RENEWED_AFTER_SECONDS = 48  # four fifths of its life, since that is later than a minute before its end
POSTS = "/wp-json/wp/v2/posts"


@dataclass(slots=True)
class Clock:
    """The client library's clock, which only a test moves."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Wire:
    """What httpx sent and got, in order; also the requests of which its caller sees nothing."""

    exchanges: list[tuple[str, int]]
    tokens: list[str]

    def note(self, response: httpx.Response) -> None:
        """An event hook for `httpx.Client`."""
        self.exchanges.append((response.request.url.path, response.status_code))
        if response.request.url.path != TOKEN_PATH:
            self.tokens.append(response.request.headers["Authorization"].removeprefix("Bearer "))

    async def note_async(self, response: httpx.Response) -> None:
        """The same for `httpx.AsyncClient`."""
        self.note(response)


@pytest.fixture(scope="module")
def backend(guarded: Guarded) -> Registered:
    return guarded.gateway.add_client(
        "Library", "author", f"GET {POSTS}", f"POST {POSTS}", token_lifetime_seconds=TOKEN_LIFETIME_SECONDS
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> Wire:
    return Wire([], [])


@pytest.fixture
def auth(guarded: Guarded, backend: Registered, clock: Clock) -> AppConnect:
    return AppConnect(guarded.gateway.url, *backend.basic, clock=clock)


@pytest.fixture
def http(guarded: Guarded, auth: AppConnect, wire: Wire):
    with httpx.Client(
        base_url=guarded.gateway.url, auth=auth, event_hooks={"response": [wire.note]}, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def async_http(guarded: Guarded, auth: AppConnect, wire: Wire):
    async with httpx.AsyncClient(
        base_url=guarded.gateway.url, auth=auth, event_hooks={"response": [wire.note_async]}, timeout=60
    ) as client:
        yield client


def revoke(guarded: Guarded, backend: Registered, token: str) -> None:
    """As an administrator's incident script would, past the library."""
    url = f"{guarded.gateway.url}/wp-json/app-connect/v1/revoke"
    httpx.post(url, auth=backend.basic, data={"token": token}).raise_for_status()


def author_in_wordpress(guarded: Guarded, post_id: int) -> str:
    return guarded.site.site.php("echo get_the_author_meta('user_login', get_post($id)->post_author);", id=post_id)


def test_publishes_as_the_service_user_and_keeps_the_token(guarded, http, auth, wire):
    created = http.post(POSTS, json={"title": "From the library", "status": "publish"})
    assert created.status_code == 201
    assert author_in_wordpress(guarded, created.json()["id"]) == "author"
    assert http.get(POSTS).status_code == 200
    assert wire.exchanges == [(TOKEN_PATH, 200), (POSTS, 201), (POSTS, 200)]
    assert auth.granted_rest_routes == (f"GET {POSTS}", f"POST {POSTS}")


async def test_publishes_asynchronously_and_keeps_the_token(guarded, async_http, wire):
    created = await async_http.post(POSTS, json={"title": "From the library", "status": "publish"})
    assert created.status_code == 201
    assert author_in_wordpress(guarded, created.json()["id"]) == "author"
    assert (await async_http.get(POSTS)).status_code == 200
    assert wire.exchanges == [(TOKEN_PATH, 200), (POSTS, 201), (POSTS, 200)]


async def test_requests_at_the_same_time_share_one_token_request(async_http, wire):
    answers = await asyncio.gather(*(async_http.get(POSTS) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert wire.exchanges == [(TOKEN_PATH, 200), *[(POSTS, 200)] * 4]
    assert len(set(wire.tokens)) == 1


def test_renews_the_token_near_its_end(http, clock, wire):
    http.get(POSTS)
    clock.now += RENEWED_AFTER_SECONDS - 0.1
    http.get(POSTS)
    clock.now += 0.1
    http.get(POSTS)
    assert wire.exchanges == [(TOKEN_PATH, 200), (POSTS, 200), (POSTS, 200), (TOKEN_PATH, 200), (POSTS, 200)]
    first, kept, renewed = wire.tokens
    assert kept == first
    assert renewed != first


async def test_renews_the_token_near_its_end_asynchronously(async_http, clock, wire):
    await async_http.get(POSTS)
    clock.now += RENEWED_AFTER_SECONDS
    await async_http.get(POSTS)
    assert wire.exchanges == [(TOKEN_PATH, 200), (POSTS, 200), (TOKEN_PATH, 200), (POSTS, 200)]


def test_repeats_a_request_with_a_new_token_when_the_old_one_was_revoked(guarded, backend, http, wire):
    http.get(POSTS)
    revoke(guarded, backend, wire.tokens[0])
    created = http.post(POSTS, json={"title": "After the revocation", "status": "publish"})
    assert created.status_code == 201
    assert author_in_wordpress(guarded, created.json()["id"]) == "author"
    assert wire.exchanges[2:] == [(POSTS, 401), (TOKEN_PATH, 200), (POSTS, 201)]


async def test_repeats_a_request_asynchronously_when_the_old_token_was_revoked(guarded, backend, async_http, wire):
    await async_http.get(POSTS)
    revoke(guarded, backend, wire.tokens[0])
    created = await async_http.post(POSTS, json={"title": "After the revocation", "status": "publish"})
    assert created.status_code == 201
    assert wire.exchanges[2:] == [(POSTS, 401), (TOKEN_PATH, 200), (POSTS, 201)]


def test_repeats_a_request_only_once(guarded, backend, auth, wire):
    """Where each token is revoked before it is used, the second refusal is the caller's answer."""

    def revoke_what_was_issued(response: httpx.Response) -> None:
        if response.request.url.path == TOKEN_PATH:
            response.read()
            revoke(guarded, backend, response.json()["access_token"])

    hooks = {"response": [wire.note, revoke_what_was_issued]}
    with httpx.Client(base_url=guarded.gateway.url, auth=auth, event_hooks=hooks, timeout=60) as http:
        refused = http.get(POSTS)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert wire.exchanges == [(TOKEN_PATH, 200), (POSTS, 401), (TOKEN_PATH, 200), (POSTS, 401)]


def test_a_forbidden_request_is_not_repeated(http, wire):
    assert http.get("/wp-json/wp/v2/pages").status_code == 403
    assert wire.exchanges == [(TOKEN_PATH, 200), ("/wp-json/wp/v2/pages", 403)]


def test_a_wrong_secret_is_a_token_error_in_the_guides_words(guarded, backend):
    auth = AppConnect(guarded.gateway.url, backend.client_id, "wrong")
    with (
        httpx.Client(base_url=guarded.gateway.url, auth=auth) as http,
        pytest.raises(TokenError, match="Invalid Client: the client ID or the client secret is wrong") as raised,
    ):
        http.get(POSTS)
    assert raised.value.error == "invalid_client"
    assert raised.value.status_code == 401


async def test_a_client_without_the_grant_is_a_token_error_in_the_guides_words(guarded):
    client = guarded.gateway.add_client("Library without grant", "author", f"GET {POSTS}", grant_types=())
    auth = AppConnect(guarded.gateway.url, *client.basic)
    async with httpx.AsyncClient(base_url=guarded.gateway.url, auth=auth) as http:
        with pytest.raises(TokenError, match="Unauthorized Client: Client Credentials is not enabled") as raised:
            await http.get(POSTS)
    assert raised.value.error == "unauthorized_client"
