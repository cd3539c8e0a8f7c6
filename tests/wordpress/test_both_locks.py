"""Both locks before the first call: what a rule opens on this site, and what WordPress permits the user there."""

import json
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from appconnect.control import clients
from appconnect.control.context import InputError
from appconnect.control.explain import Asked, explain
from appconnect.control.presets import presets_for
from appconnect.control.review import Permission, RuleReport, review, site_routes
from appconnect.control.service_users import create_service_user
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import Site
from demo.wordpress.install import write_plugin
from tests.wordpress.conftest import Guarded

POSTS = "/wp-json/wp/v2/posts"
NAMES = """
$user = get_user_by('login', $login);
echo json_encode(array_column(WP_Application_Passwords::get_user_application_passwords($user->ID), 'name'));
"""
ROLE = "echo implode(',', get_user_by('login', $login)->roles);"


def rules(*texts: str) -> list[RouteRule]:
    return list(map(RouteRule.parse, texts))


def report(guarded: Guarded, rule: str, user: str | None = "author") -> RuleReport:
    return review(guarded.gateway.context, rules(rule), user=user).rules[0]


# -- a rule -----------------------------------------------------------------------------------------------------------


def test_a_rule_shows_the_routes_that_it_opens(guarded):
    opens = report(guarded, f"GET {POSTS}/*").opens

    assert [opened.path for opened in opens] == [f"{POSTS}/{{id}}"]


def test_wordpress_permits_what_its_role_may(guarded):
    assert report(guarded, f"POST {POSTS}").permission is Permission.PERMITTED
    assert report(guarded, f"POST {POSTS}").notes == ()


def test_a_rule_that_wordpress_will_refuse_says_so_with_the_remedy(guarded):
    found = report(guarded, "GET /wp-json/wp/v2/settings")

    assert found.permission is Permission.REFUSED
    assert found.is_dead
    assert "WordPress will refuse it: author (Author) may not GET" in found.notes[0]
    assert "choose another user" in found.notes[0]


def test_other_people_s_objects_are_told_from_the_user_s_own(guarded):
    """Post 1 is the administrator's; an author may change its own."""
    found = report(guarded, f"POST {POSTS}/*")

    assert found.permission is Permission.DEPENDS
    assert not found.is_dead


def test_a_rule_for_one_object_is_asked_about_that_object(guarded):
    assert report(guarded, f"DELETE {POSTS}/1").permission is Permission.REFUSED
    assert report(guarded, f"DELETE {POSTS}/1", user="editor").permission is Permission.PERMITTED


def test_whoever_may_write_and_not_publish_is_told_so(guarded):
    found = report(guarded, f"POST {POSTS}", user="stranger")
    assert found.permission is Permission.REFUSED

    made = create_service_user(guarded.gateway.context, "draft-bot", rules(f"GET {POSTS}"))
    guarded.site.site.php("get_user_by('id', $id)->set_role('contributor');", id=made.user.id)

    found = report(guarded, f"POST {POSTS}", user="draft-bot")
    assert found.is_drafts_only
    assert "may write drafts here and not publish them" in found.notes[0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("GET /wp-json/wp/v2/nothing", "the site has no such route now"),
        (f"PUT {POSTS}", "WordPress takes GET, POST there"),
        ("GET /wp-json/wp/v2/users/me/application-passwords/introspect/x", "the site has no such route now"),
    ],
    ids=["no such route", "no such method", "too long"],
)
def test_a_rule_that_opens_nothing_says_why(guarded, rule, said):
    found = report(guarded, rule)

    assert found.opens == ()
    assert found.is_dead
    assert said in found.notes[0]


def test_a_rule_that_opens_nothing_says_nothing_else(guarded):
    found = review(guarded.gateway.context, rules("GET /wp-json/wp/v2/nothing/1", "GET /wp-json/wp/v2/nothing/*"))

    assert [len(one.notes) for one in found.rules] == [1, 1]
    assert "It opens nothing" in found.rules[0].notes[0]


def test_a_rule_that_is_covered_by_another_says_so(guarded):
    found = review(guarded.gateway.context, rules(f"GET {POSTS}/1", f"GET {POSTS}/*"))

    assert found.rules[0].notes == (f"Needless: GET {POSTS}/* covers it. Remove one of the two.",)
    assert found.rules[1].notes == ()


def test_a_wildcard_leaves_power_routes_out_and_says_so(guarded):
    found = report(guarded, "POST /wp-json/wp/v2/**", user=None)

    assert not [opened.path for opened in found.opens if "application-passwords" in opened.path]
    assert any("It leaves out /wp-json/wp/v2/settings" in note for note in found.notes)
    assert any(note.startswith("Broad:") for note in found.notes)


def test_batches_are_opened_by_their_own_name_only(guarded):
    assert "/wp-json/batch/v1" not in [opened.path for opened in report(guarded, "POST /wp-json/**").opens]
    assert "/wp-json/batch/v1" in [opened.path for opened in report(guarded, "POST /wp-json/batch/v1").opens]


def test_without_a_user_only_the_first_lock_is_looked_at(guarded):
    found = report(guarded, f"GET {POSTS}", user=None)

    assert found.permission is Permission.UNKNOWN
    assert found.opens


def test_what_a_plugin_says_counts(guarded):
    plugin = """<?php
    add_action('rest_api_init', fn() => register_rest_route('shop/v1', '/stock', [
        'methods' => 'GET', 'callback' => fn() => [], 'permission_callback' => fn() => current_user_can('edit_pages'),
    ]));
    """
    write_plugin(guarded.site.site, "shop.php", plugin)
    try:
        assert report(guarded, "GET /wp-json/shop/v1/stock").permission is Permission.REFUSED
        assert report(guarded, "GET /wp-json/shop/v1/stock", user="editor").permission is Permission.PERMITTED
    finally:
        (guarded.site.site.content / "mu-plugins" / "shop.php").unlink()


def test_asking_for_a_user_leaves_no_password_behind(guarded):
    before = guarded.site.site.php(NAMES, login="editor")

    review(guarded.gateway.context, rules(f"GET {POSTS}"), user="editor")

    assert guarded.site.site.php(NAMES, login="editor") == before


def test_presets_are_those_of_which_the_site_has_every_route(guarded):
    labels = [preset.label for preset in presets_for(site_routes(guarded.gateway.context))]

    assert "Publish posts" in labels
    assert "Read orders" not in labels


# -- a user of its own ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "wanted", "role"),
    [
        ("reader-bot", (f"GET {POSTS}",), "subscriber"),
        ("author-bot", (f"GET {POSTS}", f"POST {POSTS}"), "author"),
        ("pages-bot", ("POST /wp-json/wp/v2/pages",), "editor"),
    ],
)
def test_a_dedicated_user_gets_the_smallest_role_that_covers_the_rules(guarded, login, wanted, role):
    made = create_service_user(guarded.gateway.context, login, rules(*wanted))

    assert made.role == guarded.site.site.php(ROLE, login=login) == role
    assert not any(found.is_dead for found in made.review.rules)
    assert json.loads(guarded.site.site.php(NAMES, login=login)) == []


def test_a_dedicated_user_is_never_an_administrator(guarded):
    made = create_service_user(guarded.gateway.context, "settings-bot", rules("GET /wp-json/wp/v2/settings"))

    assert made.role == guarded.site.site.php(ROLE, login="settings-bot") == "subscriber"
    assert made.review.rules[0].is_dead


def test_a_login_that_is_taken_is_explained_and_its_user_stays_as_it_is(guarded):
    with pytest.raises(InputError, match="has a user 'author' already"):
        create_service_user(guarded.gateway.context, "author", rules(f"GET {POSTS}"))

    assert guarded.site.site.php(ROLE, login="author") == "author"


class Breaking:
    """The site, which breaks when its routes are asked for: after the user was made."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)

    def routes(self) -> Any:
        raise RuntimeError("killed")


def test_a_dedicated_user_that_fails_half_way_is_gone_again(guarded):
    context = guarded.gateway.context
    breaking = replace(context, site_at=lambda address: cast(Site, Breaking(context.site_at(address))))

    with pytest.raises(RuntimeError, match="killed"):
        create_service_user(breaking, "half-bot", rules(f"GET {POSTS}"))

    assert guarded.site.site.php("var_export(get_user_by('login', 'half-bot'));") == "false"


def test_while_wordpress_is_asked_others_have_their_turn(guarded):
    """A lost credential must be replaced though an administrator checks a long allowlist."""
    context, turns = guarded.gateway.context, []

    class Watching(Breaking):
        def permitted_methods(self, credential: UpstreamCredential, route: str) -> Any:
            with context.store.exclusively(wait_seconds=0) as is_ours:
                turns.append(is_ours)
            return self._site.permitted_methods(credential, route)

        def routes(self) -> Any:
            return self._site.routes()

    watching = replace(context, site_at=lambda address: cast(Site, Watching(context.site_at(address))))
    review(watching, rules(f"GET {POSTS}"), user="editor")

    assert turns == [True]


def test_a_login_that_is_none_is_explained(guarded):
    with pytest.raises(InputError, match="small letters"):
        create_service_user(guarded.gateway.context, "Api Bot", ())


# -- a request --------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(guarded):
    made = guarded.gateway.add_client("Explained", "author", f"GET {POSTS}", "GET /wp-json/wp/v2/settings")
    yield made.client_id
    clients.delete_client(guarded.gateway.context, made.client_id)


def test_a_request_that_both_locks_open_names_its_rule(guarded, client):
    found = explain(guarded.gateway.context, client, Asked("GET", f"{POSTS}?per_page=1"))

    assert found.would_pass is True
    assert found.rule == f"GET {POSTS}"
    assert found.canonical == f"GET {POSTS}?per_page=1"
    assert found.wordpress is not None
    assert found.wordpress.permission is Permission.PERMITTED


def test_a_request_without_a_rule_names_the_one_that_is_missing(guarded, client):
    found = explain(guarded.gateway.context, client, Asked("POST", POSTS, '{"title": "x"}'))

    assert found.would_pass is False
    assert (found.code, found.would_allow) == ("no_rule", f"POST {POSTS}")
    assert found.wordpress is not None
    assert found.wordpress.permission is Permission.PERMITTED


def test_a_request_that_wordpress_refuses_says_whose_lock_it_is(guarded, client):
    found = explain(guarded.gateway.context, client, Asked("GET", "/wp-json/wp/v2/settings"))

    assert found.is_allowed
    assert found.would_pass is False
    assert found.wordpress is not None
    assert "does not permit author to GET /wp-json/wp/v2/settings" in found.wordpress.sentence


def test_every_spelling_is_explained_as_the_one_request_that_it_is(guarded, client):
    spellings = (
        "/index.php/wp-json/wp/v2/posts/",
        "/?rest_route=/wp/v2/posts",
        f"{guarded.gateway.url}{POSTS}",
        "/wp-json/WP/v2/Posts",
    )

    for spelling in spellings:
        assert explain(guarded.gateway.context, client, Asked("GET", spelling)).rule == f"GET {POSTS}", spelling


def test_a_request_of_no_single_meaning_is_explained_as_the_gateway_would(guarded, client):
    found = explain(guarded.gateway.context, client, Asked("GET", f"{POSTS}/../users"))

    assert found.code == "app_connect_malformed_path"
    assert found.canonical is None
    assert found.wordpress is None


@pytest.mark.parametrize("path", ["http://[::1", "https://", "%zz", "", "/wp-json/\ud800"])
def test_what_cannot_be_read_is_explained_too(guarded, client, path):
    found = explain(guarded.gateway.context, client, Asked("GET", path))

    assert not found.is_allowed
    assert found.code is not None


def test_each_part_of_a_batch_is_explained(guarded):
    made = guarded.gateway.add_client("Batched", "author", "POST /wp-json/batch/v1", f"POST {POSTS}")
    body = json.dumps({"requests": [{"path": "/wp/v2/posts"}, {"path": "/wp/v2/pages"}]})

    found = explain(guarded.gateway.context, made.client_id, Asked("POST", "/wp-json/batch/v1", body))

    assert found.parts == (f"POST {POSTS}", "POST /wp-json/wp/v2/pages")
    assert found.sentence.startswith("Request 2 of the batch:")
    assert found.would_allow == "POST /wp-json/wp/v2/pages"
    clients.delete_client(guarded.gateway.context, made.client_id)


def test_what_stops_the_client_before_any_request_is_said(guarded, client):
    clients.set_enabled(guarded.gateway.context, client, is_enabled=False)

    found = explain(guarded.gateway.context, client, Asked("GET", POSTS))

    assert found.obstacles == ("The client is disabled.",)
    assert found.would_pass is False


def test_explaining_changes_nothing(guarded, client):
    context = guarded.gateway.context
    revision = context.store.revision()

    explain(replace(context, actor="nobody"), client, Asked("DELETE", f"{POSTS}/1"))

    assert context.store.revision() == revision
    assert guarded.site.site.php("echo get_post_status(1);") == "publish"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", POSTS, 200), ("POST", POSTS, 403), ("GET", "/wp-json/wp/v2/settings", 403), ("GET", f"{POSTS}/..", 400)],
    ids=["both open", "no rule", "WordPress refuses", "malformed"],
)
def test_what_is_explained_is_what_happens(guarded, method, path, status):
    made = guarded.gateway.add_client("Compared", "author", f"GET {POSTS}", "GET /wp-json/wp/v2/settings")
    bearer = guarded.gateway.bearer(made)

    found = explain(guarded.gateway.context, made.client_id, Asked(method, path))
    url = urlsplit(guarded.gateway.url)
    with closing(HTTPConnection(str(url.hostname), url.port)) as connection:  # which normalizes nothing
        connection.request(method, path, headers=bearer)
        happened = connection.getresponse().status

    assert happened == status
    assert found.would_pass is (status == 200)
    clients.delete_client(guarded.gateway.context, made.client_id)
