"""From the one-time link to a working client, in a browser only."""

import json
import re
import subprocess

from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import check_page
from tests.browser.hands import Hand
from tests.browser.people import approve, fill_wordpress_login, one_time_link

RULES = """\
GET /wp-json/wp/v2/posts
POST /wp-json/wp/v2/posts
GET /wp-json/wp/v2/users/me
"""
TITLE = "Written by a backend service"


def test_from_the_one_time_link_to_a_published_post(newcomer: Hand, new_gateway, site):
    """The guide's example, step by step; the commands are run as the page shows them."""
    page = newcomer.page
    page.goto(one_time_link(new_gateway))
    connect(newcomer, site)
    enable_client_credentials(newcomer)
    add_the_guides_client(newcomer)
    token = json.loads(run(page.get_by_label("Request an access token")))
    assert token["granted_rest_routes"] == RULES.split("\n")[:-1]
    posts = site.site.php("echo count(get_posts(['title' => $title, 'post_status' => 'publish']));", title=TITLE)
    assert posts == "1"


def connect(person: Hand, site) -> None:
    page = person.page
    person.fill(page.get_by_label("Site Address"), site.url)
    person.press(page.get_by_role("button", name="Connect"))
    fill_wordpress_login(page, site.admin)
    approve(page)
    expect(page.get_by_role("navigation").get_by_role("link", name="Clients")).to_be_visible()


def enable_client_credentials(person: Hand) -> None:
    page = person.page
    person.press(page.get_by_role("link", name="Settings"))
    expect(page.get_by_role("heading", name="Grant Types")).to_be_visible()
    person.tick(page.get_by_label("Client Credentials"))
    person.press(page.get_by_role("button", name="Save Changes"))
    expect(page.get_by_label("Client Credentials")).to_be_checked()


def add_the_guides_client(person: Hand) -> None:
    page = person.page
    person.press(page.get_by_role("link", name="Clients"))
    person.press(page.get_by_role("link", name="Add New Client"))
    person.fill(page.get_by_label("Name"), "Backend Service")
    person.fill(page.get_by_label("Client Credentials User"), "author")
    person.fill(page.get_by_label("REST Route Allowlist"), RULES)
    expect(page.get_by_label("Restricted")).to_be_checked()
    person.press(page.get_by_role("button", name="Add New Client"))
    expect(page.get_by_label("Client Secret")).to_be_visible()


def run(command: Locator) -> str:
    """Run a command as somebody would who copied it."""
    return subprocess.run(["bash", "-c", command.inner_text()], check=True, capture_output=True, text=True).stdout
