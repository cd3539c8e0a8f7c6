"""Settings and Activity of the console before a real WordPress: its credentials, its title, and a refused request."""

import json
from collections.abc import Iterator

import httpx
import pytest

from appconnect.control import sessions, setup
from appconnect.core.secret import Secret
from appconnect.ports import WordPressUser
from demo.wordpress.site import ADMIN, create_application_password
from tests.gateways import eventually, initialize, serving
from tests.wordpress.conftest import Guarded

HERE = {"Sec-Fetch-Site": "same-origin"}
COUNT = "echo count(WP_Application_Passwords::get_user_application_passwords($id));"
REVOKE_ALL = (
    "WP_Application_Passwords::delete_all_application_passwords(get_user_by('login', $login)->ID); echo 'done';"
)
RENAME = """
global $wpdb;
$wpdb->update($wpdb->options, ['option_value' => $title], ['option_name' => 'blogname']);
echo json_encode(wp_cache_flush());
"""
TITLE = '</title><script>alert(1)</script> & "Sons"'


@pytest.fixture
def own(site, tmp_path) -> Iterator[Guarded]:
    """A gateway of the test's own, which an approval has connected: it may remove its password from WordPress."""
    gateway = initialize(tmp_path / "gateway")
    password = create_application_password(site.site, ADMIN)
    description = setup.look_at_site(gateway.context, site.home, None)
    setup.connect(gateway.context, description, password.login, Secret(password.password), was_made_for_us=True)
    with serving(gateway):
        yield Guarded(site, gateway)


@pytest.fixture
def browser(own) -> Iterator[httpx.Client]:
    """The browser of an administrator who is signed in."""
    admin = WordPressUser(ADMIN.id, ADMIN.login, "", "", frozenset(), frozenset())
    begun = sessions.begin(own.gateway.context, admin, browser="Firefox")
    cookie = {"app-connect-session": begun.token}
    with httpx.Client(base_url=f"{own.gateway.url}/app-connect", cookies=cookie, follow_redirects=True) as client:
        yield client


def test_client_credentials_is_enabled_as_the_guide_says(own, browser):
    page = browser.post("/settings/grant-types/client-credentials/enable", headers=HERE)

    assert "Client Credentials is enabled." in page.text
    client = own.gateway.add_client("Backend Service", "author", "GET /wp-json/wp/v2/posts")
    assert own.gateway.token(client)


def test_a_credential_that_was_revoked_in_wordpress_is_replaced_on_check(own, browser):
    own.gateway.add_client("Backend Service", "author", "GET /wp-json/wp/v2/posts")
    own.site.site.php(REVOKE_ALL, login="author")

    first = browser.post("/settings/site/check", headers=HERE)
    second = browser.post("/settings/site/check", headers=HERE)

    assert "The upstream credential was lost and has been replaced: Backend Service." in first.text
    assert "The upstream credential of the one client is healthy." in second.text


def test_disconnecting_removes_our_password_from_wordpress(own, browser):
    before = json.loads(own.site.site.php(COUNT, id=ADMIN.id))

    page = browser.post("/settings/site/disconnect", headers=HERE)

    assert "The site is disconnected." in page.text
    assert json.loads(own.site.site.php(COUNT, id=ADMIN.id)) == before - 1


def test_a_site_s_title_is_text_and_never_markup(own, browser):
    own.site.site.php(RENAME, title=TITLE)
    try:
        page = browser.get("/settings/site")
    finally:
        own.site.site.php(RENAME, title="App Connect demo")

    assert "alert(1)" in page.text
    assert "<script>alert" not in page.text


def test_a_request_that_is_refused_appears_in_activity_and_can_be_tried(own, browser):
    browser.post("/settings/grant-types/client-credentials/enable", headers=HERE)
    client = own.gateway.add_client("Backend Service", "author", "GET /wp-json/wp/v2/posts")
    httpx.get(f"{own.gateway.url}/wp-json/wp/v2/pages", headers=own.gateway.bearer(client))
    eventually(lambda: "/wp/v2/pages" in browser.get("/activity").text)

    page = browser.get("/activity")

    tried = f"/app-connect/clients/{client.client_id}/try?method=GET&amp;path=%2Fwp-json%2Fwp%2Fv2%2Fpages"
    assert "Not on the allowlist" in page.text
    assert tried in page.text
    assert browser.get(f"{own.gateway.url}{tried.replace('&amp;', '&')}").status_code == 200
