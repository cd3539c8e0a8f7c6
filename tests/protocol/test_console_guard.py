"""The door of the console: who is let in, what a page of another site can do, and what a browser keeps."""

import asyncio
import base64
from dataclasses import replace

import httpx
import pytest

from appconnect.console.passing import packed
from appconnect.console.web import Gone, Notice
from appconnect.control import sessions, setup
from appconnect.control.context import Context, InputError
from appconnect.control_plane import clock
from appconnect.core.secret import Secret
from appconnect.core.sessions import SESSION_SECONDS
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import SiteDescription, UpstreamError, WordPressUser
from tests.protocol.conftest import BACKEND, PUBLIC_URL, SITE_URL, STRANGER, Running

ADMIN = WordPressUser(1, "admin", "", "", frozenset(("administrator",)), frozenset(("manage_options",)))
COOKIE = "__Secure-app-connect-session"
HERE = {"Sec-Fetch-Site": "same-origin"}
ENDING = "/app-connect/sign-out"


@pytest.fixture
async def signed_in(gateway: Running) -> sessions.Begun:
    return sessions.begin(gateway.context, ADMIN, browser="Firefox")


@pytest.fixture
def fresh(gateway: Running) -> Running:
    """A gateway that is connected to no site yet."""
    with gateway.store.transaction() as transaction:
        transaction.save_site(None)
    return gateway


def cookie(begun: sessions.Begun) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={begun.token}"}


# -- who is let in ----------------------------------------------------------------------------------------------------


async def test_a_stranger_is_sent_to_sign_in_and_comes_back_to_the_page(gateway):
    answer = await gateway.http.get("/app-connect/clients?q=back")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/app-connect/sign-in?next=%2Fclients%3Fq%3Dback"


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(gateway):
    """A page that asks for the newest events goes on asking after its session has ended."""
    answer = await gateway.http.get("/app-connect/activity/events", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["hx-redirect"] == "/app-connect/sign-in?next=%2Factivity%2Fevents"


async def test_whose_session_has_ended_learns_so_and_comes_back_to_the_form(gateway, signed_in):
    sessions.end_session(gateway.context, signed_in.session.id)

    answer = await gateway.http.post("/app-connect/clients/new", headers=cookie(signed_in) | HERE, data={"name": "x"})
    notice = answer.headers["set-cookie"].partition(";")[0]
    page = await gateway.http.get(answer.headers["location"], headers={"Cookie": notice})

    assert answer.headers["location"] == "/app-connect/sign-in?next=%2Fclients%2Fnew"
    assert "Your session has ended." in page.text


async def test_an_administrator_sees_the_page(gateway, signed_in):
    answer = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))

    assert answer.status_code == 200
    assert "Sign Out" in answer.text


async def test_a_token_that_is_none_is_a_stranger_s(gateway, signed_in):
    answer = await gateway.http.get("/app-connect/clients", headers={"Cookie": f"{COOKIE}={signed_in.session.id}"})

    assert answer.status_code == 303


async def test_a_session_ends_by_time(gateway):
    late = replace(gateway.context, clock=lambda: clock() + SESSION_SECONDS)
    begun = sessions.begin(gateway.context, ADMIN, browser="Firefox")

    assert sessions.find_session(gateway.context, begun.token) is not None
    assert sessions.find_session(late, begun.token) is None


async def test_signing_out_ends_the_session_itself(gateway, signed_in):
    await gateway.http.post(ENDING, headers=cookie(signed_in) | HERE)

    answer = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))
    assert answer.status_code == 303


async def test_an_ended_session_is_a_stranger_s_on_the_next_request(gateway, signed_in):
    sessions.end_session(gateway.context, signed_in.session.id)

    answer = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))
    assert answer.status_code == 303


# -- the one-time link ------------------------------------------------------------------------------------------------


async def test_looking_at_the_link_does_not_use_it_up_and_the_button_does(fresh):
    link = sessions.first_link(fresh.context).removeprefix(PUBLIC_URL)

    looked = [await fresh.http.get(link) for _ in range(2)]
    used = await fresh.http.post(link, headers=HERE)
    again = await fresh.http.post(link, headers=HERE)

    assert [answer.status_code for answer in looked] == [200, 200]
    assert "Begin" in looked[1].text
    assert used.headers["location"] == "/app-connect/setup"
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


async def test_a_new_link_takes_the_place_of_the_old_one(fresh):
    old, new = sessions.first_link(fresh.context), sessions.first_link(fresh.context)

    assert "no longer works" in (await fresh.http.get(old)).text
    assert "Begin" in (await fresh.http.get(new)).text


async def test_there_is_no_link_where_a_site_is_connected_to_sign_in_with(gateway):
    link = sessions.first_link(gateway.context)

    assert link == f"{PUBLIC_URL}/app-connect/"


async def test_disconnecting_ends_the_sessions_of_the_site_s_administrators_but_the_one_that_does_it(gateway):
    own, _ = (sessions.begin(gateway.context, ADMIN, browser=name) for name in ("Firefox", "Chromium"))
    with gateway.store.transaction() as transaction:
        transaction.delete_client(BACKEND.id)
        transaction.delete_client(STRANGER.id)
        for password in gateway.store.application_passwords():
            if password.client_id is not None:
                transaction.forget_application_password(password.app_id)

    answer = await gateway.http.post("/app-connect/settings/site/disconnect", headers=cookie(own) | HERE)

    assert answer.headers["location"] == "/app-connect/setup"
    assert sessions.all_sessions(gateway.context) == []
    assert "is disconnected" in (await gateway.http.get("/app-connect/setup", headers=cookie(own))).text
    assert (await gateway.http.get("/app-connect/clients", headers=cookie(own))).headers["location"].endswith("/setup")


async def test_a_link_is_void_once_somebody_has_signed_in(fresh):
    link = sessions.first_link(fresh.context)
    sessions.begin(fresh.context, ADMIN, browser="Firefox")

    assert (await fresh.http.post(link, headers=HERE)).status_code == 410


async def test_the_session_of_the_link_opens_nothing_but_the_setup(fresh):
    link = sessions.first_link(fresh.context)
    used = await fresh.http.post(link, headers=HERE)
    own = {"Cookie": used.headers["set-cookie"].partition(";")[0]}

    for path in ("/clients", "/settings", "/activity", "/settings/sessions"):
        answer = await fresh.http.get(f"/app-connect{path}", headers=own)
        assert answer.headers["location"] == "/app-connect/setup", path
    assert (await fresh.http.get("/app-connect/setup", headers=own)).status_code == 200


# -- other sites' pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC_URL},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{PUBLIC_URL}.evil.example"},
        {},
    ],
    ids=["cross-site", "same-site", "none", "cross-site with our origin", "other", "null", "longer", "neither"],
)
async def test_an_act_from_elsewhere_is_refused_and_does_nothing(gateway, signed_in, headers):
    answer = await gateway.http.post(ENDING, headers=cookie(signed_in) | headers)

    assert answer.status_code == 403
    assert (await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))).status_code == 200


@pytest.mark.parametrize("headers", [HERE, {"Origin": PUBLIC_URL}], ids=["fetch metadata", "origin"])
async def test_an_act_from_our_own_page_is_done(gateway, signed_in, headers):
    answer = await gateway.http.post(ENDING, headers=cookie(signed_in) | headers)

    assert answer.status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "api.example.com:8443", "api.example.com.evil.example"])
async def test_the_console_answers_to_its_own_name_only(gateway, signed_in, host):
    """DNS rebinding: another name that leads here must not become an origin of ours."""
    answer = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in) | {"Host": host})

    assert answer.status_code == 421
    assert "Sign Out" not in answer.text


@pytest.mark.parametrize(
    "next_",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/../wp-admin/", "/clients/../../x", "javascript:1"],
)
async def test_signing_in_leads_to_no_address_of_others(gateway, signed_in, next_):
    answer = await gateway.http.get("/app-connect/sign-in", params={"next": next_}, headers=cookie(signed_in))

    assert answer.headers["location"] == "/app-connect/clients"


async def test_signing_in_leads_back_to_a_page_of_ours(gateway, signed_in):
    query = {"next": "/clients?q=back end"}
    answer = await gateway.http.get("/app-connect/sign-in", params=query, headers=cookie(signed_in))

    assert answer.headers["location"] == "/app-connect/clients?q=back%20end"


async def test_a_body_that_is_no_form_is_refused(gateway, signed_in):
    headers = cookie(signed_in) | HERE | {"Content-Type": "text/plain"}

    assert (await gateway.http.post(ENDING, content=b"a=b", headers=headers)).status_code == 415


async def test_a_form_that_is_too_long_is_refused(gateway, signed_in):
    answer = await gateway.http.post(ENDING, data={"a": "x" * 300_000}, headers=cookie(signed_in) | HERE)

    assert answer.status_code == 413


# -- what a browser gets ----------------------------------------------------------------------------------------------


def content_security_policy(answer: httpx.Response) -> dict[str, str]:
    directives = (one.strip().partition(" ") for one in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("path", ["/app-connect/clients", "/app-connect/sign-in", "/app-connect/nothing-here"])
async def test_every_page_forbids_framing_and_whatever_is_inline(gateway, signed_in, path):
    policy = content_security_policy(answer := await gateway.http.get(path, headers=cookie(signed_in)))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["img-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_forms_lead_nowhere_but_here(gateway, signed_in):
    answer = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))

    assert content_security_policy(answer)["form-action"] == "'self'"


async def test_the_cookie_is_for_our_path_and_for_no_script(fresh):
    used = await fresh.http.post(sessions.first_link(fresh.context), headers=HERE)

    name, _, attributes = used.headers["set-cookie"].partition("=")
    assert name == COOKIE
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/app-connect"} <= set(attributes.split("; "))


async def test_style_and_scripts_are_kept_for_ever_under_a_name_of_their_content(gateway, signed_in):
    page = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))
    address = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]

    answer = await gateway.http.get(address)

    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert (await gateway.http.get(address.replace("static/", "static/0"))).status_code == 404


# -- what one page leaves for the next --------------------------------------------------------------------------------


async def test_a_notice_shows_once(gateway, signed_in):
    signed_out = await gateway.http.post(ENDING, headers=cookie(signed_in) | HERE)
    left = dict(pair.partition(";")[0].split("=", 1) for pair in signed_out.headers.get_list("set-cookie"))
    own = {"Cookie": f"__Secure-app-connect-notice={left['__Secure-app-connect-notice']}"}

    first = await gateway.http.get("/app-connect/sign-in", headers=own)

    assert "You are signed out." in first.text
    assert "Max-Age=0" in first.headers["set-cookie"]


@pytest.mark.parametrize("value", ["", "x", "bm90IGpzb24=", "WzFd", "W1siPGI+IiwiPGI+Il1d"])
async def test_a_notice_that_is_none_of_ours_is_harmless(gateway, value):
    answer = await gateway.http.get("/app-connect/sign-in", headers={"Cookie": f"__Secure-app-connect-notice={value}"})

    assert answer.status_code == 200
    assert "<b>" not in answer.text


async def test_what_is_left_for_a_page_waits_for_it_and_shows_once(gateway, signed_in):
    """A tab that is opened in between must not swallow a client secret."""
    left = Gone("/settings/api", (Notice("success", "It is done."),), {"client_secret": "acs_once"})
    gateway.store.sessions.leave_notice(signed_in.session.id, left.path, packed(left))

    between = await gateway.http.get("/app-connect/clients", headers=cookie(signed_in))
    first = await gateway.http.get("/app-connect/settings/api?x=1", headers=cookie(signed_in))
    again = await gateway.http.get("/app-connect/settings/api", headers=cookie(signed_in))

    assert ["It is done." in page.text for page in (between, first, again)] == [False, True, False]


async def test_what_is_left_for_a_page_is_sealed(gateway, signed_in, settings):
    left = Gone("/settings/api", (), {"client_secret": "acs_once"})
    gateway.store.sessions.leave_notice(signed_in.session.id, left.path, packed(left))

    assert b"acs_once" not in b"".join(
        file.read_bytes() for file in settings.database_path.parent.glob("app-connect.db*")
    )


# -- what an attacker could try ---------------------------------------------------------------------------------------

FAKE = {"site": "https://wordpress.example", "upstream": "http://127.0.0.1:9"}


async def begun_by_link(fresh: Running) -> dict[str, str]:
    """The cookie of a session of the one-time link."""
    used = await fresh.http.post(sessions.first_link(fresh.context), headers=HERE)
    return {"Cookie": used.headers["set-cookie"].partition(";")[0]}


def connect_elsewhere(context: Context) -> None:
    with context.store.transaction() as transaction:
        transaction.save_site(SiteAddress(SITE_URL, SITE_URL, has_pretty_permalinks=True))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/setup"),
        ("GET", "/setup/back/by-hand"),
        ("POST", "/setup/back/by-hand"),
        ("GET", "/setup/back/aa?user_login=m&password=x"),
    ],
)
async def test_a_session_of_the_link_cannot_take_over_a_gateway_that_was_connected_meanwhile(fresh, method, path):
    """Whoever used the link first must not lead the gateway to a WordPress of their own afterwards."""
    own = await begun_by_link(fresh)
    await fresh.change(connect_elsewhere)

    answer = await fresh.http.request(method, f"/app-connect{path}", data=FAKE, headers=own | HERE)

    assert answer.headers["location"] == "/app-connect/sign-in"
    site = fresh.store.snapshot(now=clock()).site
    assert site is not None
    assert site.upstream_url == SITE_URL


async def test_sessions_of_the_link_end_when_an_administrator_signs_in_and_with_a_new_link(fresh):
    first = await begun_by_link(fresh)
    second = await begun_by_link(fresh)

    assert (await fresh.http.get("/app-connect/setup", headers=first)).status_code == 303
    sessions.begin(fresh.context, ADMIN, browser="Firefox")
    assert (await fresh.http.get("/app-connect/setup", headers=second)).status_code == 303


async def test_connecting_asks_again_under_the_lock_whether_there_is_a_site(gateway):
    description = SiteDescription(SiteAddress(SITE_URL, FAKE["upstream"], has_pretty_permalinks=True), "", None)
    site = gateway.store.snapshot(now=clock()).site

    with pytest.raises((InputError, UpstreamError)):
        await asyncio.to_thread(
            setup.connect,
            gateway.context,
            replace(description, address=site),
            "admin",
            Secret("adminpass"),
            was_made_for_us=False,
            may_replace=False,
        )


@pytest.mark.parametrize("path", ["/sign-in/back/aa", "/setup/back/aa"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "eyJzdGF0ZSI6ICJhYSIsICJhcHBfaWQiOiAieCIsICJuZXh0IjogIiIsICJzaXRlIjogIiIsICJ1cHN0cmVhbSI6ICIifQ==",
        base64.urlsafe_b64encode(b"[" * 2000).decode(),
    ],
    ids=["nothing", "made up", "nested"],
)
async def test_what_a_browser_brings_back_cannot_be_made_up(gateway, signed_in, path, value):
    headers = {"Cookie": f"{COOKIE}={signed_in.token}; __Secure-app-connect-pending={value}"}

    answer = await gateway.http.get(f"/app-connect{path}?user_login=m&password=aaaa", headers=headers)

    assert answer.status_code == 303
    site = gateway.store.snapshot(now=clock()).site
    assert site is not None
    assert site.url == SITE_URL


async def test_a_form_with_too_many_fields_is_refused(gateway, signed_in):
    content = "&".join(["a="] * 30_000)
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    posted = await gateway.http.post(ENDING, content=content, headers=cookie(signed_in) | HERE | form)
    asked = await gateway.http.get(f"/app-connect/sign-in?{content[:60_000]}")

    assert posted.status_code == 413
    assert asked.status_code in (200, 413)


async def test_looking_at_the_head_of_a_page_takes_nothing(gateway, signed_in):
    left = Gone("/settings/api", (Notice("success", "It is done."),))
    gateway.store.sessions.leave_notice(signed_in.session.id, left.path, packed(left))

    await gateway.http.head("/app-connect/settings/api", headers=cookie(signed_in))

    assert "It is done." in (await gateway.http.get("/app-connect/settings/api", headers=cookie(signed_in))).text


async def test_two_secrets_that_wait_do_not_take_each_other_s_place(gateway, signed_in):
    for path in ("/settings/api", "/settings/keys"):
        gateway.store.sessions.leave_notice(signed_in.session.id, path, packed(Gone(path, (Notice("info", path),))))

    for path in ("/settings/api", "/settings/keys"):
        page = await gateway.http.get(f"/app-connect{path}", headers=cookie(signed_in))
        assert f">{path}<" in page.text.replace("\n", "").replace("  ", "")


@pytest.mark.parametrize("path", ["/clients/", "/settings/", "/CLIENTS", "//clients", "/clients/%2e%2e/settings"])
async def test_a_path_has_one_spelling(gateway, signed_in, path):
    answer = await gateway.http.get(f"/app-connect{path}", headers=cookie(signed_in))

    assert answer.status_code == 404
