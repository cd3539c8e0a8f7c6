"""From the one-time link to a working client, in a browser only."""

import json
import subprocess

from playwright.sync_api import expect

from tests.browser.checks import check_page
from tests.browser.hands import Hand
from tests.browser.people import approve, fill_wordpress_login, labeled, one_time_link

RULES = ("GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/users/me")
"""The guide's examples."""


def test_from_the_one_time_link_to_a_published_post(newcomer: Hand, new_gateway, site):
    """The guide's example, step by step; the commands are run as the page shows them."""
    page = newcomer.page
    page.goto(one_time_link(new_gateway))
    connect(newcomer, site)
    enable_client_credentials(newcomer)
    add_the_guides_client(newcomer)
    assert "Hello world!" in run(page.locator("#example-curl").text_content() or "")
    post = json.loads(run(page.locator("#example-publish").text_content() or ""))
    page.goto(post["link"])
    expect(page.get_by_role("heading", name=post["title"]["raw"]).first).to_be_visible()


def connect(person: Hand, site) -> None:
    page = person.page
    person.press(page.get_by_role("button", name="Begin"))
    person.fill(labeled(page, "Site Address"), site.url)
    person.press(page.get_by_role("button", name="Continue to WordPress"))
    fill_wordpress_login(page, site.admin)
    approve(page)
    expect(page.get_by_text("Connected to App Connect demo as admin.")).to_be_visible()


def enable_client_credentials(person: Hand) -> None:
    page = person.page
    person.press(page.get_by_role("link", name="Settings"))
    person.press(page.get_by_role("button", name="Enable Client Credentials"))
    expect(page.get_by_text("Client Credentials is enabled.")).to_be_visible()


def add_the_guides_client(person: Hand) -> None:
    page = person.page
    person.press(page.get_by_role("link", name="Clients"))
    person.press(page.get_by_role("link", name="Add New Client").first)
    person.fill(labeled(page, "Name"), "Backend Service")
    expect(labeled(page, "Client Credentials")).to_be_checked()
    expect(labeled(page, "Confidential")).to_be_checked()
    expect(labeled(page, "Restricted")).to_be_checked()
    person.fill(labeled(page, "Client Credentials User"), "author")
    for number, rule in enumerate(RULES, 1):
        person.fill(labeled(page, f"Rule {number}"), rule)
        person.press(page.get_by_role("button", name="Add rule", exact=True))
    person.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name="Client Secret", exact=True)).to_be_visible()


def run(commands: str) -> str:
    """Run commands as somebody would who copied them; what the last one prints."""
    ran = subprocess.run(["bash", "-c", commands], check=True, capture_output=True, text=True, timeout=60)
    return ran.stdout[ran.stdout.rindex("\n{") if "\n{" in ran.stdout else 0 :]


def test_the_pages_of_the_first_run_pass_and_the_link_works_once(visitor, open_window, new_gateway):
    link = one_time_link(new_gateway)
    visitor.goto(f"{new_gateway.url}/app-connect/")
    expect(visitor.get_by_text("app-connect serve").first).to_be_visible()
    check_page(visitor, "not-set-up")
    visitor.goto(link)
    check_page(visitor, "setup-link")
    visitor.get_by_role("button", name="Begin").click()
    expect(labeled(visitor, "Site Address")).to_be_visible()
    check_page(visitor, "setup-address")
    labeled(visitor, "Site Address").fill("http://127.0.0.1:9")
    visitor.get_by_role("button", name="Continue to WordPress").click()
    expect(labeled(visitor, "Site Address")).to_have_value("http://127.0.0.1:9")
    check_page(visitor, "setup-no-answer")
    second = open_window()
    second.goto(link)
    expect(second.get_by_role("heading", name="This link no longer works")).to_be_visible()
    check_page(second, "setup-link-used")
