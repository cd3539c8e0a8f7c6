"""The console's client form before a real WordPress: the guide's steps, both locks, and every mistake explained."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest

from appconnect.app import clock
from appconnect.control import clients
from appconnect.control.clients import Draft, find_client
from appconnect.core.policy import AccessMode
from demo.wordpress.debian import program
from demo.wordpress.install import write_plugin
from tests.gateways import Registered, clean_environment, eventually, free_port
from tests.wordpress.conftest import Guarded
from tests.wordpress.console import Console, Page, signed_in_console
from tests.wordpress.foreign.npm import find_node

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


@pytest.fixture
def console(guarded: Guarded) -> Iterator[Console]:
    with httpx.Client(base_url=guarded.gateway.url, timeout=60) as http:
        yield signed_in_console(guarded.gateway, http)


@pytest.fixture
def backend(guarded: Guarded) -> Iterator[str]:
    """A client's ID."""
    context = guarded.gateway.context
    saved = clients.add_client(context, Draft(name="Backend", user="author", allow=[f"GET {POSTS}", f"POST {POSTS}"]))
    yield saved.client.id
    if saved.client.id in context.store.snapshot(now=clock()).clients:
        clients.delete_client(context, saved.client.id)


@pytest.fixture
def fresh(guarded: Guarded) -> Iterator[Guarded]:
    """The clients that a test adds are deleted after it."""
    before = set(guarded.gateway.context.store.snapshot(now=clock()).clients)
    yield guarded
    for id_ in set(guarded.gateway.context.store.snapshot(now=clock()).clients) - before:
        clients.delete_client(guarded.gateway.context, id_)


def rules_of(guarded: Guarded, client_id: str) -> list[str]:
    return list(find_client(guarded.gateway.context, client_id)[1].granted_rest_routes)


def ids(page: Page) -> tuple[str, str]:
    """Client ID and Client Secret of the page that shows them."""
    found = re.search(r'id="client-id">(ac_\w+)<.*id="client-secret">(acs_\w+)<', page.html, re.DOTALL)
    assert found is not None, page.text
    return found[1], found[2]


# -- Add New Client ---------------------------------------------------------------------------------------------------


def test_the_guide_s_client_is_added_and_calls(console, fresh):
    form = console.open(NEW)
    saved = console.press(form, "save", name="Backend Service", user="author", rule=[f"GET {POSTS}"])
    client = Registered(*ids(saved))
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
        "token_lifetime": "120",
        "allows_embed": "1",
        "rule": [f"GET {POSTS}", f"GET {POSTS}/*"],
    }
    saved = console.press(console.open(NEW), "save", name="All of it", user="author", **typed)

    client, policy = find_client(fresh.gateway.context, ids(saved)[0])
    assert client.token_lifetime_seconds == 120
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

    assert rules_of(fresh, ids(saved)[0]) == rules
    assert "GET /wp-json/wp/v2/settings: WordPress will refuse it" in saved.text
    assert "GET /wp-json/wp/v2/nothing: It opens nothing" in saved.text


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


# -- Client Credentials User ------------------------------------------------------------------------------------------


def test_users_are_found_with_role_and_abilities_and_one_is_chosen(console):
    found = console.press(console.open(NEW), "find_user", name="Kept", user="edi")
    chosen = console.press(found, "choose_user", "editor")

    assert "editor Can edit everybody's pages, edit everybody's posts, moderate comments" in found.text
    assert chosen.field("user") == ["editor"]
    assert chosen.field("name") == ["Kept"]


def test_an_administrator_is_warned_about(console):
    assert (
        "An administrator: whoever gets the client's secret"
        in console.press(console.open(NEW), "choose_user", "admin").text
    )


def test_htmx_gets_the_users_alone(console):
    sent = [("user", "author"), ("find_user", "1")]

    page = console.post("/app-connect/clients/new", sent, **{"HX-Request": "true"})

    assert page.html.lstrip().startswith('<div class="form-row" id="user-picker"')


def test_a_user_of_its_own_gets_the_smallest_role_that_fits_the_rules(console, fresh):
    typed = {"rule": [f"GET {POSTS}", f"POST {POSTS}"], "new_login": "console-bot"}

    made = console.press(console.open(NEW), "create_user", name="Bot", **typed)
    saved = console.press(made, "save")

    assert "WordPress has the new user console-bot with the role author." in made.text
    assert made.field("user") == ["console-bot"]
    assert find_client(fresh.gateway.context, ids(saved)[0])[1].service_user.login == "console-bot"


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ({"new_login": "Not a Name", "rule": f"GET {POSTS}"}, "is not a username for it"),
        ({"new_login": "bot"}, "Choose the rules first"),
    ],
    ids=["name", "no rules"],
)
def test_a_user_that_cannot_be_made_is_explained_at_the_username(console, typed, mistake):
    page = console.press(console.open(NEW), "create_user", **typed)

    assert mistake in page.error_at("new_login")


def test_a_username_that_is_taken_is_explained_and_all_is_kept(console):
    page = console.press(console.open(NEW), "create_user", name="Taken", new_login="author", rule=f"GET {POSTS}")

    assert page.status == 502
    assert page.field("name") == ["Taken"]
    assert page.field("new_login") == ["author"]


# -- REST Route Allowlist ---------------------------------------------------------------------------------------------


def test_checking_shows_both_locks_for_the_chosen_user_and_saves_nothing(console, backend, guarded):
    form = console.open(f"/clients/{backend}/edit")

    page = console.press(form, "check", rule=[f"POST {POSTS}", "GET /wp-json/wp/v2/settings"])

    assert f"Opens {POSTS} WordPress: Permitted for author" in page.text
    assert "Opens /wp-json/wp/v2/settings WordPress: Will be refused for author" in page.text
    assert "Give the user a role that may, choose another user, or remove the rule." in page.text
    assert rules_of(guarded, backend) == [f"GET {POSTS}", f"POST {POSTS}"]


def test_without_a_user_the_first_lock_is_shown(console):
    page = console.press(console.open(NEW), "check", rule=[f"GET {POSTS}", "GET /wp-json/wp/v2/nothing"])

    assert f"Opens {POSTS}" in page.text
    assert "Opens no route of this site" in page.text
    assert "Choose a user to see what WordPress permits." in page.text


def test_a_wrong_rule_has_the_right_one_as_one_click(console):
    wrong = console.press(console.open(NEW), "check", rule=[f"GET {POSTS}", "post wp/v2/media"])
    right = console.press(wrong, "use_rule", "2")

    assert "Use POST /wp-json/wp/v2/media" in wrong.text
    assert right.field("rule") == [f"GET {POSTS}", "POST /wp-json/wp/v2/media"]


def test_rows_are_added_and_removed_by_buttons(console):
    two = console.press(console.open(NEW), "add_row", rule=[f"GET {POSTS}"])
    one = console.press(two, "remove_rule", "1", rule=[f"GET {POSTS}", f"POST {POSTS}"])

    assert two.field("rule") == [f"GET {POSTS}", ""]
    assert one.field("rule") == [f"POST {POSTS}"]


def test_a_row_that_is_not_there_is_not_removed(console):
    page = console.press(console.open(NEW), "remove_rule", "-1", rule=[f"GET {POSTS}"])

    assert page.field("rule") == [f"GET {POSTS}"]


def test_the_rules_of_a_job_are_added_to_those_that_are_there(console):
    page = console.press(console.open(NEW), "add_preset", "upload-media", rule=["GET /wp-json/wp/v2/media"])

    assert page.field("rule") == [
        "GET /wp-json/wp/v2/media",
        "POST /wp-json/wp/v2/media",
        "GET /wp-json/wp/v2/media/*",
        "POST /wp-json/wp/v2/media/*",
    ]


def test_only_jobs_that_the_site_has_routes_for_are_offered(console):
    shown = console.open(NEW).text

    assert "Publish posts" in shown
    assert "Read orders" not in shown


def test_routes_are_found_by_words_namespace_and_method_and_added(console):
    wanted = {"pick_text": "types", "pick_namespace": "wp/v2", "pick_method": "GET"}

    found = console.press(console.open(NEW), "pick", **wanted)
    added = console.press(found, "add_picked", picked=["GET /wp-json/wp/v2/types/*"])

    assert "GET /wp-json/wp/v2/types/{type}" in found.text
    assert "POST /wp-json/wp/v2/posts" not in re.sub(r"<datalist.*?</datalist>", "", found.html, flags=re.DOTALL)
    assert added.field("rule") == ["GET /wp-json/wp/v2/types/*"]


def test_a_long_list_of_routes_says_how_many_more_there_are(console):
    assert re.search(r"\d+ more: narrow the search\.", console.press(console.open(NEW), "pick").text)


def test_typing_is_completed_from_the_site_s_own_routes(console):
    assert '<option value="DELETE /wp-json/wp/v2/posts/*">' in console.open(NEW).html


def test_htmx_gets_the_allowlist_alone(console):
    page = console.post(
        "/app-connect/clients/new", [("rule", f"GET {POSTS}"), ("add_row", "1")], **{"HX-Request": "true"}
    )

    assert page.html.lstrip().startswith('<fieldset class="form-row" id="allowlist"')


def test_htmx_is_told_of_a_user_who_is_not_there(console):
    """It shows no answer but one of success."""
    sent = [("rule", f"GET {POSTS}"), ("user", "nobody-here"), ("check", "1")]

    page = console.post("/app-connect/clients/new", sent, **{"HX-Request": "true"})

    assert page.status == 200
    assert "The site has no user 'nobody-here'" in page.text


def test_a_route_of_a_plugin_s_is_text(console, guarded):
    write_plugin(guarded.site.site, "evil.php", ROUTE)
    try:
        page = console.press(console.open(NEW), "pick", pick_text="evil", rule=["GET /wp-json/evil/v1/**"])
        checked = console.press(page, "check")
    finally:
        write_plugin(guarded.site.site, "evil.php", OPEN)

    assert "evil/v1" in page.text
    assert "<script>alert" not in page.html + checked.html


@pytest.mark.parametrize("button", ["save", "check", "find_user", "create_user", "pick"])
def test_what_is_typed_comes_back_as_text(console, button):
    typed = dict.fromkeys(("name", "user", "new_login", "token_lifetime", "rule", "pick_text"), INJECTION)

    page = console.press(console.open(NEW), button, **typed)

    assert "&lt;script&gt;" in page.html
    assert "<script>alert" not in page.html


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


# -- try a request ----------------------------------------------------------------------------------------------------


def test_the_missing_rule_is_added_with_one_click_and_the_request_is_tried_again(console, guarded, backend):
    page = console.open(f"/clients/{backend}/try?method=GET&path={POSTS}/1")

    added = console.press(page, "add_rule", f"GET {POSTS}/1")

    assert f"Backend has the new rule GET {POSTS}/1." in added.text
    assert "Allowed App Connect lets this request pass, and WordPress permits it." in added.text
    assert rules_of(guarded, backend)[-1] == f"GET {POSTS}/1"


def test_a_body_survives_the_click(console, backend):
    body = '{"title": "x"}'
    page = console.press(console.open(f"/clients/{backend}/try"), "", method="POST", path=f"{POSTS}/1", body=body)

    added = console.press(page, "add_rule", f"POST {POSTS}/1")

    assert added.field("body") == [f"\n{body}"]


def test_a_rule_that_is_none_is_not_added(console, guarded, backend):
    page = console.press(console.open(f"/clients/{backend}/try?path={POSTS}"), "add_rule", "GET /etc/passwd")

    assert "The rule is not added." in page.text
    assert rules_of(guarded, backend) == [f"GET {POSTS}", f"POST {POSTS}"]


def test_when_both_locks_are_closed_the_rule_is_said_not_to_be_enough(console, backend):
    page = console.open(f"/clients/{backend}/try?method=POST&path=/wp-json/wp/v2/pages")

    assert "It is not enough: WordPress would refuse the request too" in page.text


# -- ready commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "command"),
    [
        pytest.param("curl", ["bash", "-eu"], id="curl"),
        pytest.param("python", [sys.executable, "-W", "error"], id="python"),
        pytest.param("node", [str(find_node())], id="node"),
        pytest.param("php", ["php"], id="php"),
    ],
)
@pytest.mark.parametrize(
    ("rule", "expected"), [(f"GET {POSTS}", "Hello world!"), (f"DELETE {POSTS}/*", "rest_cannot_delete")]
)
def test_the_shown_program_runs_as_it_stands(console, fresh, tmp_path: Path, language, command, rule, expected):
    saved = console.press(console.open(NEW), "save", name="Ready", user="author", rule=[rule])
    fresh.gateway.catch_up()
    script = tmp_path / f"example.{'mjs' if language == 'node' else language}"
    script.write_text(shown_program(saved, language))
    starter, *options = command

    ran = subprocess.run(
        [program("php") if starter == "php" else starter, *options, script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert expected in ran.stdout + ran.stderr


def shown_program(page: Page, language: str) -> str:
    found = re.search(rf'<pre id="example-{language}"[^>]*><code>(.*?)</code>', page.html, re.DOTALL)
    assert found is not None
    return unescape(found[1])
