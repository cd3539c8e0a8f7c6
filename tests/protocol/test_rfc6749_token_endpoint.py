"""RFC 6749: the token endpoint with client credentials (§4.4), and every way to be refused there (§5.2)."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from appconnect.control import clients, switches
from appconnect.control.context import Context
from appconnect.control_plane import clock
from appconnect.core.clients import ClientSecretHash, GrantType, hash_secret
from tests.protocol.conftest import (
    ALLOWLIST,
    BACKEND,
    STRANGER,
    TOKEN,
    Registered,
    Running,
    basic,
    eventually,
    pieces,
)

FORM = ("content-type", "application/x-www-form-urlencoded")
GRANT = "grant_type=client_credentials"
IN_BODY = f"client_id={BACKEND.id}&client_secret={BACKEND.secret}"
ALLOWED = r"[\x20-\x21\x23-\x5B\x5D-\x7E]*"  # §5.2: what an error_description may be made of


async def post(gateway: Running, body: str, *headers: tuple[str, str], client: Registered = BACKEND) -> httpx.Response:
    """A form as it is written, with Basic."""
    return await gateway.http.post(TOKEN, auth=client.basic, headers=[FORM, *headers], content=body)


async def post_openly(gateway: Running, body: str, *headers: tuple[str, str]) -> httpx.Response:
    """A form as it is written, and no header for authentication but what is given."""
    return await gateway.http.post(TOKEN, headers=[FORM, *headers], content=body)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def encoded(text: str) -> tuple[str, str]:
    return "authorization", "Basic " + base64.b64encode(text.encode()).decode()


# -- §4.4.3, §5.1: the answer -----------------------------------------------------------------------------------------


async def test_a_client_with_its_secret_gets_a_token(gateway: Running):
    """§5.1 `access_token`, `token_type`, `expires_in`; `granted_rest_routes` is the guide's."""
    answer = await gateway.request_token()
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access_token", "expires_in", "granted_rest_routes", "token_type"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)


async def test_the_granted_routes_are_the_allowlist_as_it_was_written(gateway: Running):
    """The guide, step 6."""
    assert (await gateway.request_token()).json()["granted_rest_routes"] == list(ALLOWLIST)


async def test_there_is_no_refresh_token(gateway: Running):
    """§4.4.3: a refresh token should not be included."""
    assert "refresh_token" not in (await gateway.request_token()).json()


async def test_the_token_can_be_used_at_once(gateway: Running):
    """The guide: it can be used immediately."""
    assert (await gateway.get(await gateway.token())).status_code == 200


async def test_the_answer_is_json_that_is_never_stored(gateway: Running):
    """§5.1: `Cache-Control: no-store` and `Pragma: no-cache` wherever there is a token."""
    headers = (await gateway.request_token()).headers
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert (headers["cache-control"], headers["pragma"]) == ("no-store", "no-cache")


async def test_the_lifetime_is_that_of_the_site(gateway: Running):
    """§5.1 `expires_in`: in seconds."""
    await gateway.change(switches.set_token_lifetime, 120)
    assert (await gateway.request_token()).json()["expires_in"] == 120


async def test_a_lifetime_of_the_clients_own_comes_first(gateway: Running):
    await gateway.change(clients.edit_client, BACKEND.id, clients.Draft(token_lifetime_seconds=90))
    assert (await gateway.request_token()).json()["expires_in"] == 90


# -- §4.4.2, §3.2: the parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("grant_type", id="a name alone"),
        pytest.param("grant_type=", id="no value"),
        pytest.param("Grant_Type=client_credentials", id="other capitals"),
        pytest.param("grant_type%00=client_credentials", id="a NUL in the name"),
        pytest.param("grant_type[]=client_credentials", id="as PHP writes a list"),
        pytest.param(" grant_type=client_credentials", id="a space before"),
    ],
)
async def test_without_a_grant_type_the_request_is_invalid(gateway: Running, body: str):
    """§5.2 `invalid_request`: a required parameter is missing; §3.2: one without a value counts as missing."""
    answer = await post(gateway, body)
    assert refusal(answer) == (400, "invalid_request")
    assert "grant_type is missing" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "grant_type",
    ["authorization_code", "password", "refresh_token", "implicit", "client-credentials", "CLIENT_CREDENTIALS", "x y"],
)
async def test_another_grant_type_is_unsupported(gateway: Running, grant_type: str):
    """§5.2 `unsupported_grant_type`; §3.2: names and values are case sensitive."""
    assert refusal(await gateway.request_token(grant_type=grant_type)) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{GRANT}&{GRANT}", id="grant_type"),
        pytest.param(f"{GRANT}&grant_type=", id="once without a value"),
        pytest.param(f"{GRANT}&scope=a&scope=b", id="scope"),
        pytest.param(f"{GRANT}&{IN_BODY}&client_id={BACKEND.id}", id="client_id"),
        pytest.param(f"{GRANT}&unknown=1&unknown=2", id="one that means nothing"),
        pytest.param("grant%5Ftype=client_credentials&grant_type=password", id="in two spellings"),
    ],
)
async def test_a_parameter_sent_twice_is_invalid(gateway: Running, body: str):
    """§3.2: parameters must not be included more than once."""
    assert refusal(await post_openly(gateway, body, ("authorization", basic(*BACKEND.basic)))) == (
        400,
        "invalid_request",
    )


async def test_an_unknown_parameter_is_ignored(gateway: Running):
    """§3.2."""
    assert (await gateway.request_token(unknown="something", _method="GET")).status_code == 200


async def test_a_parameter_in_the_query_is_none(gateway: Running):
    """§3.2: parameters are in the body."""
    answer = await gateway.http.post(f"{TOKEN}?{GRANT}", auth=BACKEND.basic, headers=[FORM])
    assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize("scope", ["read", "read write", "*"])
async def test_a_scope_is_invalid(gateway: Running, scope: str):
    """§5.2 `invalid_scope`: there are none, and to ignore one would promise something (§3.3)."""
    assert refusal(await gateway.request_token(scope=scope)) == (400, "invalid_scope")


async def test_an_empty_scope_is_none(gateway: Running):
    """§3.2: a parameter without a value counts as not sent."""
    assert (await gateway.request_token(scope="")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("grant_type=%ff", id="not UTF-8"),
        pytest.param("grant_type=client_credentials&name=Jürgen", id="not percent-encoded"),
        pytest.param("&".join(f"p{number}=1" for number in range(40)), id="forty parameters"),
    ],
)
async def test_a_body_that_is_no_form_is_invalid(gateway: Running, body: str):
    """Appendix B: UTF-8, percent-encoded."""
    assert refusal(await post(gateway, body)) == (400, "invalid_request")


async def test_a_huge_body_is_refused_before_it_has_been_read(gateway: Running):
    """No caller fills our memory, authenticated or not."""
    never = asyncio.Event()
    body = pieces(b"grant_type=" + b"x" * 20_000, never, b"the rest")
    answer = await gateway.exchange("POST", TOKEN, FORM, ("authorization", basic(*BACKEND.basic)), body=body)
    assert (answer.status, b"invalid_request" in answer.body) == (400, True)


async def test_a_body_in_small_pieces_is_read_whole(gateway: Running):
    body = pieces(b"grant_", b"type=client", b"", b"_credentials")
    answer = await gateway.exchange("POST", TOKEN, FORM, ("authorization", basic(*BACKEND.basic)), body=body)
    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param([], id="none"),
        pytest.param([("content-type", "application/json")], id="JSON"),
        pytest.param([("content-type", "multipart/form-data; boundary=x")], id="multipart"),
        pytest.param([("content-type", "text/plain, application/x-www-form-urlencoded")], id="a list"),
        pytest.param([FORM, FORM], id="twice"),
    ],
)
async def test_another_content_type_is_invalid(gateway: Running, content_type: list[tuple[str, str]]):
    """§3.2, §4.4.2: `application/x-www-form-urlencoded`."""
    answer = await gateway.http.post(TOKEN, auth=BACKEND.basic, headers=content_type, content=GRANT)
    assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded", f"{FORM[1]} ;charset=x"],
)
async def test_a_form_may_be_named_in_every_way(gateway: Running, content_type: str):
    """RFC 9110 §8.3.1: types in any case, with parameters."""
    headers = [("content-type", content_type)]
    assert (await gateway.http.post(TOKEN, auth=BACKEND.basic, headers=headers, content=GRANT)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_than_post_is_refused(gateway: Running, method: str):
    """§3.2: the client must use POST; RFC 9110 §15.5.6: `Allow` says so."""
    answer = await gateway.http.request(method, TOKEN, auth=BACKEND.basic, params={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_client_that_goes_away_in_the_middle_hears_nothing(gateway: Running):
    gone = asyncio.Event()
    gone.set()
    answer = await gateway.exchange("POST", TOKEN, FORM, body=pieces(b"grant_"), leaves=gone, is_cut_off=True)
    assert answer.status == 0


# -- §2.3.1, §3.2.1: authentication -----------------------------------------------------------------------------------


async def test_credentials_may_stand_in_the_body(gateway: Running):
    """§2.3.1 `client_secret_post`."""
    assert (await post_openly(gateway, f"{GRANT}&{IN_BODY}")).status_code == 200


async def test_credentials_in_both_places_are_invalid(gateway: Running):
    """§2.3: not more than one method in a request; §5.2 `invalid_request`."""
    assert refusal(await post(gateway, f"{GRANT}&{IN_BODY}")) == (400, "invalid_request")


async def test_a_secret_in_the_body_beside_the_header_is_invalid(gateway: Running):
    """§2.3."""
    assert refusal(await post(gateway, f"{GRANT}&client_secret={BACKEND.secret}")) == (400, "invalid_request")


async def test_the_id_in_the_body_may_repeat_that_of_the_header(gateway: Running):
    """§3.2.1: `client_id` may be sent to identify the client."""
    assert (await post(gateway, f"{GRANT}&client_id={BACKEND.id}")).status_code == 200


async def test_another_id_in_the_body_is_invalid(gateway: Running):
    """§5.2 `invalid_request`: a request of two meanings."""
    assert refusal(await post(gateway, f"{GRANT}&client_id={STRANGER.id}")) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(GRANT, id="nothing"),
        pytest.param(f"{GRANT}&client_id={BACKEND.id}", id="only an ID"),
        pytest.param(f"{GRANT}&client_secret={BACKEND.secret}", id="only a secret"),
        pytest.param(f"{GRANT}&client_id={BACKEND.id}&client_secret=", id="an empty secret"),
    ],
)
async def test_without_credentials_the_client_is_invalid(gateway: Running, body: str):
    """§5.2 `invalid_client`: no client authentication included."""
    answer = await post_openly(gateway, body)
    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("form", [GRANT, f"{GRANT}&{IN_BODY}"], ids=["alone", "beside the right ones in the body"])
@pytest.mark.parametrize(
    "query",
    [IN_BODY, f"client_secret={BACKEND.secret}", f"client%5Fsecret={BACKEND.secret}", f"client_id={BACKEND.id}"],
)
async def test_credentials_in_the_query_are_invalid(gateway: Running, query: str, form: str):
    """§2.3.1: they must not stand in the address; a client that does so hears of it, for logs keep them."""
    answer = await gateway.http.post(f"{TOKEN}?{query}", headers=[FORM], content=form)
    assert refusal(answer) == (400, "invalid_request")
    assert BACKEND.secret not in answer.text


async def test_another_query_is_ignored(gateway: Running):
    """§3.2: the address of the endpoint may have a query component."""
    answer = await gateway.http.post(f"{TOKEN}?_locale=user", auth=BACKEND.basic, headers=[FORM], content=GRANT)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Basic", id="no credentials"),
        pytest.param("Basic !!!", id="no base64"),
        pytest.param("Basic " + base64.b64encode(BACKEND.id.encode()).decode(), id="no colon"),
        pytest.param("Basic " + base64.b64encode(b"\xff:\xff").decode(), id="not UTF-8"),
        pytest.param("Basic " + base64.b64encode(b":").decode(), id="both empty"),
        pytest.param("Bearer " + BACKEND.secret, id="another scheme"),
        pytest.param("Digest username=x", id="a third scheme"),
        pytest.param("", id="empty"),
    ],
)
async def test_another_authorization_is_an_invalid_client(gateway: Running, header: str):
    """§5.2 `invalid_client`: an unsupported way to authenticate gets 401 and the scheme that is supported."""
    answer = await post_openly(gateway, GRANT, ("authorization", header))
    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Basic realm="App Connect", charset="UTF-8"'


async def test_an_authorization_sent_twice_is_invalid(gateway: Running):
    """§5.2 `invalid_request`: more than one mechanism."""
    header = ("authorization", basic(*BACKEND.basic))
    assert refusal(await post_openly(gateway, GRANT, header, header)) == (400, "invalid_request")


async def test_basic_may_be_written_in_any_case_with_more_spaces(gateway: Running):
    """RFC 9110 §11.1: the scheme's name is case insensitive; RFC 9110 §11.4: one or more spaces."""
    shown = basic(*BACKEND.basic).replace("Basic ", "bASIC   ")
    assert (await post_openly(gateway, GRANT, ("authorization", shown))).status_code == 200


async def test_id_and_secret_may_be_percent_encoded_in_basic(gateway: Running):
    """§2.3.1: they are encoded as in a form before they are joined."""
    percent = ["".join(f"%{byte:02X}" for byte in text.encode()) for text in BACKEND.basic]
    assert (await post_openly(gateway, GRANT, encoded(":".join(percent)))).status_code == 200


async def test_a_wrong_secret_and_an_unknown_id_get_the_same_answer(gateway: Running):
    """§5.2 `invalid_client`: nobody learns here which clients there are."""
    wrong = await gateway.request_token(Registered(BACKEND.id, STRANGER.secret))
    unknown = await gateway.request_token(Registered("ac_nobody", STRANGER.secret))
    assert refusal(wrong) == (401, "invalid_client")
    assert (wrong.status_code, wrong.headers, wrong.content) == (unknown.status_code, unknown.headers, unknown.content)


async def test_the_words_are_those_of_the_guide(gateway: Running):
    """The guide's common issues: Invalid Client."""
    answer = await gateway.request_token(Registered(BACKEND.id, "wrong"))
    assert answer.json()["error_description"].startswith("Invalid Client: ")


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(BACKEND.secret.upper(), id="in capitals"),
        pytest.param(BACKEND.secret[:-1], id="cut off"),
        pytest.param(BACKEND.secret + "\0", id="with a NUL behind"),
        pytest.param(BACKEND.secret + " ", id="with a space behind"),
        pytest.param("ä🔑", id="beyond ASCII"),
        pytest.param("x" * 9000, id="very long"),
    ],
)
async def test_only_the_very_secret_is_right(gateway: Running, secret: str):
    answer = await gateway.request_token(Registered(BACKEND.id, secret))
    assert refusal(answer) == (401, "invalid_client")


async def test_the_secret_of_another_client_is_wrong(gateway: Running):
    assert refusal(await gateway.request_token(Registered(BACKEND.id, STRANGER.secret))) == (401, "invalid_client")


async def test_who_does_not_authenticate_learns_nothing_about_the_rest(gateway: Running):
    """§3.2.1 comes first: a caller with a wrong secret does not hear what else is wrong."""
    answer = await gateway.request_token(Registered(BACKEND.id, "wrong"), grant_type="password", scope="all")
    assert refusal(answer) == (401, "invalid_client")


async def test_a_disabled_client_with_a_wrong_secret_is_as_any_other(gateway: Running):
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert refusal(await gateway.request_token(Registered(BACKEND.id, "wrong"))) == (401, "invalid_client")


# -- rotation ---------------------------------------------------------------------------------------------------------


def give_secrets(context: Context, *secrets: ClientSecretHash) -> None:
    client, policy = clients.find_client(context, BACKEND.id)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, secrets=secrets), policy, now=clock())


def secret(text: str, *, ends_in: int | None) -> ClientSecretHash:
    return ClientSecretHash(hash_secret(text), clock(), None if ends_in is None else clock() + ends_in)


async def test_during_the_overlap_both_secrets_are_right(gateway: Running):
    """The guide: rotate credentials, without an interruption."""
    _, new = await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=600)
    assert (await gateway.request_token()).status_code == 200
    assert (await gateway.request_token(Registered(BACKEND.id, new.reveal()))).status_code == 200


async def test_after_the_overlap_only_the_new_secret_is_right(gateway: Running):
    await gateway.change(give_secrets, secret(BACKEND.secret, ends_in=0), secret("new", ends_in=None))
    assert refusal(await gateway.request_token()) == (401, "invalid_client")
    assert (await gateway.request_token(Registered(BACKEND.id, "new"))).status_code == 200


async def test_an_expired_secret_is_refused_in_the_words_for_a_wrong_one(gateway: Running):
    await gateway.change(give_secrets, secret(BACKEND.secret, ends_in=0))
    expired = await gateway.request_token()
    wrong = await gateway.request_token(Registered(BACKEND.id, "wrong"))
    assert (expired.headers, expired.content) == (wrong.headers, wrong.content)


async def test_without_an_overlap_the_old_secret_ends_at_once(gateway: Running):
    await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=0)
    assert refusal(await gateway.request_token()) == (401, "invalid_client")


async def test_a_second_rotation_ends_the_secret_that_was_leaving(gateway: Running):
    await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=600)
    await gateway.change(clients.rotate_secret, BACKEND.id, overlap_seconds=600)
    assert refusal(await gateway.request_token()) == (401, "invalid_client")


# -- §5.2: an authenticated client that may not -----------------------------------------------------------------------


async def test_a_disabled_client_is_unauthorized(gateway: Running):
    """§5.2 `unauthorized_client`: authenticated, and not authorized to use this grant type."""
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    answer = await gateway.request_token()
    assert refusal(answer) == (400, "unauthorized_client")
    assert answer.json()["error_description"] == "Unauthorized Client: this client is disabled."


async def test_a_grant_type_that_is_not_enabled_globally_is_unauthorized(gateway: Running):
    """The guide's common issues: Client Credentials not enabled globally."""
    await gateway.change(switches.set_grant_type, GrantType.CLIENT_CREDENTIALS, is_enabled=False)
    answer = await gateway.request_token()
    assert refusal(answer) == (400, "unauthorized_client")
    description = "Unauthorized Client: Client Credentials is not enabled globally."
    assert answer.json()["error_description"] == description


async def test_a_grant_type_that_is_not_enabled_on_the_client_is_unauthorized(gateway: Running):
    """The guide's common issues: … or on the client."""
    await gateway.change(take_grant_types_away)
    answer = await gateway.request_token()
    assert refusal(answer) == (400, "unauthorized_client")
    description = "Unauthorized Client: Client Credentials is not enabled for this client."
    assert answer.json()["error_description"] == description


def take_grant_types_away(context: Context) -> None:
    client, policy = clients.find_client(context, BACKEND.id)
    with context.store.transaction() as transaction:
        transaction.save_client(replace(client, grant_types=frozenset()), policy, now=clock())


async def test_an_unknown_grant_type_is_unsupported_before_it_is_unauthorized(gateway: Running):
    """§5.2: what nobody may use is not a matter of this client."""
    await gateway.change(clients.set_enabled, BACKEND.id, is_enabled=False)
    assert refusal(await gateway.request_token(grant_type="password")) == (400, "unsupported_grant_type")


async def test_while_the_api_is_off_there_are_no_tokens(gateway: Running):
    """§5.2 has no code for it; `temporarily_unavailable` (§4.1.2.1) with 503 says what it is."""
    await gateway.change(switches.set_api, is_enabled=False)
    answer = await gateway.request_token()
    assert refusal(answer) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"


# -- §5.2: how errors are written -------------------------------------------------------------------------------------


async def test_an_error_is_json_that_is_never_stored(gateway: Running):
    """§5.2: JSON with `error`; nothing of an exchange with credentials is stored."""
    answer = await gateway.request_token(grant_type="password")
    assert sorted(answer.json()) == ["error", "error_description"]
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{GRANT}&scope=a", id="a sentence of ours"),
        pytest.param("name=1&name=2", id="with a name of the caller's"),
        pytest.param("%22=1&%22=2", id="with a quote of the caller's"),
        pytest.param("%5C=1&%5C=2", id="with a backslash of the caller's"),
        pytest.param("%C3%A4=1&%C3%A4=2", id="with a letter of the caller's beyond ASCII"),
        pytest.param("%0D%0Aa=1&%0D%0Aa=2", id="with a line break of the caller's"),
    ],
)
async def test_a_description_has_only_characters_that_may_stand_there(gateway: Running, body: str):
    """§5.2: %x20-21 / %x23-5B / %x5D-7E, which has neither quote nor backslash."""
    assert re.fullmatch(ALLOWED, (await post(gateway, body)).json()["error_description"])


async def test_the_secret_is_in_no_error(gateway: Running):
    answer = await gateway.request_token(Registered(BACKEND.id, "a-wrong-secret"), client_id=BACKEND.id)
    assert "a-wrong-secret" not in answer.text


# -- §10.10: guessing -------------------------------------------------------------------------------------------------

GUESS = Registered(BACKEND.id, "guessed")


@pytest.fixture
async def guessing(gateway: Running) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Guesses at once, of which ten were answered and the others wait."""
    guesses = [asyncio.create_task(gateway.request_token(GUESS)) for _ in range(13)]
    await eventually(lambda: sum(guess.done() for guess in guesses) >= 10)
    yield guesses
    for guess in guesses:
        guess.cancel()
    await asyncio.gather(*guesses, return_exceptions=True)


async def turns() -> None:
    """Let everything that need not wait come as far as it can."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_guesses_are_slowed_down(gateway: Running, guessing: list[asyncio.Task[Any]]):
    """§2.3.1, §10.10: ten at once, and then they wait."""
    await turns()
    assert sum(guess.done() for guess in guessing) == 10


async def test_guesses_in_parallel_are_turned_away(gateway: Running, guessing: list[asyncio.Task[Any]]):
    """RFC 6585 §4: five wait at a time; more gain nothing, and hold nothing of ours."""
    guessing += [asyncio.create_task(gateway.request_token(GUESS)) for _ in range(2)]
    await turns()
    answers = [await gateway.request_token(GUESS) for _ in range(3)]
    assert {refusal(answer) for answer in answers} == {(429, "temporarily_unavailable")}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert sum(guess.done() for guess in guessing) == 10


async def test_a_guess_that_is_turned_away_tells_nothing_about_the_id(
    gateway: Running, guessing: list[asyncio.Task[Any]]
):
    guessing += [asyncio.create_task(gateway.request_token(GUESS)) for _ in range(2)]
    await turns()
    wrong, unknown = [await gateway.request_token(Registered(id_, "guessed")) for id_ in (BACKEND.id, "ac_nobody")]
    assert (wrong.status_code, wrong.headers, wrong.content) == (unknown.status_code, unknown.headers, unknown.content)


async def test_the_right_secret_is_never_slowed_down(gateway: Running, guessing: list[asyncio.Task[Any]]):
    """Nobody shuts a client out by guessing, not even from the client's own address."""
    assert (await gateway.request_token()).status_code == 200
    assert not all(guess.done() for guess in guessing)


async def test_another_client_at_the_same_address_is_not_slowed_down(
    gateway: Running, guessing: list[asyncio.Task[Any]]
):
    assert (await gateway.request_token(STRANGER)).status_code == 200
    assert not all(guess.done() for guess in guessing)


async def test_an_unknown_id_is_slowed_down_at_the_same_address(gateway: Running, guessing: list[asyncio.Task[Any]]):
    """Who tries one ID after another is slowed as well."""
    another = asyncio.create_task(gateway.request_token(Registered("ac_nobody", "guessed")))
    assert (await gateway.request_token()).status_code == 200
    assert not another.done()
    another.cancel()


async def test_a_guess_that_waited_hears_the_same_as_any_other(gateway: Running, guessing: list[asyncio.Task[Any]]):
    answers = await asyncio.gather(*guessing)
    assert {refusal(answer) for answer in answers} == {(401, "invalid_client")}
