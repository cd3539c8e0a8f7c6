"""Signing in through WordPress, and out; who is no administrator stays outside and is told why."""

import re

from playwright.sync_api import expect

from tests.browser.checks import check_page
from tests.browser.hands import Hand
from tests.browser.people import approve, fill_wordpress_login, sign_in_to_wordpress

BUTTON = "Sign in with WordPress"


def test_an_administrator_signs_in_through_wordpress_and_out_again(newcomer: Hand, console, site):
    page = newcomer.page
    page.goto(console("settings"))
    newcomer.press(page.get_by_role("button", name=BUTTON))
    fill_wordpress_login(page, site.admin)
    approve(page)
    expect(page).to_have_url(console("settings"))
    newcomer.press(page.get_by_role("button", name="Sign Out"))
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto(console("settings"))
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()


def test_the_password_that_proved_it_is_in_no_address_of_the_browsers_history(visitor, console, site):
    sign_in_to_wordpress(visitor, site, site.admin)
    addresses: list[str] = []
    visitor.on("framenavigated", lambda frame: addresses.append(frame.url))
    visitor.goto(console("sign-in"))
    visitor.get_by_role("button", name=BUTTON).click()
    approve(visitor)
    expect(visitor).to_have_url(console("clients"))
    assert not [address for address in addresses if "password=" in address]


def test_somebody_who_is_no_administrator_is_refused_with_the_reason(visitor, console, site, cast):
    sign_in_to_wordpress(visitor, site, cast.stranger)
    visitor.goto(console("sign-in"))
    visitor.get_by_role("button", name=BUTTON).click()
    approve(visitor)
    expect(visitor.get_by_role("alert")).to_contain_text("Only administrators of the site can use App Connect.")
    check_page(visitor, "sign-in-refused")
    visitor.goto(console("settings"))
    expect(visitor).to_have_url(re.compile("/app-connect/sign-in"))


def test_whoever_says_no_to_wordpress_is_not_signed_in(visitor, console, site):
    sign_in_to_wordpress(visitor, site, site.admin)
    visitor.goto(console("sign-in"))
    visitor.get_by_role("button", name=BUTTON).click()
    visitor.get_by_role("button", name="No, I do not approve of this connection").click()
    expect(visitor).to_have_url(re.compile("/app-connect/sign-in"))
    expect(visitor.get_by_text("You did not approve")).to_be_visible()


def test_the_sign_in_page_passes(visitor, console):
    visitor.goto(console("sign-in"))
    check_page(visitor, "sign-in")


def test_the_page_for_nobody_in_particular_passes(visitor, console):
    visitor.goto(console("help"))
    check_page(visitor, "help")


def test_a_wrong_address_says_so(page, console):
    page.goto(console("no-such-page"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check_page(page, "not-found")
