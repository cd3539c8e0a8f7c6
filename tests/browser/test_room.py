"""The room itself: what it promises to see, it sees."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page

from tests.browser.checks import check_page
from tests.browser.chromium import chromium
from tests.browser.people import fill_wordpress_login, sign_in_to_wordpress

GOOD = '<main><h1>Clients</h1><p>Nothing yet. <a href="#">Help</a></p><button>Add New Client</button></main>'
STYLES = ":root { color-scheme: light dark; background: Canvas } button { height: 30px }"


class Pages(SimpleHTTPRequestHandler):
    """Files under the policy that the console has."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'")
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def show(tmp_path, visitor) -> Iterator[Callable[..., Page]]:
    """Show a page with this body and these styles."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=tmp_path))
    Thread(target=server.serve_forever).start()

    def show(body: str, css: str = ""):
        (tmp_path / "page.css").write_text(STYLES + css)
        (tmp_path / "page.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Clients</title>'
            f'<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="page.css">{body}</html>'
        )
        visitor.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        return visitor

    yield show
    server.shutdown()
    server.server_close()


def test_a_good_page_passes_under_the_consoles_policy(show):
    check_page(show(GOOD), "room")


def test_low_contrast_is_seen(show):
    with pytest.raises(AssertionError, match="color-contrast"):
        check_page(show(GOOD, "p { color: #999; background: #fff }"), "room")


def test_low_contrast_in_the_dark_scheme_alone_is_seen(show):
    dark = "@media (prefers-color-scheme: dark) { p { color: #444; background: #000 } }"
    with pytest.raises(AssertionError, match=r"color-contrast.*\(at 320 dark, 782 dark, 1280 dark\)"):
        check_page(show(GOOD, dark), "room")


def test_a_small_target_is_seen(show):
    crowded = GOOD.replace("</main>", "<button>a</button><button>b</button></main>")
    with pytest.raises(AssertionError, match="target-size"):
        check_page(show(crowded, "button { all: unset; font-size: 8px; height: 10px } "), "room")


def test_scrolling_sideways_at_320_is_seen(show):
    with pytest.raises(AssertionError, match=r"scrolls sideways.*\(at 320\)"):
        check_page(show(GOOD, "h1 { width: 400px }"), "room")


def test_a_focus_that_does_not_show_is_seen(show):
    with pytest.raises(AssertionError, match="Add New Client shows no focus"):
        check_page(show(GOOD, "button:focus { outline: none }"), "room")


def test_a_page_that_the_keyboard_cannot_use_is_seen(show):
    with pytest.raises(AssertionError, match="Tab reaches nothing"):
        check_page(show("<main><h1>Clients</h1><p>Nothing yet.</p></main>"), "room")


def test_a_focus_under_a_sticky_bar_is_seen(show):
    body = GOOD.replace("</main>", "<footer></footer></main>")
    bar = "footer { position: fixed; inset: 0 0 0 0; background: Canvas }"
    with pytest.raises(AssertionError, match="Add New Client is covered"):
        check_page(show(body, bar), "room")


def test_an_inline_script_is_seen(show, watch):
    show(f"{GOOD}<script>document.title = 'inline'</script>")
    seen = "\n".join(watch.problems)
    watch.clear()
    assert "Content Security Policy" in seen


def test_a_missing_script_is_seen(show, watch):
    show(f'{GOOD}<script src="missing.js"></script>')
    seen = "\n".join(watch.problems)
    watch.clear()
    assert re.search("answer 404 .*missing.js", seen)


def test_a_request_to_another_host_is_seen_and_goes_nowhere(show, watch):
    page = show(f'{GOOD}<a href="http://other.example/">Other</a>')
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://other.example/")
    seen = "\n".join(watch.problems)
    watch.clear()
    assert "request to another host http://other.example/" in seen


def test_an_uncaught_error_is_seen(show, watch):
    show(GOOD).evaluate("setTimeout(() => { throw new Error('unexpected') })")
    show(GOOD)
    seen = "\n".join(watch.problems)
    watch.clear()
    assert "unexpected" in seen


def test_wordpress_shows_its_approval_page_without_a_complaint(site, visitor):
    sign_in_to_wordpress(visitor, site, site.admin)
    visitor.goto(f"{site.url}/wp-admin/authorize-application.php?app_name=App+Connect")
    assert visitor.get_by_role("button", name="Yes, I approve of this connection").is_visible()


def test_wordpresss_login_form_lets_the_administrator_in(site, visitor):
    visitor.goto(f"{site.url}/wp-login.php?redirect_to={site.url}/wp-admin/profile.php")
    fill_wordpress_login(visitor, site.admin)
    assert "profile.php" in visitor.url


def test_the_browser_leaves_no_event_loop_behind():
    """Asynchronous tests of the same worker run in the same thread when a file of these is done."""

    def browse_then_await() -> str:
        with chromium() as browser:
            browser.new_page()
        return asyncio.run(asyncio.sleep(0, "free"))

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(browse_then_await).result() == "free"
