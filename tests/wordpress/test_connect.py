"""`app-connect connect`: an administrator's approval on WordPress's own page, brought back or pasted."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from html import unescape
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from appconnect.control import setup
from appconnect.control.context import InputError
from appconnect.core.secret import Secret
from appconnect.ports import SiteDescription
from demo.wordpress.site import ADMIN, User, create_users
from demo.wordpress.site import NewUser as New
from tests.gateways import COMMAND, Gateway, clean_environment, initialize, serving
from tests.tls import Authority, terminating_tls

FIELD = re.compile(r'<input type="(?:hidden|text)"[^>]*name="(?P<name>[^"]+)"[^>]*value="(?P<value>[^"]*)"')


@pytest.fixture
def gateway(tmp_path) -> Gateway:
    return initialize(tmp_path / "gateway")


@pytest.fixture(scope="module")
def stranger(site) -> User:
    """Signed in to WordPress, no administrator."""
    return create_users(site.site, New("nobody", "subscriber"))[0]


class Browser:
    """As much of a browser as WordPress's pages need without JavaScript."""

    def __init__(self, site_url: str, user: User, *, authority: Authority) -> None:
        self._http = httpx.Client(verify=authority.context, follow_redirects=False)
        self._http.cookies.set("wordpress_test_cookie", "WP%20Cookie%20check")
        form = {"log": user.login, "pwd": user.password, "wp-submit": "Log In", "testcookie": "1"}
        assert self._http.post(f"{site_url}/wp-login.php", data=form).status_code == 302

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: str) -> httpx.Response:
        return self._http.get(url)

    def decide(self, url: str, button: str) -> httpx.Response:
        """Open the approval page and press one of its buttons."""
        page = self._http.get(url)
        assert page.status_code == 200, page.text
        fields = {found["name"]: unescape(found["value"]) for found in FIELD.finditer(page.text)}
        return self._http.post(url.partition("?")[0], data={**fields, button: "1"})


@pytest.fixture
def secured(tmp_path):
    """A running gateway whose public address is https, by a TLS terminator before it."""
    authority = Authority.make(tmp_path / "authority")
    gateway = initialize(tmp_path / "gateway", upstream_ca_file=str(authority.file))
    with terminating_tls(gateway.url, authority, tmp_path / "nginx") as public_url:
        settings = gateway.folder / "app-connect.toml"
        settings.write_text(
            settings.read_text().replace(f'public_url = "{gateway.url}"', f'public_url = "{public_url}"')
        )
        with serving(gateway):
            yield gateway, public_url, authority


@pytest.fixture
def browser(secured, site) -> Iterator[Browser]:
    """The administrator's, signed in to WordPress."""
    with Browser(site.url, ADMIN, authority=secured[2]) as opened:
        yield opened


@pytest.fixture
def begin_connecting() -> Iterator[Callable[[Gateway, str], subprocess.Popen[str]]]:
    """Start `app-connect connect SITE_URL`, which then waits for an administrator."""
    with ExitStack() as running:

        def begin(gateway: Gateway, site_url: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [COMMAND, "connect", site_url],
                cwd=gateway.folder,
                env=clean_environment(BROWSER="true"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield begin


def approval_page(process: subprocess.Popen[str]) -> str:
    """The address that the command prints."""
    assert process.stderr is not None
    line = next(line for line in process.stderr if "authorize-application.php" in line)
    return line.strip()


def test_an_approval_comes_back_to_the_gateways_https_address(secured, site, browser, begin_connecting):
    gateway, public_url, _ = secured
    process = begin_connecting(gateway, site.url)
    answer = browser.decide(approval_page(process), "approve")
    assert answer.headers["location"].startswith(f"{public_url}/app-connect/approved/")
    cleaned = browser.get(answer.headers["location"])
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Connected to 'App Connect demo' as admin." in output
    assert "password" not in cleaned.headers["location"]
    password = dict(parse_qsl(urlsplit(answer.headers["location"]).query))["password"]
    assert password not in gateway.log()


def test_the_page_after_an_approval_has_no_password_in_its_address_and_is_kept_nowhere(
    secured, site, browser, begin_connecting
):
    gateway, public_url, _ = secured
    process = begin_connecting(gateway, site.url)
    answer = browser.decide(approval_page(process), "approve")
    cleaned = browser.get(answer.headers["location"])
    process.communicate(timeout=60)
    page = browser.get(public_url + cleaned.headers["location"])
    assert cleaned.status_code == 303
    assert cleaned.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "Go back to the terminal" in page.text


def test_a_refused_approval_connects_nothing(secured, site, browser, begin_connecting):
    gateway, _, _ = secured
    process = begin_connecting(gateway, site.url)
    answer = browser.get(reject_url(approval_page(process)))
    _, errors = process.communicate(timeout=60)
    assert answer.status_code == 303
    assert process.returncode == 1
    assert "not approved" in errors
    assert gateway.context.store.snapshot(now=0).site is None


def reject_url(page: str) -> str:
    """Where core's "No" button leads: the way back with `success=false`."""
    return f"{dict(parse_qsl(urlsplit(page).query))['success_url']}?success=false"


def test_an_approval_that_nobody_waits_for_is_not_kept(secured):
    gateway, public_url, authority = secured
    before = gateway.context.store.revision()
    query = "?site_url=x&user_login=admin&password=abcd"
    answer = httpx.get(f"{public_url}/app-connect/approved/{'0' * 64}{query}", verify=authority.context)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("result=unknown")
    assert gateway.context.store.revision() == before, "anybody could make every worker load everything anew"


def test_a_pasted_password_connects(gateway, site, begin_connecting):
    made = site.site.php("echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'pasted'])[0];")
    process = begin_connecting(gateway, site.url)
    output, errors = process.communicate(f"admin\n{made}\n", timeout=60)
    assert process.returncode == 0, errors
    assert "Connected to 'App Connect demo' as admin." in output
    assert made not in output + errors


def test_a_user_who_is_no_administrator_is_refused_and_nothing_is_kept(gateway, site, stranger):
    made = site.site.php(
        "echo WP_Application_Passwords::create_new_application_password($id, ['name' => 'mine'])[0];", id=stranger.id
    )
    ran = gateway.command(
        "connect", site.url, "--username", stranger.login, "--password-file", "-", stdin=made, check=False
    )
    assert ran.returncode == 1
    assert "no administrator" in ran.stderr
    assert gateway.context.store.snapshot(now=0).site is None


def test_connecting_again_replaces_the_password_that_was_made_for_us(secured, site, browser, begin_connecting):
    gateway, _, _ = secured
    first = begin_connecting(gateway, site.url)
    browser.get(browser.decide(approval_page(first), "approve").headers["location"])
    first.communicate(timeout=60)
    second = begin_connecting(gateway, site.url)
    browser.get(browser.decide(approval_page(second), "approve").headers["location"])
    second.communicate(timeout=60)
    assert ours_in_wordpress(site) == 1


def test_disconnecting_removes_the_password_that_was_made_for_us(secured, site, browser, begin_connecting):
    gateway, _, _ = secured
    process = begin_connecting(gateway, site.url)
    browser.get(browser.decide(approval_page(process), "approve").headers["location"])
    process.communicate(timeout=60)
    gateway.command("disconnect")
    assert ours_in_wordpress(site) == 0


@pytest.fixture(autouse=True)
def no_passwords_of_ours(site):
    """Each test begins without a password that an approval made."""
    site.site.php(
        "foreach (WP_Application_Passwords::get_user_application_passwords(1) as $one)"
        " if (str_starts_with($one['name'], 'App Connect ('))"
        " WP_Application_Passwords::delete_application_password(1, $one['uuid']);"
    )


def ours_in_wordpress(site) -> int:
    """How many passwords of the administrator an approval made."""
    names = site.site.php(
        "foreach (WP_Application_Passwords::get_user_application_passwords(1) as $one) echo $one['name'], PHP_EOL;"
    )
    return sum(name.startswith("App Connect (") for name in names.splitlines())


def test_an_approval_after_the_command_was_interrupted_is_not_kept_and_says_so(
    secured, site, browser, begin_connecting
):
    gateway, _, _ = secured
    process = begin_connecting(gateway, site.url)
    page = approval_page(process)
    process.send_signal(2)
    process.communicate(timeout=60)
    assert process.returncode == 130
    answer = browser.get(browser.decide(page, "approve").headers["location"])
    assert answer.headers["location"].endswith("result=unknown")


def test_an_approval_of_somebody_who_is_no_administrator_leaves_no_password(secured, site, stranger, begin_connecting):
    gateway, _, authority = secured
    process = begin_connecting(gateway, site.url)
    with Browser(site.url, stranger, authority=authority) as theirs:
        theirs.get(theirs.decide(approval_page(process), "approve").headers["location"])
    _, errors = process.communicate(timeout=60)
    assert "no administrator" in errors
    assert not site.site.php(
        "echo count(WP_Application_Passwords::get_user_application_passwords($id)) > 1;", id=stranger.id
    )


def test_another_site_needs_a_disconnect_first(secured, site, browser, begin_connecting):
    """Else the administrator's password on the first one could not be removed any more."""
    gateway, _, _ = secured
    process = begin_connecting(gateway, site.url)
    browser.get(browser.decide(approval_page(process), "approve").headers["location"])
    process.communicate(timeout=60)
    other = replace(gateway.context.store.snapshot(now=0).site, url="https://other.example")
    with pytest.raises(InputError, match="disconnect"):
        setup.connect(
            gateway.context, SiteDescription(other, "Other", None), "admin", credential(gateway), was_made_for_us=False
        )
    assert gateway.context.store.snapshot(now=0).site.url == site.url


def credential(gateway: Gateway) -> Secret:
    """The administrator's password that the gateway keeps."""
    password = gateway.context.store.application_passwords()[0].password
    assert password is not None
    return password
