"""A real browser, a real gateway and a real WordPress; every test fails on what a browser's console complains about.

The cast: `admin` connected the site, `author` is the service user, `stranger` is signed in and has no rights.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import NewUser, User, create_users, keep
from tests.browser.checks import ARTIFACTS, WIDE
from tests.browser.chromium import ACTION_SECONDS, Watch, chromium
from tests.browser.hands import Hand, Keyboard, Mouse
from tests.browser.people import sign_in_to_console, sign_in_to_wordpress
from tests.gateways import Gateway, initialize, serving
from tests.wordpress.conftest import Guarded, guarding

CAST = (
    NewUser("author", "author", first_name="Robin", last_name="Author"),
    NewUser("editor", "editor", first_name="Kim", last_name="Editor"),
    NewUser("stranger", "subscriber"),
)
expect.set_options(timeout=ACTION_SECONDS * 1000)

_NO_AVATARS = "update_option('show_avatars', 0);"
"""WordPress would ask another host for them."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is there besides the administrator."""

    author: User
    editor: User
    stranger: User


class Open(Protocol):
    """Opens a new browser window, with cookies of its own; it is closed when the test ends."""

    def __call__(self, *, javascript: bool = True, state: StorageState | None = None) -> Page: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a file: when the file ends, the event loop is free again for asynchronous tests."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def site_and_cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSite, Cast]]:
    """The newest WordPress, behind nginx and PHP-FPM, of type local: a way back over http is allowed."""
    files = create_site(tmp_path_factory.mktemp("site") / "site", Release.V6_7_ALPHA)
    cast = Cast(*create_users(files, *CAST))
    files.php(_NO_AVATARS)
    keep(files)
    with nginx_fpm(files) as running:
        yield running, cast


@pytest.fixture(scope="session")
def site(site_and_cast: tuple[RunningSite, Cast]) -> RunningSite:
    return site_and_cast[0]


@pytest.fixture(scope="session")
def cast(site_and_cast: tuple[RunningSite, Cast]) -> Cast:
    return site_and_cast[1]


@pytest.fixture(scope="session")
def guarded(site, tmp_path_factory) -> Iterator[Guarded]:
    """That WordPress behind a gateway that an administrator has connected."""
    with guarding(site, initialize(tmp_path_factory.mktemp("gateway"))) as both:
        yield both


@pytest.fixture(scope="session")
def gateway(guarded: Guarded) -> Gateway:
    """The connected one."""
    return guarded.gateway


@pytest.fixture
def new_gateway(tmp_path) -> Iterator[Gateway]:
    """One that nobody has connected or signed in to."""
    with serving(initialize(tmp_path / "gateway")) as running:
        yield running


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test where anything went wrong in the browser."""
    watching = Watch()
    yield watching
    assert not watching.problems, "\n".join(watching.problems)


@pytest.fixture
def open_window(browser: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Open]:
    """New windows for this test, each watched; a failed test leaves a picture of each."""
    contexts: list[BrowserContext] = []

    def open_window(*, javascript: bool = True, state: StorageState | None = None) -> Page:
        context = new_context(browser, javascript=javascript, state=state)
        contexts.append(context)
        watch.over(context)
        return context.new_page()

    yield open_window
    failed = request.node.stash.get(_FAILED, False)
    for number, context in enumerate(contexts):
        for page in context.pages if failed else ():
            name = re.sub(r"[^\w-]+", "-", request.node.name)
            page.screenshot(path=ARTIFACTS / f"failed-{name}-{number}.png", full_page=True)
        context.close()


def new_context(browser: Browser, *, javascript: bool = True, state: StorageState | None = None) -> BrowserContext:
    """A window's cookies, size and zone; the zone is neither UTC nor this machine's."""
    context = browser.new_context(
        java_script_enabled=javascript,
        storage_state=state,
        viewport={"width": WIDE.width, "height": WIDE.height},
        color_scheme="light",
        locale="en-US",
        timezone_id="Australia/Sydney",
        reduced_motion="reduce",
    )
    context.set_default_timeout(ACTION_SECONDS * 1000)
    return context


@pytest.fixture(scope="module")
def signed_in(browser: Browser, guarded: Guarded) -> StorageState:
    """The cookies of an administrator who is signed in to WordPress and to the console."""
    context = new_context(browser)
    watch = Watch()
    watch.over(context)
    page = context.new_page()
    sign_in_to_wordpress(page, guarded.site, guarded.site.admin)
    sign_in_to_console(page, guarded.gateway.url)
    state = context.storage_state()
    context.close()
    assert not watch.problems, "\n".join(watch.problems)
    return state


@pytest.fixture
def visitor(open_window: Open) -> Page:
    """A window in which nobody is signed in."""
    return open_window()


@pytest.fixture
def page(open_window: Open, signed_in: StorageState) -> Page:
    """The administrator's window, signed in to the console."""
    return open_window(state=signed_in)


@pytest.fixture(params=["mouse", "keyboard", "no_script"])
def administrator(request: pytest.FixtureRequest, open_window: Open, signed_in: StorageState) -> Hand:
    """Signed in to the console; each test runs with the mouse, by keyboard only, and with JavaScript off."""
    return _hand(request.param, open_window, signed_in)


@pytest.fixture(params=["mouse", "keyboard", "no_script"])
def newcomer(request: pytest.FixtureRequest, open_window: Open) -> Hand:
    """Signed in nowhere; the same three ways."""
    return _hand(request.param, open_window, None)


def _hand(way: str, open_window: Open, state: StorageState | None) -> Hand:
    page = open_window(state=state, javascript=way != "no_script")
    return Keyboard(page) if way == "keyboard" else Mouse(page)


@pytest.fixture
def page_without_javascript(open_window: Open, signed_in: StorageState) -> Page:
    return open_window(state=signed_in, javascript=False)


@pytest.fixture
def console(gateway: Gateway) -> Callable[[str], str]:
    """The address of a page of the console, such as `console("clients")`."""
    return lambda path: f"{gateway.url}/app-connect/{path}"


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report
