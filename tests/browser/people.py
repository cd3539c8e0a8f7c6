"""What people do in WordPress's pages on the way to the console."""

import re

import httpx
from playwright.sync_api import Locator, Page, expect

from demo.wordpress.servers import RunningSite
from demo.wordpress.site import User
from tests.gateways import Gateway

_WRITE = "(field, text) => { field.value = text; }"
_APPROVE = "Yes, I approve of this connection"


def sign_in_to_wordpress(page: Page, site: RunningSite, user: User) -> None:
    """Give the window the cookies that WordPress's login form would; the form itself is WordPress's to test."""
    with httpx.Client(cookies={"wordpress_test_cookie": "WP%20Cookie%20check"}) as http:
        form = {"log": user.login, "pwd": user.password, "testcookie": "1"}
        answer = http.post(f"{site.url}/wp-login.php", data=form)
        assert answer.status_code == 302, answer.text
        page.context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "domain": "127.0.0.1", "path": cookie.path}
                for cookie in http.cookies.jar
            ]
        )


def fill_wordpress_login(page: Page, user: User) -> None:
    """Fill WordPress's own login form, which stands before the approval page for whoever is not signed in.

    Without typing: 200 ms after the page its script takes the focus into the first field, whatever is typed then.
    """
    page.get_by_label("Username or Email Address").evaluate(_WRITE, user.login)
    page.get_by_label("Password", exact=True).evaluate(_WRITE, user.password)
    page.get_by_role("button", name="Log In").click()


def approve(page: Page) -> None:
    """Say yes on WordPress's own approval page."""
    page.get_by_role("button", name=_APPROVE).click()


def labeled(page: Page, label: str) -> Locator:
    """The control with exactly this label, whether or not it says that the control is required."""
    return page.get_by_label(re.compile(rf"^\s*{re.escape(label)}(\s+\(required\))?\s*$"))


def sign_in_to_console(page: Page, gateway_url: str) -> None:
    """Go through WordPress as an administrator who is signed in there already."""
    page.goto(f"{gateway_url}/app-connect/sign-in")
    page.get_by_role("button", name="WordPress").click()
    approve(page)
    expect(page).to_have_url(re.compile("/app-connect/clients"))


def one_time_link(gateway: Gateway) -> str:
    """What `serve` prints while nobody has signed in."""
    found = re.search(r"http://\S+/app-connect/setup/\S+", gateway.log())
    assert found, gateway.log()
    return found[0]
