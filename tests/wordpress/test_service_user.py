"""The WordPress user that a client acts as: its application password, and what happens when the user changes."""

import json
from collections.abc import Iterator

import httpx
import pytest

from appconnect.control import clients
from appconnect.control.clients import Draft
from appconnect.control.context import InputError
from appconnect.control.credentials import check_credential
from appconnect.control.passwords import unfinished
from appconnect.core.audit import AuditEventType
from appconnect.ports import Health, SiteProblem, UpstreamError
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import nginx_fpm
from demo.wordpress.site import NewUser, create_users
from tests.gateways import Registered, eventually, initialize
from tests.wordpress.conftest import Guarded, guarding

NO_NEW_PASSWORDS = """<?php
add_filter('map_meta_cap', function ($caps, $cap, $user_id, $args) {
    $is_closed = $cap === 'create_app_password' && get_userdata($args[0] ?? 0)?->user_login === 'closed';
    return $is_closed ? ['do_not_allow'] : $caps;
}, 10, 4);
"""

CAST = (
    NewUser("closed"),  # nobody may make an application password for it
    *(NewUser(f"named-{number}") for number in range(3)),
    *(NewUser(login) for login in ("first", "second", "revoked", "writing", "leaving", "pasted")),
    *(NewUser(login, "contributor") for login in ("growing", "watched")),
    NewUser("shrinking", "editor"),
    NewUser("ada", first_name="Ada", last_name="Lovelace"),
)

RULES = ("GET /wp-json/wp/v2/users/me", "GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts")
POSTS, ME = "/wp-json/wp/v2/posts", "/wp-json/wp/v2/users/me"


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A site with a user for each test, and a gateway before it."""
    site = create_site(
        tmp_path_factory.mktemp("peopled") / "site", Release.V6_7_ALPHA, plugins={"closed.php": NO_NEW_PASSWORDS}
    )
    create_users(site, *CAST)
    gateway = initialize(tmp_path_factory.mktemp("gateway"))
    with nginx_fpm(site) as running, guarding(running, gateway) as both:
        yield both


def php(peopled: Guarded, code: str, login: str) -> str:
    return peopled.site.site.php(f"$user = get_user_by('login', $login); {code}", login=login)


def password_names(peopled: Guarded, login: str) -> list[str]:
    """The names of a user's application passwords, as WordPress has them."""
    text = php(
        peopled,
        "echo json_encode(array_column(WP_Application_Passwords::get_user_application_passwords($user->ID), 'name'));",
        login,
    )
    return list(json.loads(text))


def revoke_passwords(peopled: Guarded, login: str) -> None:
    php(peopled, "WP_Application_Passwords::delete_all_application_passwords($user->ID);", login)


def call(peopled: Guarded, bearer: dict[str, str], method: str = "GET", path: str = ME, **content) -> httpx.Response:
    return httpx.request(method, f"{peopled.gateway.url}{path}", headers=bearer, timeout=60, **content)


def audit_types(peopled: Guarded, client: Registered) -> list[AuditEventType]:
    """What happened to a client, the newest first."""
    events = peopled.gateway.context.store.audit_events(limit=100)
    return [event.type for event in events if event.subject == client.client_id]


# -- the application password of a client -----------------------------------------------------------------------------


def test_a_client_has_an_application_password_of_its_own_while_it_exists(peopled):
    client = peopled.gateway.add_client("Order sync", "first", *RULES)
    names_before = password_names(peopled, "first")

    clients.delete_client(peopled.gateway.context, client.client_id)

    assert names_before == ["App Connect: Order sync"]
    assert password_names(peopled, "first") == []


def test_another_user_gets_a_password_and_the_former_loses_its_own(peopled):
    client = peopled.gateway.add_client("Moving", "first", *RULES)

    clients.edit_client(peopled.gateway.context, client.client_id, Draft(user="second"))
    peopled.gateway.catch_up()

    assert password_names(peopled, "first") == []
    assert password_names(peopled, "second") == ["App Connect: Moving"]
    assert call(peopled, peopled.gateway.bearer(client)).json()["slug"] == "second"


def test_tokens_of_the_former_user_become_invalid(peopled):
    client = peopled.gateway.add_client("Handed over", "first", *RULES)
    older = peopled.gateway.bearer(client)

    clients.edit_client(peopled.gateway.context, client.client_id, Draft(user="second"))
    peopled.gateway.catch_up()

    assert call(peopled, older).status_code == 401


# -- finding the user -------------------------------------------------------------------------------------------------


def test_a_user_is_found_by_login(peopled):
    client = peopled.gateway.add_client("By login", "named-0", *RULES)

    assert call(peopled, peopled.gateway.bearer(client)).json()["slug"] == "named-0"


def test_a_user_is_found_by_email(peopled):
    client = peopled.gateway.add_client("By e-mail", "named-1@example.com", *RULES)

    assert call(peopled, peopled.gateway.bearer(client)).json()["slug"] == "named-1"


def test_a_user_is_found_by_id(peopled):
    client = peopled.gateway.add_client("By ID", php(peopled, "echo $user->ID;", "named-2"), *RULES)

    assert call(peopled, peopled.gateway.bearer(client)).json()["slug"] == "named-2"


def test_an_unknown_user_is_refused_and_nothing_is_left(peopled):
    with pytest.raises(InputError, match="has no user with the user name 'named'"):
        peopled.gateway.add_client("Unknown", "named", *RULES)

    with pytest.raises(InputError, match="There is no client"):
        clients.find_client(peopled.gateway.context, "Unknown")
    assert unfinished(peopled.gateway.context) == []


def test_an_administrator_is_warned_about(peopled):
    saved = clients.add_client(peopled.gateway.context, Draft(name="As admin", user="admin", allow=RULES))

    assert any("admin is an administrator" in warning for warning in saved.warnings)


def test_a_person_is_warned_about(peopled):
    saved = clients.add_client(peopled.gateway.context, Draft(name="As Ada", user="ada", allow=RULES))

    assert any("ada seems to be a person's account" in warning for warning in saved.warnings)


def test_a_service_user_is_not_warned_about(peopled):
    saved = clients.add_client(peopled.gateway.context, Draft(name="As nobody", user="first", allow=RULES))

    assert saved.warnings == ()


# -- a credential that is lost ----------------------------------------------------------------------------------------


def test_a_password_revoked_in_wordpress_is_replaced_by_itself(peopled):
    client = peopled.gateway.add_client("Revoked", "revoked", *RULES)
    bearer = peopled.gateway.bearer(client)
    call(peopled, bearer)

    revoke_passwords(peopled, "revoked")

    assert call(peopled, bearer).json()["slug"] == "revoked"
    assert password_names(peopled, "revoked") == ["App Connect: Revoked"]
    assert audit_types(peopled, client)[0] is AuditEventType.UPSTREAM_CREDENTIAL_REPLACED


def test_a_public_route_is_never_answered_as_to_a_visitor(peopled):
    """WordPress answers 200 to a credential that is gone; the draft shows for whom."""
    client = peopled.gateway.add_client("Reading", "writing", *RULES)
    bearer = peopled.gateway.bearer(client)
    call(peopled, bearer, "POST", POSTS, json={"title": "Only mine", "status": "draft"})
    revoke_passwords(peopled, "writing")

    answer = call(peopled, bearer, path=f"{POSTS}?status=draft")

    assert answer.status_code == 200
    assert [post["title"]["rendered"] for post in answer.json()] == ["Only mine"]


def test_a_call_that_writes_is_not_sent_twice_with_the_new_credential(peopled):
    client = peopled.gateway.add_client("Writing", "revoked", *RULES)
    bearer = peopled.gateway.bearer(client)
    call(peopled, bearer)
    revoke_passwords(peopled, "revoked")

    first = call(peopled, bearer, "POST", POSTS, json={"title": "Once"})
    second = call(peopled, bearer, "POST", POSTS, json={"title": "Once"})

    assert (first.status_code, first.json()["code"]) == (502, "app_connect_upstream_credential")
    assert first.headers["Retry-After"] == "1"
    assert second.status_code == 201


def test_calls_for_a_user_who_is_gone_fail_with_what_is_wrong(peopled):
    client = peopled.gateway.add_client("Leaving", "leaving", *RULES)
    bearer = peopled.gateway.bearer(client)
    call(peopled, bearer)

    php(peopled, "require ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user($user->ID);", "leaving")

    answer = call(peopled, bearer)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_connect_upstream_credential")
    assert "app-connect status" in answer.json()["message"]


# -- a user who changes -----------------------------------------------------------------------------------------------


def test_a_promotion_never_widens_a_token_that_was_issued_before(peopled):
    client = peopled.gateway.add_client("Growing", "growing", *RULES)
    older = peopled.gateway.bearer(client)

    php(peopled, "$user->set_role('editor');", "growing")
    eventually(lambda: call(peopled, older).status_code == 401)

    answer = call(peopled, older)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert audit_types(peopled, client)[0] is AuditEventType.SERVICE_USER_CHANGED
    newer = peopled.gateway.bearer(client)
    assert call(peopled, newer, "POST", POSTS, json={"title": "New", "status": "publish"}).status_code == 201


def test_a_promotion_is_noticed_by_a_check_before_any_call(peopled):
    """As `app-connect status` checks every client."""
    client = peopled.gateway.add_client("Watched", "watched", *RULES)
    older = peopled.gateway.bearer(client)
    php(peopled, "$user->set_role('editor');", "watched")

    health = check_credential(peopled.gateway.context, client.client_id)
    peopled.gateway.catch_up()

    assert health is Health.HEALTHY
    assert call(peopled, older).status_code == 401


def test_after_a_demotion_a_token_stays_valid_and_wordpress_refuses(peopled):
    client = peopled.gateway.add_client("Shrinking", "shrinking", *RULES)
    bearer = peopled.gateway.bearer(client)
    before = call(peopled, bearer, "POST", POSTS, json={"title": "Before"})

    php(peopled, "$user->set_role('subscriber');", "shrinking")

    after = call(peopled, bearer, "POST", POSTS, json={"title": "After"})
    assert before.status_code == 201
    assert (after.status_code, after.json()["code"]) == (403, "rest_cannot_create")
    assert call(peopled, bearer).json()["slug"] == "shrinking"


# -- where no application password may be made ------------------------------------------------------------------------


def test_a_site_that_forbids_making_one_is_quoted_and_nothing_is_left(peopled):
    with pytest.raises(UpstreamError) as refused:
        clients.add_client(peopled.gateway.context, Draft(name="Forbidden", user="closed", allow=RULES))

    assert refused.value.problem is SiteProblem.REFUSED
    assert "rest_cannot_create_application_passwords" in refused.value.facts
    assert password_names(peopled, "closed") == []
    assert unfinished(peopled.gateway.context) == []


def test_there_the_error_says_that_one_may_be_pasted(peopled):
    ran = peopled.gateway.command(
        "clients", "add", "--name", "Advised", "--user", "closed", "--allow", RULES[0], check=False
    )

    assert ran.returncode == 1
    assert "--application-password-file" in ran.stderr


def test_there_a_pasted_password_works_and_stays_when_the_client_goes(peopled):
    pasted = php(
        peopled,
        "echo WP_Application_Passwords::create_new_application_password($user->ID, ['name' => 'Made by hand'])[0];",
        "closed",
    )
    rules = [part for rule in RULES for part in ("--allow", rule)]
    options = ["--user", "closed", *rules, "--application-password-file", "-", "--json"]
    ran = peopled.gateway.command("clients", "add", "--name", "Pasted", *options, stdin=pasted)
    shown = json.loads(ran.stdout)

    bearer = peopled.gateway.bearer(Registered(shown["client_id"], shown["client_secret"]))

    assert call(peopled, bearer).json()["slug"] == "closed"
    clients.delete_client(peopled.gateway.context, shown["client_id"])
    assert password_names(peopled, "closed") == ["Made by hand"]
