"""The console's Settings: what each page changes, and what it says before it does."""

import pytest

from appconnect.control import clients, keys, switches
from appconnect.control_plane import clock
from appconnect.core.activity import Activity, ClientUse, hour_of
from appconnect.core.clients import GrantType
from tests.protocol.administrator import CONSOLE, Administrator, signing_in, value, words
from tests.protocol.conftest import BACKEND, STRANGER, Running

CLIENT_CREDENTIALS = "/settings/grant-types/client-credentials"
PAGES = (
    "/settings",
    f"{CLIENT_CREDENTIALS}/disable",
    "/settings/api",
    "/settings/api/disable",
    "/settings/token-lifetime",
    "/settings/keys",
    "/settings/sessions",
    "/settings/admin-tokens",
    "/settings/admin-tokens/new",
    "/settings/site",
    "/settings/site/disconnect",
)
ACTS = (
    f"{CLIENT_CREDENTIALS}/enable",
    f"{CLIENT_CREDENTIALS}/disable",
    "/settings/api/enable",
    "/settings/api/disable",
    "/settings/token-lifetime",
    "/settings/keys/rotate",
    "/settings/keys/any/retire",
    "/settings/sessions/end-others",
    "/settings/sessions/any/end",
    "/settings/admin-tokens/new",
    "/settings/admin-tokens/any/revoke",
    "/settings/site/check",
    "/settings/site/disconnect",
)


@pytest.fixture
async def admin(gateway: Running) -> Administrator:
    return signing_in(gateway)


# -- who may, and from where ------------------------------------------------------------------------------------------


async def test_a_stranger_is_sent_to_sign_in(gateway):
    here = {"Sec-Fetch-Site": "same-origin"}
    seen = [await gateway.http.get(CONSOLE + path) for path in PAGES]
    sent = [await gateway.http.post(CONSOLE + path, headers=here) for path in ACTS]

    assert {answer.status_code for answer in seen + sent} == {303}
    assert {answer.headers["location"].partition("?")[0] for answer in seen + sent} == {"/app-connect/sign-in"}


async def test_another_site_s_page_cannot_act(gateway, admin):
    revision = gateway.store.revision()
    headers = {**admin.cookie, "Sec-Fetch-Site": "cross-site"}

    answers = [await gateway.http.post(CONSOLE + path, headers=headers) for path in ACTS]

    assert {answer.status_code for answer in answers} == {403}
    assert gateway.store.revision() == revision


async def test_looking_changes_nothing(gateway, admin):
    revision = gateway.store.revision()

    answers = [await admin.sees(path) for path in PAGES]

    assert {answer.status_code for answer in answers} == {200}
    assert gateway.store.revision() == revision


async def test_only_acts_that_stop_nobody_have_no_page_of_their_own(admin):
    answer = await admin.sees(f"{CLIENT_CREDENTIALS}/enable")

    assert answer.status_code == 405


# -- Grant Types ------------------------------------------------------------------------------------------------------


async def test_client_credentials_is_enabled_with_one_click(gateway, admin):
    switches.set_grant_type(gateway.context, GrantType.CLIENT_CREDENTIALS, is_enabled=False)
    assert "Enable Client Credentials" in words(await admin.sees("/settings"))

    page = await admin.does(f"{CLIENT_CREDENTIALS}/enable")

    assert "Client Credentials is enabled." in words(page)
    assert (await gateway.request_token()).status_code == 200


async def test_disabling_a_grant_type_tells_first_which_clients_stop_and_when_they_were_last_used(gateway, admin):
    now = clock()
    gateway.store.activities.write(
        Activity(client_uses={(BACKEND.id, hour_of(now)): ClientUse(allowed=1, last_at=1_700_000_000)}), now=now
    )

    page = words(await admin.sees(f"{CLIENT_CREDENTIALS}/disable"))

    assert "2 clients stop" in page
    assert f"{BACKEND.id} author Nov 14, 2023, 22:13 UTC" in page
    assert f"{STRANGER.id} author Never" in page


async def test_a_disabled_client_does_not_stop(gateway, admin):
    clients.set_enabled(gateway.context, STRANGER.id, is_enabled=False)

    page = words(await admin.sees(f"{CLIENT_CREDENTIALS}/disable"))

    assert "1 client stops" in page
    assert STRANGER.id not in page


async def test_a_disabled_grant_type_gives_no_token(gateway, admin):
    page = await admin.does(f"{CLIENT_CREDENTIALS}/disable")

    assert "Client Credentials is disabled." in words(page)
    assert (await gateway.request_token()).json()["error"] == "unauthorized_client"


async def test_there_is_no_other_grant_type(admin):
    answer = await admin.sees("/settings/grant-types/password/disable")

    assert answer.status_code == 404
    assert "There is no such grant type." in words(answer)


async def test_who_has_no_client_yet_is_led_to_the_first(gateway, admin):
    for client in (BACKEND, STRANGER):
        await gateway.change(clients.delete_client, client.id)

    assert 'href="/app-connect/clients/new"' in (await admin.sees("/settings")).text


# -- API --------------------------------------------------------------------------------------------------------------


async def test_the_api_is_switched_off_and_on_again(gateway, admin):
    assert "2 clients stop" in words(await admin.sees("/settings/api/disable"))

    page = await admin.does("/settings/api/disable")
    refused = await gateway.request_token()
    await admin.does("/settings/api/enable")

    assert "Enable API" in words(page)
    assert refused.status_code == 503
    assert (await gateway.request_token()).status_code == 200


# -- Token Lifetime ---------------------------------------------------------------------------------------------------


async def test_the_token_lifetime_is_changed(gateway, admin):
    page = await admin.does("/settings/token-lifetime", token_lifetime="5400")

    assert "New access tokens live 90 minutes." in words(page)
    assert value(page, "token_lifetime") == "5400"
    assert (await gateway.request_token()).json()["expires_in"] == 5400


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("59", "59 is out of range."),
        ("86401", "86401 is out of range."),
        ("", "Token Lifetime is missing."),
        ("an hour", "'an hour' is not a number of seconds."),
        ("-1", "'-1' is not a number of seconds."),
        ("٣٦٠٠", "'٣٦٠٠' is not a number of seconds."),
        ('"><script>', "'\"><script>' is not a number of seconds."),
    ],
    ids=["too short", "too long", "nothing", "words", "negative", "other digits", "markup"],
)
async def test_a_wrong_lifetime_is_explained_at_its_field_and_kept(gateway, admin, typed, problem):
    revision = gateway.store.revision()

    page = await admin.sends("/settings/token-lifetime", token_lifetime=typed)

    assert page.status_code == 400
    assert f"Error: {problem} Choose 60 to 86,400 seconds" in words(page)
    assert 'href="#token_lifetime"' in page.text
    assert 'aria-describedby="token_lifetime-error' in page.text
    assert value(page, "token_lifetime") == typed
    assert "<script>" not in page.text.replace("<script src=", "")
    assert gateway.store.revision() == revision


async def test_clients_with_a_lifetime_of_their_own_are_named(gateway, admin):
    draft = clients.Draft(token_lifetime_seconds=900)
    await gateway.change(clients.edit_client, BACKEND.id, draft)

    assert f"{BACKEND.id} 15 minutes" in words(await admin.sees("/settings/token-lifetime"))


# -- Keys -------------------------------------------------------------------------------------------------------------


async def test_a_rotated_key_leaves_tokens_as_they_are(gateway, admin):
    token = await gateway.token()

    page = await admin.does("/settings/keys/rotate")

    new, old = keys.signing_keys(gateway.context)
    assert f"The key {new.kid} signs new access tokens" in words(page)
    assert f'href="/app-connect/settings/keys/{old.kid}/retire"' in page.text
    assert (await gateway.get(token)).status_code == 200


async def test_a_retired_key_voids_its_tokens_as_its_page_says(gateway, admin):
    token = await gateway.token()
    keys.rotate_key(gateway.context)
    old = keys.signing_keys(gateway.context)[-1].kid
    assert "Access tokens that it signed are void within a second" in words(
        await admin.sees(f"/settings/keys/{old}/retire")
    )

    page = await admin.does(f"/settings/keys/{old}/retire")

    assert f"The key {old} is retired." in words(page)
    assert (await gateway.get(token)).status_code == 401


async def test_the_key_that_signs_cannot_be_retired(gateway, admin):
    (only,) = keys.signing_keys(gateway.context)

    page = await admin.sees(f"/settings/keys/{only.kid}/retire")
    answer = await admin.sends(f"/settings/keys/{only.kid}/retire")

    assert 'button-danger" type="submit"' not in page.text
    assert answer.status_code == 400
    assert "It is the key that signs. Rotate first" in words(answer)


async def test_an_unknown_key_is_not_found(admin):
    assert (await admin.sees("/settings/keys/none/retire")).status_code == 404
    assert (await admin.sends("/settings/keys/none/retire")).status_code == 404


# -- Sessions ---------------------------------------------------------------------------------------------------------


async def test_sessions_are_listed_with_their_browser_and_this_one_is_marked(gateway, admin):
    signing_in(gateway, browser="curl/8.5 <b>")

    page = words(await admin.sees("/settings/sessions"))

    assert "admin This session Firefox on Windows" in page
    assert "curl/8.5 <b>" in page


async def test_another_session_is_ended(gateway, admin):
    other = signing_in(gateway)

    page = await admin.does(f"/settings/sessions/{other.begun.session.id}/end")

    assert "The session of admin in Firefox on Windows has ended." in words(page)
    assert (await other.sees("/settings")).status_code == 303
    assert (await admin.sees("/settings")).status_code == 200


async def test_who_ends_their_own_session_signs_in_again(admin):
    answer = await admin.sends(f"/settings/sessions/{admin.begun.session.id}/end")

    assert answer.headers["location"] == "/app-connect/sign-in"
    assert (await admin.sees("/settings")).status_code == 303


async def test_all_other_sessions_are_ended_at_once(gateway, admin):
    others = [signing_in(gateway), signing_in(gateway)]

    page = await admin.does("/settings/sessions/end-others")

    assert "2 other sessions have ended." in words(page)
    assert [(await other.sees("/settings")).status_code for other in others] == [303, 303]
    assert (await admin.sees("/settings")).status_code == 200


async def test_a_session_that_is_gone_is_not_found(admin):
    assert (await admin.sends("/settings/sessions/none/end")).status_code == 404


# -- Site -------------------------------------------------------------------------------------------------------------


async def test_the_site_s_page_says_where_it_is_and_as_whom_we_act(admin):
    page = words(await admin.sees("/settings/site"))

    assert "https://wordpress.example" in page
    assert "Administrator admin" in page
    assert "Clients 2" in page


async def test_the_connection_is_checked_down_to_each_client(admin):
    page = words(await admin.does("/settings/site/check"))

    assert "accepts the administrator's credential, as admin." in page
    assert "The upstream credential of all 2 clients is healthy." in page


async def test_a_lost_credential_is_replaced_and_said(upstream, admin):
    upstream.wordpress.lose(BACKEND)

    page = words(await admin.does("/settings/site/check"))

    assert f"The upstream credential was lost and has been replaced: {BACKEND.id}." in page


async def test_a_credential_that_cannot_be_replaced_is_an_error_with_its_remedy(upstream, admin):
    upstream.wordpress.lose(BACKEND)
    upstream.wordpress.makes_passwords = False

    page = words(await admin.does("/settings/site/check"))

    assert f"The upstream credential is lost: {BACKEND.id}." in page
    assert "choose its Client Credentials User again" in page


async def test_an_administrator_s_lost_credential_is_said(upstream, admin):
    upstream.wordpress.passwords.clear()

    page = await admin.does("/settings/site/check")

    assert "notice-error" in page.text


async def test_a_site_with_clients_is_not_disconnected(gateway, admin):
    page = await admin.sees("/settings/site/disconnect")
    answer = await admin.sends("/settings/site/disconnect")

    assert "Clients still act on this site. Delete them first" in words(page)
    assert 'button-danger" type="submit"' not in page.text
    assert answer.status_code == 400
    assert gateway.store.snapshot(now=clock()).site is not None


async def test_a_site_without_clients_is_disconnected(gateway, admin):
    for client in (BACKEND, STRANGER):
        await gateway.change(clients.delete_client, client.id)
    assert "nobody gets an access token" in words(await admin.sees("/settings/site/disconnect"))

    page = words(await admin.does("/settings/site/disconnect"))

    assert "The site is disconnected." in page
    assert "Connect your WordPress site" in page
    assert gateway.store.snapshot(now=clock()).site is None
