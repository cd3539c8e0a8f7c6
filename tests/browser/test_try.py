"""Try a request: both locks, the rule that is missing, and one click that adds it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.checks import check_page
from tests.browser.clients import POSTS, client
from tests.browser.hands import Hand
from tests.browser.people import labeled
from tests.gateways import Registered


@pytest.fixture
def backend(gateway) -> Iterator[Registered]:
    with client(gateway, POSTS) as registered:
        yield registered


def test_a_refused_request_shows_the_missing_rule_and_one_click_adds_it(administrator: Hand, console, backend):
    page = administrator.page
    page.goto(console(f"clients/{backend.client_id}/try"))
    administrator.select(labeled(page, "Method"), "POST")
    administrator.fill(labeled(page, "Path"), "/wp-json/wp/v2/posts")
    administrator.press(page.get_by_role("button", name="Try request"))
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("POST /wp-json/wp/v2/posts")
    administrator.press(page.get_by_role("button", name="Add this rule"))
    expect(page.get_by_text("has the new rule POST /wp-json/wp/v2/posts")).to_be_visible()
    expect(page.get_by_role("heading", name="Allowed")).to_be_visible()


def test_the_empty_form_passes(page, console, backend):
    page.goto(console(f"clients/{backend.client_id}/try"))
    check_page(page, "try")


def test_a_request_that_only_the_allowlist_refuses_passes(page, console, backend):
    page.goto(console(f"clients/{backend.client_id}/try?method=POST&path=/wp-json/wp/v2/posts"))
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    check_page(page, "try-refused")


def test_an_allowed_request_passes(page, console, backend):
    page.goto(console(f"clients/{backend.client_id}/try?method=GET&path=/wp-json/wp/v2/posts"))
    expect(page.get_by_role("heading", name="Allowed")).to_be_visible()
    check_page(page, "try-allowed")


def test_a_request_of_no_single_meaning_is_explained(page, console, backend):
    page.goto(console(f"clients/{backend.client_id}/try?method=GET&path=/wp-json/wp/v2/posts/%252e%252e"))
    expect(page.locator("#verdict")).to_contain_text("no single meaning")
    check_page(page, "try-no-meaning")
