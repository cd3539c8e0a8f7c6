"""The console's pages of clients that need no WordPress: the list, acts on a client, its secret, a request tried."""

import re
from dataclasses import dataclass, replace
from html import unescape

import httpx
import pytest

from appconnect.control import clients, sessions
from appconnect.control_plane import clock
from appconnect.core.activity import Activity, ClientUse, CredentialCheck, Health
from appconnect.core.audit import AuditEventType
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule
from appconnect.ports import WordPressUser
from tests.protocol.conftest import AUTHOR, BACKEND, STRANGER, Running, eventually

ADMIN = WordPressUser(1, "admin", "", "", frozenset(("administrator",)), frozenset(("manage_options",)))
HERE = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
ONE = f"/app-connect/clients/{BACKEND.id}"
ACTS = ("disable", "enable", "delete", "revoke-tokens", "rotate-secret", "check", "edit", "try")
INJECTION = '"><script>alert(1)</script>'


@dataclass(frozen=True)
class Browser:
    """An administrator's browser, and the page that it has open."""

    gateway: Running
    cookie: str

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.gateway.http.get(path, headers={"Cookie": self.cookie, **headers})

    async def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        return await self.gateway.http.post(path, data=data or {}, headers={"Cookie": self.cookie, **HERE, **headers})

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])


@pytest.fixture
async def browser(gateway: Running) -> Browser:
    begun = sessions.begin(gateway.context, ADMIN, browser="Firefox")
    return Browser(gateway, f"__Secure-app-connect-session={begun.token}")


def text_of(answer: httpx.Response) -> str:
    """What somebody reads: without markup, blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def save(gateway: Running, name: str, *, rules: tuple[str, ...] = (), client_id: str | None = None) -> str:
    """A client of that name, without asking WordPress for an application password; its ID."""
    known = gateway.store.snapshot(now=clock()).clients[BACKEND.id]
    id_ = client_id or f"ac_{name.lower().replace(' ', '')[:17]}"
    policy = Policy(id_, AUTHOR, AccessMode.RESTRICTED, tuple(map(RouteRule.parse, rules)))
    with gateway.store.transaction() as transaction:
        transaction.save_client(replace(known, id=id_, name=name, policy_hash=policy.hash), policy, now=clock())
    return id_


# -- the list ---------------------------------------------------------------------------------------------------------


async def test_the_list_shows_each_client_with_user_role_mode_and_number_of_rules(browser):
    shown = text_of(await browser.get("/app-connect/clients"))

    assert "ac_backend" in shown
    assert "ac_stranger" in shown
    assert "author Author Restricted 9 Never Not used yet" in shown


async def test_the_list_shows_last_use_and_health(browser, gateway):
    use = {(BACKEND.id, 0): ClientUse(allowed=1, last_at=1_700_000_000)}
    checks = {BACKEND.id: CredentialCheck(Health.LOST, clock())}
    gateway.store.activities.write(Activity(client_uses=use, credential_checks=checks), now=clock())

    shown = text_of(await browser.get("/app-connect/clients?q=backend"))

    assert "Nov 14, 2023, 22:13 UTC Lost" in shown


async def test_the_list_says_when_a_secret_is_leaving(browser, gateway):
    clients.rotate_secret(gateway.context, BACKEND.id, overlap_seconds=3600)

    assert "Old secret ends" in text_of(await browser.get("/app-connect/clients?q=backend"))


async def test_the_list_says_when_every_request_is_denied(browser, gateway):
    save(gateway, "Nothing allowed")

    assert "None: all is denied" in text_of(await browser.get("/app-connect/clients?q=nothing"))


@pytest.mark.parametrize("wanted", ["BACKEND", "ac_back"], ids=["in any case", "by its ID"])
async def test_a_client_is_found_by_a_part_of_its_name_or_id(browser, wanted):
    shown = text_of(await browser.get(f"/app-connect/clients?q={wanted}"))

    assert "ac_backend" in shown
    assert "ac_stranger" not in shown


async def test_clients_are_found_by_their_user(browser):
    shown = text_of(await browser.get("/app-connect/clients?q=author"))

    assert "ac_backend" in shown
    assert "ac_stranger" in shown


async def test_a_search_without_result_says_what_it_looked_at(browser):
    assert "No client has “nobody”" in text_of(await browser.get("/app-connect/clients?q=nobody"))


async def test_twenty_clients_are_a_page(browser, gateway):
    for number in range(19):
        save(gateway, f"Service {number:02}", client_id=f"ac_service{number}")

    first = text_of(await browser.get("/app-connect/clients"))
    second = text_of(await browser.get("/app-connect/clients?page=2"))

    assert "1 to 20 of 21 clients" in first
    assert "Service 17" in first
    assert "Service 18" not in first
    assert "21 to 21 of 21 clients" in second
    assert "Service 18" in second


@pytest.mark.parametrize("page", ["0", "99", "x", "-1", "1" * 30])
async def test_a_page_that_is_none_is_the_nearest_one(browser, page):
    assert "ac_backend" in text_of(await browser.get(f"/app-connect/clients?page={page}"))


async def test_without_clients_the_page_says_what_one_is_and_how_to_add_it(browser, gateway):
    with gateway.store.transaction() as transaction:
        transaction.delete_client(BACKEND.id)
        transaction.delete_client(STRANGER.id)

    answer = await browser.get("/app-connect/clients")

    assert "A client is a backend service" in text_of(answer)
    assert 'href="/app-connect/clients/new"' in answer.text


async def test_the_list_leads_to_settings_where_client_credentials_is_not_enabled(browser, gateway):
    switches = gateway.store.snapshot(now=clock()).switches
    with gateway.store.transaction() as transaction:
        transaction.save_switches(replace(switches, grant_types=frozenset()))

    assert "Enable it in Settings → Grant Types" in text_of(await browser.get("/app-connect/clients"))


@pytest.mark.parametrize(
    "path", ["/clients", "/clients/ID", "/clients/ID/delete", "/clients/ID/rotate-secret", "/clients/ID/try", "/try"]
)
async def test_markup_in_a_name_is_text(browser, gateway, path):
    id_ = save(gateway, INJECTION, client_id="ac_injection")

    answer = await browser.get("/app-connect" + path.replace("ID", id_))

    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text


async def test_markup_in_a_search_is_text(browser):
    answer = await browser.get("/app-connect/clients?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text


# -- acts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
async def test_a_stranger_is_sent_to_sign_in(gateway, act):
    answer = await gateway.http.post(f"{ONE}/{act}", headers=HERE)

    assert answer.headers["location"].startswith("/app-connect/sign-in")


@pytest.mark.parametrize("act", ACTS)
async def test_a_page_of_another_site_can_do_nothing(browser, gateway, act):
    before = gateway.store.revision()

    answer = await browser.post(f"{ONE}/{act}", {"overlap": "0", "save": "1"}, **ELSEWHERE)

    assert answer.status_code == 403
    assert gateway.store.revision() == before


@pytest.mark.parametrize("page", ["", "/disable", "/enable", "/delete", "/revoke-tokens", "/rotate-secret", "/secret"])
async def test_looking_changes_nothing(browser, gateway, page):
    before = gateway.store.revision()

    answer = await browser.get(ONE + page)

    assert answer.status_code == 200
    assert gateway.store.revision() == before


async def test_the_act_of_checking_is_no_page(browser):
    assert (await browser.get(f"{ONE}/check")).status_code == 405


@pytest.mark.parametrize("act", ["disable", "enable", "delete", "revoke-tokens", "rotate-secret", "check"])
async def test_an_unknown_client_is_not_found(browser, act):
    assert (await browser.post(f"/app-connect/clients/ac_nobody/{act}", {"overlap": "0"})).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/nowhere", 404, "The address may be mistyped, or what it showed may have been deleted."),
        ("/clients/ac_nobody", 404, "There is no client 'ac_nobody'."),
        (f"/clients/{BACKEND.id}/check", 405, "Open the page that has the button for it, and press it there."),
    ],
    ids=["no page", "no client", "no act"],
)
async def test_where_there_is_no_page_an_administrator_keeps_the_way_on(browser, path, status, text):
    signed_in = await browser.get(f"/app-connect{path}")
    page = text_of(signed_in)

    assert signed_in.status_code == status
    assert text in page
    assert "Clients Activity Settings Help" in page
    assert "Signed in as admin" in page


async def test_a_stranger_gets_an_error_page_without_the_console_s_navigation(gateway):
    answer = await gateway.http.get("/app-connect/nowhere")

    assert answer.status_code == 404
    assert "Sign Out" not in answer.text
    assert "Activity" not in answer.text


@pytest.mark.parametrize(
    ("act", "button"),
    [
        ("disable", "Disable client"),
        ("delete", "Delete client"),
        ("revoke-tokens", "Revoke Tokens"),
        ("rotate-secret", "Rotate Secret"),
    ],
)
async def test_a_dangerous_act_says_when_the_client_was_last_used_and_its_button_names_it(
    browser, gateway, act, button
):
    use = {(BACKEND.id, 0): ClientUse(allowed=1, last_at=1_700_000_000)}
    sha256 = gateway.store.snapshot(now=clock()).clients[BACKEND.id].secrets[0].sha256
    recorded = Activity(client_uses=use, secret_uses={(BACKEND.id, sha256): 1_700_000_000})
    gateway.store.activities.write(recorded, now=clock())

    shown = text_of(await browser.get(f"{ONE}/{act}"))

    assert "Nov 14, 2023, 22:13 UTC" in shown
    assert button in shown


async def test_a_disabled_client_gets_no_token_until_it_is_enabled(browser, gateway):
    done = await browser.follow(await browser.post(f"{ONE}/disable"))
    refused = await gateway.request_token()
    await browser.post(f"{ONE}/enable")
    answered = await gateway.request_token()

    assert "The client ac_backend is disabled." in text_of(done)
    assert refused.json()["error"] == "unauthorized_client"
    assert answered.status_code == 200


async def test_a_deleted_client_is_gone(browser, gateway):
    done = await browser.follow(await browser.post(f"{ONE}/delete"))

    assert "The client ac_backend is deleted." in text_of(done)
    assert BACKEND.id not in gateway.store.snapshot(now=clock()).clients


async def test_revoked_tokens_stop_working(browser, gateway, token):
    await browser.post(f"{ONE}/revoke-tokens")

    async def is_refused() -> bool:
        return bool((await gateway.get(token)).status_code == 401)

    await eventually(is_refused)


async def test_acts_are_recorded_with_the_administrator_who_did_them(browser, gateway):
    await browser.post(f"{ONE}/disable")

    event = gateway.store.audit_events(limit=1)[0]
    assert (event.type, event.actor, event.subject) == (AuditEventType.CLIENT_DISABLED, "console:admin", BACKEND.id)


# -- the secret -------------------------------------------------------------------------------------------------------


def secret_in(answer: httpx.Response) -> str:
    found = re.search(r'id="client-secret">(acs_\w+)<', answer.text)
    assert found is not None, text_of(answer)
    return found[1]


async def test_a_rotated_secret_is_shown_once_and_works_beside_the_old_one(browser, gateway):
    shown = await browser.follow(await browser.post(f"{ONE}/rotate-secret", {"overlap": "3600"}))
    again = await browser.get(f"{ONE}/secret")
    new = replace(BACKEND, secret=secret_in(shown))

    assert (await gateway.request_token(new)).status_code == 200
    assert (await gateway.request_token()).status_code == 200
    assert new.secret not in again.text
    assert "It cannot be shown again" in text_of(again)


async def test_without_an_overlap_the_old_secret_ends(browser, gateway):
    await browser.post(f"{ONE}/rotate-secret", {"overlap": "0"})

    assert (await gateway.request_token()).json()["error"] == "invalid_client"


@pytest.mark.parametrize("overlap", ["", "5", "-1", "x"])
async def test_an_overlap_that_is_none_of_the_choices_is_explained_at_the_choices(browser, gateway, overlap):
    before = gateway.store.revision()

    answer = await browser.post(f"{ONE}/rotate-secret", {"overlap": overlap})

    assert answer.status_code == 400
    assert 'href="#overlap"' in answer.text
    assert gateway.store.revision() == before


async def test_a_secret_is_not_shown_on_the_page_of_another_client(browser):
    await browser.post(f"{ONE}/rotate-secret", {"overlap": "3600"})

    answer = await browser.get(f"/app-connect/clients/{STRANGER.id}/secret")

    assert "acs_" not in answer.text


async def test_a_secret_stands_in_no_address(browser):
    answer = await browser.post(f"{ONE}/rotate-secret", {"overlap": "3600"})

    assert answer.headers["location"] == f"{ONE}/secret"
    assert answer.text == ""


# -- try a request ----------------------------------------------------------------------------------------------------


async def test_an_allowed_request_names_its_rule(browser):
    shown = text_of(await browser.get(f"{ONE}/try?method=POST&path=/wp-json/wp/v2/posts"))

    assert "The rule POST /wp-json/wp/v2/posts allows it." in shown


async def test_a_refused_request_names_the_rule_that_is_missing(browser):
    shown = text_of(await browser.get(f"{ONE}/try?method=GET&path=/wp-json/wp/v2/pages"))

    assert "Refused Not on the allowlist" in shown
    assert "The rule that is missing GET /wp-json/wp/v2/pages" in shown


async def test_a_request_of_no_single_meaning_says_why(browser):
    shown = text_of(await browser.get(f"{ONE}/try?method=GET&path=/wp-json/wp/v2/posts/../users"))

    assert "Nothing: it has no single meaning." in shown
    assert "Refused A path that could be read in two ways." in shown


async def test_parts_of_a_batch_are_listed(browser, gateway):
    id_ = save(gateway, "Batch", rules=("POST /wp-json/batch/v1", "POST /wp-json/wp/v2/posts"))
    body = '{"requests": [{"method": "POST", "path": "/wp/v2/posts"}]}'

    answer = await browser.post(
        f"/app-connect/clients/{id_}/try", {"method": "POST", "path": "/wp-json/batch/v1", "body": body}
    )

    assert "Requests of the batch POST /wp-json/wp/v2/posts" in text_of(answer)


async def test_htmx_gets_the_verdict_alone(browser):
    answer = await browser.post(
        f"{ONE}/try", {"method": "GET", "path": "/wp-json/wp/v2/pages"}, **{"HX-Request": "true"}
    )

    assert answer.text.lstrip().startswith('<div id="verdict"')
    assert answer.headers["vary"] == "HX-Request"


async def test_a_path_and_a_client_that_are_missing_are_explained_at_their_fields(browser):
    answer = await browser.post("/app-connect/try", {"method": "DELETE"})

    assert answer.status_code == 400
    assert 'href="#client"' in answer.text
    assert 'href="#path"' in answer.text
    assert '<option value="DELETE" selected>' in answer.text


async def test_without_a_client_in_the_address_one_is_chosen(browser):
    shown = await browser.get(f"/app-connect/try?client={BACKEND.id}&method=GET&path=/wp-json/wp/v2/pages")

    assert f'<option value="{BACKEND.id}" selected>' in shown.text
    assert "The rule that is missing" in text_of(shown)


async def test_what_is_tried_is_text(browser):
    answer = await browser.post(f"{ONE}/try", {"path": f"/wp-json/{INJECTION}", "body": INJECTION, "method": INJECTION})

    assert "<script>alert" not in answer.text
