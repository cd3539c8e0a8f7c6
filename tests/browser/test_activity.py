"""Activity: what was refused and why, what administrators did, and what is used."""

import csv
import io
import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from appconnect.control.activity import every_refusal
from appconnect.core.activity import RefusalFilter
from tests.browser.checks import check_page
from tests.browser.clients import ME, POSTS, client
from tests.browser.hands import Hand
from tests.browser.people import labeled
from tests.gateways import Registered, eventually


@pytest.fixture(scope="module")
def backend(gateway) -> Iterator[Registered]:
    """A client with three allowed requests and two refused ones, written down by now."""
    with client(gateway, POSTS, ME) as registered:
        headers = gateway.bearer(registered)
        wanted = RefusalFilter(client_id=registered.client_id)
        for _ in range(3):
            assert httpx.get(f"{gateway.url}/wp-json/wp/v2/posts", headers=headers).status_code == 200
        for method in ("POST", "DELETE"):
            answer = httpx.request(method, f"{gateway.url}/wp-json/wp/v2/posts/1", headers=headers)
            assert answer.status_code == 403
        eventually(lambda: len(list(every_refusal(gateway.context, wanted))) == 2)
        yield registered


def test_a_refusal_leads_to_the_same_request_tried(administrator: Hand, console, backend):
    page = administrator.page
    page.goto(console("activity"))
    administrator.press(page.get_by_role("link", name="Try a Request DELETE").first)
    expect(labeled(page, "Method")).to_have_value("DELETE")
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("DELETE /wp-json/wp/v2/posts/1")


def test_refusals_are_filtered(administrator: Hand, console, backend):
    page = administrator.page
    page.goto(console("activity"))
    administrator.fill(labeled(page, "Path contains"), "nowhere")
    administrator.press(page.get_by_role("button", name="Filter"))
    expect(page.get_by_role("heading", name="No refusals like that")).to_be_visible()


def test_refusals_are_exported(page, console, backend):
    page.goto(console("activity"))
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV"))))
    lines = [json.loads(line) for line in downloaded(page, "JSON lines").splitlines()]
    assert {row["method"] for row in rows} == {line["method"] for line in lines} == {"POST", "DELETE"}


def downloaded(page: Page, link: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    return download.value.path().read_text("utf-8")


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("activity", "activity-refusals"),
        ("activity?text=nowhere", "activity-refusals-none"),
        ("activity/events", "activity-events"),
        ("activity/usage", "activity-usage"),
    ],
)
def test_every_page_passes(page, console, backend, path, picture):
    page.goto(console(path))
    check_page(page, picture)


def test_the_usage_of_one_client_passes(page, console, backend):
    page.goto(console(f"activity/usage?client={backend.client_id}"))
    expect(page.get_by_role("table", name="Usage per rule")).to_contain_text(POSTS)
    check_page(page, "activity-usage-client")


def test_events_show_who_did_it(page, console, backend):
    page.goto(console("activity/events"))
    expect(page.get_by_role("table").get_by_role("row").filter(has_text="Backend Service").first).to_be_visible()


def test_times_are_in_the_readers_zone_with_utc_beside(page, page_without_javascript, console, backend):
    """The browser's zone is Sydney's; without a script there is UTC alone."""
    page.goto(console("activity"))
    expect(page.locator("time").first).to_contain_text("UTC")
    page_without_javascript.goto(console("activity"))
    expect(page_without_javascript.locator("time").first).to_contain_text("UTC")
    assert page.locator("time").first.inner_text() != page_without_javascript.locator("time").first.inner_text()
