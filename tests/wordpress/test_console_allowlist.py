"""The allowlist editor and Try a request before a real WordPress: both locks, picked routes, a user that fits."""

import re

import pytest

from appconnect.control.clients import find_client
from demo.wordpress.install import write_plugin
from tests.wordpress.conftest import Guarded

NEW = "/clients/new"
POSTS = "/wp-json/wp/v2/posts"
INJECTION = '"><script>alert(1)</script>'
NO_PLUGIN = "<?php\n"
ROUTE = """<?php
add_action('rest_api_init', fn() => register_rest_route('evil/v1', '/<script>alert(1)<.script>', [
    'methods' => 'GET', 'callback' => fn() => 1, 'permission_callback' => '__return_true',
]));
"""


def rules_of(guarded: Guarded, client_id: str) -> list[str]:
    return list(find_client(guarded.gateway.context, client_id)[1].granted_rest_routes)


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
    assert page.text.count("It opens nothing: the site has no such route now.") == 1
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


def test_a_rule_that_a_narrow_field_cuts_off_stands_below_it(console):
    page = console.press(console.open(NEW), "check", rule=["GET /wp-json/wp/v2/users/me"])

    assert "Rule 1 Remove GET /wp-json/wp/v2/users/me GET /wp-json/wp/v2/users/me Opens" in page.text


def test_htmx_is_told_of_a_user_who_is_not_there(console):
    """It shows no answer but one of success."""
    sent = [("rule", f"GET {POSTS}"), ("user", "nobody-here"), ("check", "1")]

    page = console.post("/app-connect/clients/new", sent, **{"HX-Request": "true"})

    assert page.status == 200
    assert "The site has no user with the user name 'nobody-here'." in page.text


def test_a_route_of_a_plugin_s_is_text(console, guarded):
    write_plugin(guarded.site.site, "evil.php", ROUTE)
    try:
        page = console.press(console.open(NEW), "pick", pick_text="evil", rule=["GET /wp-json/evil/v1/**"])
        checked = console.press(page, "check")
    finally:
        write_plugin(guarded.site.site, "evil.php", NO_PLUGIN)

    assert "evil/v1" in page.text
    assert "<script>alert" not in page.html + checked.html


@pytest.mark.parametrize("button", ["save", "check", "find_user", "create_user", "pick"])
def test_what_is_typed_comes_back_as_text(console, button):
    typed = dict.fromkeys(("name", "user", "new_login", "token_lifetime", "rule", "pick_text"), INJECTION)

    page = console.press(console.open(NEW), button, **typed)

    assert "&lt;script&gt;" in page.html
    assert "<script>alert" not in page.html


# -- Client Credentials User ------------------------------------------------------------------------------------------


def test_users_are_found_with_role_and_abilities_and_one_is_chosen(console):
    found = console.press(console.open(NEW), "find_user", name="Kept", user="edi")
    chosen = console.press(found, "choose_user", "editor")

    assert "Editor Can edit everybody's pages, edit everybody's posts, moderate comments" in found.text
    assert chosen.field("user") == ["editor"]
    assert chosen.field("name") == ["Kept"]


def test_a_login_that_is_typed_in_full_is_chosen(console):
    found = console.press(console.open(NEW), "find_user", user="editor")

    assert "and its own profile. Chosen" in found.text


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

    assert "WordPress has the new user console-bot with the role Author." in made.text
    assert made.field("user") == ["console-bot"]
    assert find_client(fresh.gateway.context, saved.client_ids[0])[1].service_user.login == "console-bot"


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ({"new_login": "Not a Name", "rule": f"GET {POSTS}"}, "is not a username for it"),
        ({"new_login": "bot"}, "Choose the rules first"),
        ({"rule": f"GET {POSTS}"}, "Username is missing. Write one, or give the client a name"),
    ],
    ids=["name", "no rules", "no name"],
)
def test_a_user_that_cannot_be_made_is_explained_at_the_username(console, typed, mistake):
    page = console.press(console.open(NEW), "create_user", **typed)

    assert mistake in page.error_at("new_login")
    assert re.search(r"<details class=\"disclosure\" open>\s*<summary>Create a user", page.html)


def test_a_user_without_a_username_is_called_after_the_client(console):
    named = console.press(console.open(NEW), "check", name="Order Sync", rule=f"GET {POSTS}")
    made = console.press(named, "create_user")

    assert 'placeholder="order-sync-bot"' in named.html
    assert made.field("user") == ["order-sync-bot"]


def test_without_a_script_every_button_shows_the_whole_form(console):
    checked = console.press(console.open(NEW), "check", user="author", rule=f"GET {POSTS}")
    found = console.press(checked, "find_user")

    assert "author Author Can publish posts" in checked.text
    assert "Add the rules of a job" in found.text


def test_a_username_that_is_taken_is_explained_and_all_is_kept(console):
    page = console.press(console.open(NEW), "create_user", name="Taken", new_login="author", rule=f"GET {POSTS}")

    assert page.error_at("new_login")
    assert page.field("name") == ["Taken"]
    assert page.field("new_login") == ["author"]


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

    assert added.field("body") == [body]


def test_a_rule_that_is_none_is_not_added(console, guarded, backend):
    page = console.press(console.open(f"/clients/{backend}/try?path={POSTS}"), "add_rule", "GET /etc/passwd")

    assert "The rule is not added." in page.text
    assert rules_of(guarded, backend) == [f"GET {POSTS}", f"POST {POSTS}"]


def test_when_both_locks_are_closed_the_rule_is_said_not_to_be_enough(console, backend):
    page = console.open(f"/clients/{backend}/try?method=POST&path=/wp-json/wp/v2/pages")

    assert "It is not enough: WordPress would refuse the request too" in page.text
