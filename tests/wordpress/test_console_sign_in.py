"""Signing in through WordPress: the approval proves who somebody is, and leaves nothing behind.

WordPress's own page is driven by a browser in tests/browser; here PHP makes the password that it would make.
"""

import json
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from appconnect.control import sessions
from appconnect.control_plane import clock
from appconnect.core.audit import AuditEventType
from appconnect.core.secret import Secret
from appconnect.core.snapshot import UpstreamCredential
from demo.wordpress.site import ADMIN, NewUser, User, create_application_password, create_users
from tests.wordpress.conftest import Guarded

HERE = {"Sec-Fetch-Site": "same-origin"}
MAKE = """
$made = WP_Application_Passwords::create_new_application_password($id, ['name' => $name, 'app_id' => $app_id]);
echo json_encode($made[0]);
"""
NAMES = "echo json_encode(array_column(WP_Application_Passwords::get_user_application_passwords($id), 'name'));"


@dataclass(frozen=True)
class Begun:
    """A sign-in that a browser has begun: it is at WordPress's approval page now."""

    browser: httpx.Client
    back: str
    app_id: str
    name: str

    def approve(self, guarded: Guarded, user: User) -> str:
        """What WordPress makes when the user approves."""
        made = guarded.site.site.php(MAKE, id=user.id, name=self.name, app_id=self.app_id)
        return str(json.loads(made))

    def come_back(self, login: str, password: str) -> httpx.Response:
        return self.browser.get(self.back, params={"site_url": "x", "user_login": login, "password": password})


@pytest.fixture
def begun(guarded):
    with httpx.Client(base_url=guarded.gateway.url) as browser:
        yield begin(browser)


def begin(browser: httpx.Client) -> Begun:
    answer = browser.post("/app-connect/sign-in", data={"next": "/settings"}, headers=HERE)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return Begun(browser, query["success_url"][0], query["app_id"][0], query["app_name"][0])


def password_names(guarded: Guarded, user: User) -> list[str]:
    return list(json.loads(guarded.site.site.php(NAMES, id=user.id)))


def stranger_of(guarded: Guarded) -> User:
    found = json.loads(guarded.site.site.php("echo json_encode(get_user_by('login', 'stranger')->ID);"))
    return User(found, "stranger", "", "", "subscriber")


def text_after(answer: httpx.Response, browser: httpx.Client) -> str:
    assert answer.status_code == 303
    return browser.get(answer.headers["location"]).text


def test_an_administrator_is_signed_in_and_the_password_is_gone(guarded, begun):
    before = password_names(guarded, ADMIN)
    password = begun.approve(guarded, ADMIN)

    answer = begun.come_back("admin", password)

    assert answer.headers["location"] == "/app-connect/settings"
    assert begun.browser.get("/app-connect/settings/sessions").status_code == 200
    assert password_names(guarded, ADMIN) == before


def test_the_address_with_the_password_is_left_at_once_and_stands_in_no_log(guarded, begun):
    password = begun.approve(guarded, ADMIN)

    answer = begun.come_back("admin", password)

    assert answer.status_code == 303
    assert password not in answer.headers["location"] + answer.text
    assert password not in guarded.gateway.log()
    assert begun.back not in guarded.gateway.log()


def test_a_stranger_is_refused_with_the_reason_and_the_password_is_gone(guarded, begun):
    stranger = stranger_of(guarded)
    password = begun.approve(guarded, stranger)

    page = text_after(begun.come_back("stranger", password), begun.browser)

    assert "stranger is no administrator (subscriber)" in page
    assert "Only administrators of the site can use App Connect." in page
    assert password_names(guarded, stranger) == []
    assert begun.browser.get("/app-connect/settings").status_code == 303


def test_a_wrong_password_is_explained(begun):
    page = text_after(begun.come_back("admin", "wrong"), begun.browser)

    assert "notice-error" in page
    assert begun.browser.get("/app-connect/settings").status_code == 303


def test_who_does_not_approve_is_not_signed_in(begun):
    answer = begun.browser.get(begun.back, params={"success": "false"})

    assert "You did not approve" in text_after(answer, begun.browser)


def test_another_browser_cannot_finish_what_this_one_began(guarded, begun):
    """RFC 6749 §10.12: otherwise an attacker could sign a victim in as somebody else."""
    password = begun.approve(guarded, ADMIN)

    with httpx.Client(base_url=guarded.gateway.url) as other:
        theirs = Begun(other, begun.back, begun.app_id, begun.name)
        page = text_after(theirs.come_back("admin", password), other)

        assert "This was not begun in this browser" in page
        assert other.get("/app-connect/settings").status_code == 303
    begun.come_back("admin", password)  # and leaves the password to the one that did


def test_another_sign_in_s_way_back_does_not_fit(guarded, begun):
    with httpx.Client(base_url=guarded.gateway.url) as other:
        theirs = begin(other)
        password = begun.approve(guarded, ADMIN)
        mixed = Begun(begun.browser, theirs.back, begun.app_id, begun.name)

        assert "This was not begun in this browser" in text_after(mixed.come_back("admin", password), begun.browser)
    begun.come_back("admin", password)


def test_a_password_that_was_made_for_something_else_proves_nothing_and_stays(guarded, begun):
    other = create_application_password(guarded.site.site, ADMIN, name="nightly backup")

    page = text_after(begun.come_back("admin", other.password), begun.browser)

    assert "was not made for this sign-in" in page
    assert "nightly backup" in password_names(guarded, ADMIN)


def test_the_way_back_works_once(guarded, begun):
    password = begun.approve(guarded, ADMIN)
    begun.come_back("admin", password)
    begun.browser.post("/app-connect/sign-out", headers=HERE)

    begun.come_back("admin", password)

    assert begun.browser.get("/app-connect/settings").status_code == 303


def test_signing_in_gives_a_new_session_and_never_one_that_was_brought_along(guarded, begun):
    """Session fixation: what stands in the cookie before counts for nothing."""
    name = "app-connect-session"
    begun.browser.cookies.set(name, "f" * 64, domain="127.0.0.1", path="/app-connect")

    begun.come_back("admin", begun.approve(guarded, ADMIN))

    assert "f" * 64 not in begun.browser.cookies.get(name, domain="127.0.0.1", path="/app-connect", default="f" * 64)


def test_a_script_in_the_address_does_not_come_back(begun):
    answer = begun.come_back("<script>alert(1)</script>", "x")

    assert "<script>alert" not in text_after(answer, begun.browser)


def test_a_session_dies_with_the_administrator(guarded):
    (boss,) = create_users(guarded.site.site, NewUser("boss", "administrator"))
    context = guarded.gateway.context
    later = replace(context, clock=lambda: clock() + 61)
    credential = create_application_password(guarded.site.site, boss)
    user = context.site_at(context.store.snapshot(now=clock()).site).current_user(
        UpstreamCredential(boss.login, Secret(credential.password))
    )
    token = sessions.begin(context, user, browser="Firefox").token

    assert sessions.find_session(later, token) is not None
    guarded.site.site.php("wp_update_user(['ID' => $id, 'role' => 'editor']);", id=boss.id)
    last = replace(context, clock=lambda: clock() + 140)

    assert sessions.find_session(last, token) is None
    assert sessions.find_session(context, token) is None
    events = context.store.audit_events(limit=5)
    assert AuditEventType.SESSION_ENDED in {event.type for event in events}
