"""The console's client form before a real WordPress: the guide's steps, both locks, and every mistake explained."""

import re
from dataclasses import replace

import httpx
import pytest

from appconnect.control import clients
from appconnect.control.clients import Draft, find_client
from appconnect.control_plane import clock
from appconnect.core.policy import AccessMode
from demo.wordpress.install import write_plugin
from tests.gateways import Registered, eventually, free_port
from tests.wordpress.conftest import Guarded

NEW = "/clients/new"
POSTS = "/wp-json/wp/v2/posts"
INJECTION = '"><script>alert(1)</script>'
CLOSED = """<?php
add_filter('map_meta_cap', fn($caps, $cap) => $cap === 'create_app_password' ? ['do_not_allow'] : $caps, 10, 2);
"""
OPEN = "<?php\n"
ROUTE = """<?php
add_action('rest_api_init', fn() => register_rest_route('evil/v1', '/<script>alert(1)<.script>', [
    'methods' => 'GET', 'callback' => fn() => 1, 'permission_callback' => '__return_true',
]));
"""


def rules_of(guarded: Guarded, client_id: str) -> list[str]:
    return list(find_client(guarded.gateway.context, client_id)[1].granted_rest_routes)


# -- Add New Client ---------------------------------------------------------------------------------------------------


def test_the_guide_s_client_is_added_and_calls(console, fresh):
    form = console.open(NEW)
    saved = console.press(form, "save", name="Backend Service", user="author", rule=[f"GET {POSTS}"])
    client = Registered(*saved.client_ids)
    fresh.gateway.catch_up()

    answer = httpx.get(fresh.gateway.url + POSTS, headers=fresh.gateway.bearer(client))

    assert saved.path.endswith("/secret")
    assert "The client Backend Service is registered." in saved.text
    assert answer.status_code == 200


def test_the_form_has_the_guide_s_labels_in_the_guide_s_order(console):
    shown = console.open(NEW).text
    labels = ("Name", "Grant Types", "Client Type", "Access Mode", "Client Credentials User", "REST Route Allowlist")

    assert sorted(labels, key=shown.index) == list(labels)


def test_the_form_begins_with_the_guide_s_choices(console):
    form = console.open(NEW)

    assert form.field("grant_types") == ["client-credentials"]
    assert form.field("client_type") == ["confidential"]
    assert form.field("access_mode") == ["restricted"]


def test_everything_that_can_be_chosen_is_saved(console, fresh):
    typed = {
        "access_mode": "full",
        "token_lifetime": "1,200",
        "allows_embed": "1",
        "rule": [f"GET {POSTS}", f"GET {POSTS}/*"],
    }
    saved = console.press(console.open(NEW), "save", name="All of it", user="author", **typed)

    client, policy = find_client(fresh.gateway.context, saved.client_ids[0])
    assert client.token_lifetime_seconds == 1200
    assert (policy.access_mode, policy.allows_embed) == (AccessMode.FULL, True)
    assert policy.granted_rest_routes == (f"GET {POSTS}", f"GET {POSTS}/*")


def test_each_mistake_stands_at_its_field_and_what_was_typed_is_kept(console, fresh):
    typed = {"user": "nobody-here", "token_lifetime": "soon", "rule": [f"GET {POSTS}", f"get {POSTS}/"]}
    before = fresh.gateway.context.store.revision()

    page = console.press(console.open(NEW), "save", name="", **typed)

    assert page.status == 400
    assert page.error_at("name").startswith("Error: Name is missing.")
    assert "'nobody-here'" in page.error_at("user")
    assert page.error_at("token_lifetime").startswith("Error: 'soon' is no number of seconds.")
    assert "A rule starts with a method in capitals" in page.error_at("rule-2")
    assert (page.field("user"), page.field("token_lifetime")) == (["nobody-here"], ["soon"])
    assert page.field("rule") == [f"GET {POSTS}", f"get {POSTS}/"]
    assert fresh.gateway.context.store.revision() == before


@pytest.mark.parametrize(
    ("field", "value", "control"),
    [
        ("name", "x" * 101, "name"),
        ("grant_types", "password", "grant_types"),
        ("client_type", "public", "client_type"),
        ("access_mode", "open", "access_mode"),
        ("user", "", "user"),
        ("token_lifetime", "59", "token_lifetime"),
        ("token_lifetime", "86401", "token_lifetime"),
        ("rule", "/wp-json/wp/v2/posts", "rule-1"),
    ],
    ids=["long name", "grant type", "client type", "access mode", "no user", "short life", "long life", "no method"],
)
def test_a_wrong_value_is_explained(console, fresh, field, value, control):
    page = console.press(console.open(NEW), "save", **{"name": "Wrong", "user": "author", field: value})

    assert page.status == 400
    assert page.error_at(control)


def test_a_name_that_another_client_has_is_explained(console, backend):
    page = console.press(console.open(NEW), "save", name="backend", user="author")

    assert "There is a client 'backend' already." in page.error_at("name")


def test_a_wrong_application_password_is_explained_and_not_shown_again(console, fresh):
    page = console.press(console.open(NEW), "save", name="Pasted", user="author", application_password="wrong wrong")

    assert page.error_at("application_password")
    assert "wrong wrong" not in page.html


def test_where_the_site_forbids_application_passwords_there_is_a_field_to_paste_one_in(console, fresh):
    write_plugin(fresh.site.site, "closed.php", CLOSED)
    try:
        page = console.press(console.open(NEW), "save", name="Closed", user="author", rule=f"GET {POSTS}")
    finally:
        write_plugin(fresh.site.site, "closed.php", OPEN)

    assert page.status == 502
    assert "paste it in under Application Password below" in page.text
    assert re.search(r'<details class="disclosure" open>\s*<summary>Paste one in', page.html)
    assert page.field("name") == ["Closed"]


def test_dead_rules_do_not_block_saving_and_are_said_afterwards(console, fresh):
    rules = ["GET /wp-json/wp/v2/settings", "GET /wp-json/wp/v2/nothing"]

    saved = console.press(console.open(NEW), "save", name="Dead", user="author", rule=rules)

    assert rules_of(fresh, saved.client_ids[0]) == rules
    assert "GET /wp-json/wp/v2/settings: WordPress will refuse it" in saved.text
    assert "GET /wp-json/wp/v2/nothing: It opens nothing" in saved.text


def test_a_rule_that_opens_nothing_is_said_once(console, fresh):
    rules = ["GET /wp-json/wp/v2/nothing/1", "GET /wp-json/wp/v2/nothing/*"]

    saved = console.press(console.open(NEW), "save", name="Nothing", user="author", rule=rules)

    assert saved.text.count("It opens nothing") == 2
    assert "is needless" not in saved.text


def test_the_secret_comes_before_what_else_there_is_to_know(console, fresh):
    rules = ["GET /wp-json/wp/v2/settings", "GET /wp-json/wp/v2/nothing"]

    saved = console.press(console.open(NEW), "save", name="Secret first", user="author", rule=rules)

    registered, secret, warning = map(saved.html.index, ("is registered.", 'id="client-secret"', "notice-warning"))
    assert registered < secret < warning
    assert saved.html.count("notice-warning") == 1
    assert "Try a Request" in saved.html.partition('aria-label="Pages of Secret first"')[2].partition("</nav>")[0]


def test_saving_a_client_and_changing_one_have_buttons_of_their_own(console, backend):
    assert "Save Cancel" in console.open(NEW).text
    assert "Save Changes Cancel" in console.open(f"/clients/{backend}/edit").text


def test_enter_in_a_field_saves_nothing(console, fresh):
    """A browser presses the first button of the form."""
    form = console.open(NEW)
    first = re.search(r'<form class="client-form".*?<button[^>]* name="(\w+)"', form.html, re.DOTALL)

    assert first is not None
    assert first[1] == "check"


def test_looking_at_the_forms_changes_nothing(console, guarded, backend):
    before = guarded.gateway.context.store.revision()

    for path in (NEW, f"/clients/{backend}", f"/clients/{backend}/edit", f"/clients/{backend}/try?path={POSTS}"):
        assert console.open(path).status == 200
    assert guarded.gateway.context.store.revision() == before


# -- editing ----------------------------------------------------------------------------------------------------------


def test_the_whole_allowlist_is_saved_as_it_stands(console, guarded, backend):
    form = console.open(f"/clients/{backend}/edit")

    saved = console.press(form, "save", name="Renamed", rule=[f"GET {POSTS}", f"GET {POSTS}/*"])

    assert "The client Renamed is saved." in saved.text
    assert rules_of(guarded, backend) == [f"GET {POSTS}", f"GET {POSTS}/*"]


def test_a_lifetime_that_is_emptied_is_the_site_s_again(console, guarded, backend):
    console.press(console.open(f"/clients/{backend}/edit"), "save", token_lifetime="90")
    before = find_client(guarded.gateway.context, backend)[0].token_lifetime_seconds

    console.press(console.open(f"/clients/{backend}/edit"), "save", token_lifetime="")

    assert before == 90
    assert find_client(guarded.gateway.context, backend)[0].token_lifetime_seconds is None


def test_an_edited_client_needs_a_user_too(console, backend):
    page = console.press(console.open(f"/clients/{backend}/edit"), "save", user="")

    assert page.error_at("user").startswith("Error: Client Credentials User is missing.")


def test_another_user_takes_over(console, guarded, backend):
    console.press(console.open(f"/clients/{backend}/edit"), "save", user="editor")

    assert find_client(guarded.gateway.context, backend)[1].service_user.login == "editor"


def test_two_administrators_do_not_overwrite_each_other_unseen(console, guarded, backend):
    mine = console.open(f"/clients/{backend}/edit")
    clients.edit_client(guarded.gateway.context, backend, Draft(allow=["GET /wp-json/wp/v2/pages"]))

    overtaken = console.press(mine, "save", name="Mine")
    between = find_client(guarded.gateway.context, backend)[0].name
    console.press(overtaken, "save")

    assert overtaken.status == 409
    assert "Somebody changed this client after you opened this page" in overtaken.text
    assert overtaken.field("name") == ["Mine"]
    assert between == "Backend"
    assert find_client(guarded.gateway.context, backend)[0].name == "Mine"


def test_a_site_that_is_away_is_said_and_the_form_stays(console, guarded, backend):
    address = guarded.gateway.context.store.snapshot(now=clock()).site
    assert address is not None
    with guarded.gateway.context.store.transaction() as transaction:
        transaction.save_site(replace(address, upstream_url=f"http://127.0.0.1:{free_port()}"))
    try:
        form = console.open(f"/clients/{backend}/edit")
        overview = console.open(f"/clients/{backend}")
        saved = console.press(form, "save", name="Away", user="editor")
    finally:
        with guarded.gateway.context.store.transaction() as transaction:
            transaction.save_site(address)

    assert "The site's routes cannot be listed now" in form.text
    assert "What WordPress permits could not be asked" in overview.text
    assert saved.status == 502
    assert saved.field("name") == ["Away"]


# -- one client -------------------------------------------------------------------------------------------------------


def test_the_overview_shows_both_locks_of_each_rule(console, backend):
    shown = console.open(f"/clients/{backend}").text

    assert f"POST {POSTS} Not used yet Opens {POSTS} WordPress: Permitted for author" in shown


def test_checking_the_health_asks_wordpress_now(console, guarded, backend):
    page = console.post(f"/app-connect/clients/{backend}/check", [])

    assert "WordPress accepts the application password of this client." in page.text


def test_a_refused_request_leads_to_the_page_that_explains_it(console, fresh):
    client = fresh.gateway.add_client("Refused", "author", f"GET {POSTS}")
    httpx.get(f"{fresh.gateway.url}/wp-json/wp/v2/pages?per_page=2", headers=fresh.gateway.bearer(client))

    def is_listed() -> bool:
        return "Not on the allowlist" in console.open(f"/clients/{client.client_id}").text

    eventually(is_listed)
    href = re.search(
        r'href="/app-connect(/clients/[^"]*/try\?[^"]*)"', console.open(f"/clients/{client.client_id}").html
    )
    assert href is not None
    assert "The rule that is missing GET /wp-json/wp/v2/pages" in console.open(href[1].replace("&amp;", "&")).text
