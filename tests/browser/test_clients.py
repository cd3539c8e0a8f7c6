"""The life of a client: added in test_first_run; here found, edited, disabled, given a new secret, and deleted."""

import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from demo.wordpress.debian import program
from tests.browser.checks import check_page
from tests.browser.clients import ME, POSTS, PUBLISH, client
from tests.browser.hands import Hand
from tests.browser.people import labeled
from tests.gateways import Registered
from tests.wordpress.foreign.npm import find_node

PROGRAMS = {
    "curl": (program("bash"), "-c"),
    "python": (sys.executable, "-c"),
    "node": (str(find_node()), "--input-type=module", "-e"),
    "php": (program("php"), "-r"),
}


@pytest.fixture
def backend(gateway) -> Iterator[Registered]:
    with client(gateway, POSTS, PUBLISH, ME) as registered:
        yield registered


def test_a_client_is_edited(administrator: Hand, console, backend):
    page = administrator.page
    page.goto(console(f"clients/{backend.client_id}"))
    administrator.press(page.get_by_role("link", name="Edit", exact=True).first)
    administrator.fill(labeled(page, "Name"), "Newsletter")
    administrator.pick(labeled(page, "Full"))
    administrator.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("The client Newsletter is saved.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Every REST route that the user may use")


def test_a_client_is_disabled_and_enabled(administrator: Hand, console, gateway, backend):
    page = administrator.page
    page.goto(console(f"clients/{backend.client_id}"))
    administrator.press(page.get_by_role("link", name="Disable", exact=True))
    administrator.press(page.get_by_role("button", name="Disable client"))
    expect(page.get_by_text("The client Backend Service is disabled.")).to_be_visible()
    assert token_answer(gateway, backend).json()["error"] == "unauthorized_client"
    administrator.press(page.get_by_role("link", name="Enable", exact=True))
    administrator.press(page.get_by_role("button", name="Enable client"))
    expect(page.get_by_text("The client Backend Service is enabled.")).to_be_visible()
    assert token_answer(gateway, backend).status_code == 200


def test_a_secret_is_rotated_while_the_old_one_stays_for_a_week(administrator: Hand, console, gateway, backend):
    page = administrator.page
    page.goto(console(f"clients/{backend.client_id}/rotate-secret"))
    administrator.pick(page.get_by_label("In 7 days"))
    administrator.press(page.get_by_role("button", name="Rotate secret"))
    secret = page.locator("#client-secret").inner_text()
    assert secret != backend.client_secret
    assert token_answer(gateway, Registered(backend.client_id, secret)).status_code == 200
    assert token_answer(gateway, backend).status_code == 200


def test_a_client_is_deleted_with_its_application_password(administrator: Hand, console, site, gateway, backend):
    page = administrator.page
    page.goto(console(f"clients/{backend.client_id}"))
    administrator.press(page.get_by_role("link", name="Delete", exact=True))
    administrator.press(page.get_by_role("button", name="Delete client"))
    expect(page.get_by_text("The client Backend Service is deleted.")).to_be_visible()
    assert token_answer(gateway, backend).json()["error"] == "invalid_client"
    assert site.site.php("echo count(WP_Application_Passwords::get_user_application_passwords(2));") == "0"


def test_the_secret_is_shown_once_and_copied(page, console, gateway, backend):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(console(f"clients/{backend.client_id}/rotate-secret"))
    page.get_by_role("button", name="Rotate secret").click()
    secret = page.locator("#client-secret").inner_text()
    check_page(page, "client-secret")
    page.get_by_role("button", name="Copy Client Secret").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == secret
    page.reload()
    expect(page.get_by_text(secret)).to_have_count(0)
    check_page(page, "client-secret-gone")


def test_the_commands_beside_the_secret_run_as_they_are_shown(page, console, site, backend):
    page.goto(console(f"clients/{backend.client_id}/rotate-secret"))
    page.get_by_role("button", name="Rotate secret").click()
    shown = {name: page.locator(f"#example-{name}").text_content() or "" for name in PROGRAMS}
    printed = {name: run(*PROGRAMS[name], text) for name, text in shown.items()}
    assert [name for name, text in printed.items() if "Hello world!" not in text] == [], printed


def run(*command: str) -> str:
    """Run a program that a page shows, and take all that it prints; PHP's `-r` wants it without the opening tag."""
    *interpreter, text = command
    command = (*interpreter, text.removeprefix("<?php"))
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("", "client"),
        ("/edit", "client-edit"),
        ("/rotate-secret", "client-rotate-secret"),
        ("/revoke-tokens", "client-revoke-tokens"),
        ("/disable", "client-disable"),
        ("/delete", "client-delete"),
    ],
)
def test_every_page_of_a_client_passes(page, console, backend, path, picture):
    page.goto(console(f"clients/{backend.client_id}{path}"))
    check_page(page, picture)


def test_the_list_without_clients_says_how_to_make_the_first(page, console):
    page.goto(console("clients"))
    expect(page.get_by_role("heading", name="No clients yet")).to_be_visible()
    check_page(page, "clients-empty")


def test_the_list_is_understood_at_a_glance(page, console, gateway):
    with (
        client(gateway, POSTS, PUBLISH),
        client(gateway, POSTS, name="Newsletter", user="editor"),
        client(gateway, "GET /wp-json/wc/v3/orders", name="<b>Order</b> sync & more", user="admin"),
    ):
        page.goto(console("clients"))
        rows = page.get_by_role("table", name="Clients").get_by_role("row")
        expect(rows).to_have_count(4)
        expect(rows.filter(has_text="<b>Order</b> sync & more")).to_contain_text("Administrator")
        check_page(page, "clients")


def test_a_client_is_found_by_its_user(administrator: Hand, console, gateway, backend):
    page = administrator.page
    with client(gateway, POSTS, name="Newsletter", user="editor"):
        page.goto(console("clients"))
        administrator.fill(page.get_by_role("searchbox"), "edit")
        administrator.press(page.get_by_role("button", name="Search Clients"))
        expect(page.get_by_role("link", name="Newsletter", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="Backend Service", exact=True)).to_have_count(0)


def test_what_is_wrong_with_a_new_client_is_said_at_its_fields_and_nothing_typed_is_lost(page, console):
    page.goto(console("clients/new"))
    labeled(page, "Name").fill("Publisher")
    labeled(page, "Client Credentials User").fill("nobody-there")
    labeled(page, "Rule 1").fill("FETCH /wp-json/wp/v2/posts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("There (is|are) .*problem"))).to_be_visible()
    expect(labeled(page, "Name")).to_have_value("Publisher")
    expect(labeled(page, "Client Credentials User")).to_have_value("nobody-there")
    expect(labeled(page, "Rule 1")).to_have_value("FETCH /wp-json/wp/v2/posts")
    expect(labeled(page, "Rule 1")).to_have_attribute("aria-invalid", "true")
    check_page(page, "client-new-mistakes")


def token_answer(gateway, registered: Registered) -> httpx.Response:
    return httpx.post(gateway.token_url, auth=registered.basic, data={"grant_type": "client_credentials"})
