"""Settings: what is shown before a change, the change itself, and that every page of them passes."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.checks import check_page
from tests.browser.clients import POSTS, client
from tests.browser.hands import Hand
from tests.browser.people import labeled, sign_in_to_console, sign_in_to_wordpress
from tests.gateways import Registered


@pytest.fixture(scope="module")
def backend(gateway) -> Iterator[Registered]:
    """A client whom the changes concern."""
    with client(gateway, POSTS) as registered:
        yield registered


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("settings", "settings-grant-types"),
        ("settings/grant-types/client-credentials/disable", "settings-grant-types-disable"),
        ("settings/api", "settings-api"),
        ("settings/api/disable", "settings-api-disable"),
        ("settings/token-lifetime", "settings-token-lifetime"),
        ("settings/keys", "settings-keys"),
        ("settings/sessions", "settings-sessions"),
        ("settings/admin-tokens", "settings-admin-tokens"),
        ("settings/admin-tokens/new", "settings-admin-tokens-new"),
        ("settings/site", "settings-site"),
        ("settings/site/disconnect", "settings-site-disconnect"),
    ],
)
def test_every_page_passes(page, console, backend, path, picture):
    page.goto(console(path))
    check_page(page, picture)


def test_client_credentials_are_disabled_and_enabled(administrator: Hand, console, gateway, backend):
    page = administrator.page
    page.goto(console("settings"))
    administrator.press(page.get_by_role("link", name="Disable Client Credentials"))
    expect(page.get_by_role("row", name="Backend Service")).to_contain_text("author")
    administrator.press(page.get_by_role("button", name="Disable Client Credentials"))
    expect(page.get_by_text("Client Credentials is disabled.")).to_be_visible()
    assert token_answer(gateway, backend).json()["error"] == "unauthorized_client"
    administrator.press(page.get_by_role("button", name="Enable Client Credentials"))
    expect(page.get_by_text("Client Credentials is enabled.")).to_be_visible()
    assert token_answer(gateway, backend).status_code == 200


def test_the_api_is_disabled_and_enabled(administrator: Hand, console, gateway, backend):
    page = administrator.page
    page.goto(console("settings/api"))
    administrator.press(page.get_by_role("link", name="Disable API"))
    administrator.press(page.get_by_role("button", name="Disable API"))
    expect(page.get_by_text("The API is disabled.")).to_be_visible()
    assert token_answer(gateway, backend).status_code == 503
    administrator.press(page.get_by_role("button", name="Enable API"))
    expect(page.get_by_text("The API is enabled.")).to_be_visible()
    assert token_answer(gateway, backend).status_code == 200


def test_a_token_lifetime_is_saved_and_a_wrong_one_explained(administrator: Hand, console):
    page = administrator.page
    field = labeled(page, "Token Lifetime")
    page.goto(console("settings/token-lifetime"))
    administrator.fill(field, "5")
    administrator.press(page.get_by_role("button", name="Save Changes"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("5")
    administrator.fill(field, "3600")
    administrator.press(page.get_by_role("button", name="Save Changes"))
    expect(page.get_by_text(re.compile("New access tokens live"))).to_be_visible()


def test_what_was_wrong_is_summed_up_linked_and_has_the_focus(page, console):
    page.goto(console("settings/token-lifetime"))
    labeled(page, "Token Lifetime").fill("5")
    page.get_by_role("button", name="Save Changes").click()
    summary = page.get_by_role("group", name=re.compile("problem")).or_(page.get_by_role("alert")).first
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(labeled(page, "Token Lifetime")).to_be_focused()
    check_page(page, "settings-token-lifetime-mistake")


def test_the_key_is_rotated_and_the_old_one_retired(administrator: Hand, console):
    page = administrator.page
    page.goto(console("settings/keys"))
    keys = page.get_by_role("row").count()
    administrator.press(page.get_by_role("button", name="Rotate key"))
    expect(page.get_by_role("row")).to_have_count(keys + 1)
    administrator.press(page.get_by_role("link", name="Retire key").first)
    administrator.press(page.get_by_role("button", name="Retire key"))
    expect(page.get_by_role("link", name="Retire key")).to_have_count(0)


def test_another_session_is_ended(page, console, open_window, signed_in, gateway, site):
    other = open_window()
    sign_in_to_wordpress(other, site, site.admin)
    sign_in_to_console(other, gateway.url)
    page.goto(console("settings/sessions"))
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.get_by_text("There is no other session.")).to_be_visible()
    other.goto(console("settings"))
    expect(other).to_have_url(re.compile("/app-connect/sign-in"))


def test_an_administrator_token_is_shown_once_and_revoked(administrator: Hand, console):
    page = administrator.page
    page.goto(console("settings/admin-tokens/new"))
    administrator.fill(labeled(page, "Name"), "Deployment")
    administrator.tick(page.get_by_role("checkbox").first)
    administrator.press(page.get_by_role("button", name="Create token"))
    expect(page.get_by_text(re.compile("^aca_"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile("^aca_"))).to_have_count(0)
    administrator.press(page.get_by_role("link", name="Revoke").first)
    administrator.press(page.get_by_role("button", name="Revoke token"))
    expect(page.get_by_role("row", name="Deployment")).to_have_count(0)


def test_the_connection_is_checked(administrator: Hand, console):
    page = administrator.page
    page.goto(console("settings/site"))
    administrator.press(page.get_by_role("button", name="Check connection"))
    expect(page.get_by_role("main")).to_contain_text("Connected")


def token_answer(gateway, registered: Registered) -> httpx.Response:
    return httpx.post(gateway.token_url, auth=registered.basic, data={"grant_type": "client_credentials"})
