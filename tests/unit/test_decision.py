"""The decision: what the granted and the current policy both allow, and nothing that makes credentials or power."""

import json
from typing import Any

import pytest

from appconnect.core.batch import Batch, parse_batch
from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.decision import Allow, Decision, Deny, Reason, Undecided
from appconnect.core.decision import decide as decide_with
from appconnect.core.headers import Fields, Request
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.power import power_routes_left_closed, power_routes_opened
from appconnect.core.rules import Method, RouteRule
from appconnect.core.templates import RouteTemplates

AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts"}))


def restricted(*rules: str, allows_embed: bool = False) -> Policy:
    return Policy(
        "ac_backend", AUTHOR, AccessMode.RESTRICTED, tuple(map(RouteRule.parse, rules)), allows_embed=allows_embed
    )


def full(*rules: str, allows_embed: bool = False) -> Policy:
    return Policy("ac_backend", AUTHOR, AccessMode.FULL, tuple(map(RouteRule.parse, rules)), allows_embed=allows_embed)


def request(method: str, path: str, query: str = "") -> CanonicalRequest:
    return canonicalize(Request(method, path.encode(), query.encode(), Fields()))


def written(
    path: str, body: str | None = None, content_type: str = "application/json", *, method: str = "POST", query: str = ""
) -> CanonicalRequest:
    """A request with a body; with `body` None it has not been read yet."""
    headers = ((b"content-length", b"1"), (b"content-type", content_type.encode()))
    canonical = canonicalize(Request(method, path.encode(), query.encode(), Fields(headers)))
    assert canonical.body is not None
    return canonical if body is None else canonical._replace(body=canonical.body.read(body.encode()))


def batch_of(*parts: dict[str, Any]) -> tuple[CanonicalRequest, Batch]:
    """A batch as it is decided on, read from JSON."""
    canonical = written("/wp-json/batch/v1")
    return canonical, parse_batch(canonical, json.dumps({"requests": parts}).encode())


TEMPLATES = RouteTemplates(
    [
        "/batch/v1",
        "/wp/v2/posts",
        "/wp/v2/posts/(?P<id>[\\d]+)",
        "/wp/v2/posts/(?P<parent>[\\d]+)/revisions",
        "/wp/v2/users/(?P<id>[\\d]+)",
        "/wp/v2/users/me",
    ]
)


def decide(
    request: CanonicalRequest, granted: Policy, current: Policy, batch: Batch | None = None
) -> Decision | Undecided:
    return decide_with(request, granted, current, TEMPLATES, batch)


def rule(text: str) -> RouteRule:
    return RouteRule.parse(text)


# -- restricted access ------------------------------------------------------------------------------------------------


def test_a_rule_allows_its_request_and_is_named():
    policy = restricted("GET /wp-json/wp/v2/pages", "GET /wp-json/wp/v2/posts")
    assert decide(request("GET", "/wp-json/wp/v2/posts"), policy, policy) == Allow(rule("GET /wp-json/wp/v2/posts"))


def test_without_a_rule_the_denial_names_the_rule_that_is_missing():
    policy = restricted("GET /wp-json/wp/v2/posts")
    assert decide(request("POST", "/wp-json/wp/v2/posts"), policy, policy) == Deny(
        Reason.NO_RULE, rule("POST /wp-json/wp/v2/posts")
    )


def test_an_empty_allowlist_denies_the_index_too():
    assert decide(request("GET", "/wp-json/"), restricted(), restricted()) == Deny(
        Reason.NO_RULE, rule("GET /wp-json/")
    )


def test_the_effective_method_is_what_is_decided_on():
    policy = restricted("GET /wp-json/wp/v2/posts/*")
    assert decide(request("GET", "/wp-json/wp/v2/posts/15", "_method=DELETE"), policy, policy) == Deny(
        Reason.NO_RULE, rule("DELETE /wp-json/wp/v2/posts/15")
    )


def test_the_route_of_rest_route_is_what_is_decided_on():
    policy = restricted("GET /wp-json/wp/v2/posts")
    assert decide(request("GET", "/", "rest_route=/wp/v2/users"), policy, policy) == Deny(
        Reason.NO_RULE, rule("GET /wp-json/wp/v2/users")
    )


@pytest.mark.parametrize("query", ["page=2", "search=..%2Fusers", "context=edit&_fields=id"])
def test_data_in_the_query_changes_no_decision(query):
    policy = restricted("GET /wp-json/wp/v2/posts")
    assert decide(request("GET", "/wp-json/wp/v2/posts", query), policy, policy) == Allow(
        rule("GET /wp-json/wp/v2/posts")
    )


# -- granted and current ----------------------------------------------------------------------------------------------


def test_what_was_taken_away_since_is_denied():
    granted = restricted("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/pages")
    current = restricted("GET /wp-json/wp/v2/pages")
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts"), granted, current), Deny)


def test_what_was_added_since_needs_a_new_token():
    granted = restricted("GET /wp-json/wp/v2/posts")
    current = restricted("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/pages")
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/pages"), granted, current), Deny)


def test_what_both_allow_by_different_rules_is_allowed():
    granted = restricted("GET /wp-json/wp/v2/*")
    current = restricted("GET /wp-json/*/v2/posts")
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts"), granted, current), Allow)


def test_a_client_that_was_restricted_since_is_held_to_its_rules():
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts"), full(), restricted()), Deny)


def test_a_client_that_got_full_access_since_needs_a_new_token():
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts"), restricted(), full()), Deny)


def test_a_power_route_must_be_spelled_out_in_both():
    granted, current = full("POST /wp-json/wp/v2/users"), full()
    assert isinstance(decide(request("POST", "/wp-json/wp/v2/users"), granted, current), Deny)


# -- full access ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/wp-json/"),
        ("GET", "/wp-json/wp/v2/posts"),
        ("DELETE", "/wp-json/wp/v2/posts/15"),
        ("POST", "/wp-json/wp/v2/settings"),
        ("POST", "/wp-json/shop/v1/orders/15/notes"),
        ("GET", "/wp-json/wp/v2/users/me"),
        ("HEAD", "/wp-json/wp/v2/users"),
        ("OPTIONS", "/wp-json/wp/v2/users/me/application-passwords"),
        ("GET", "/wp-json/wp/v2/plugins"),
        ("GET", "/wp-json/wp/v2/themes"),
        ("POST", "/wp-json/shop/v2/users"),
    ],
)
def test_full_access_opens(method, path):
    assert decide(request(method, path), full(), full()) == Allow(None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "/wp-json/wp/v2/users", id="making a user"),
        pytest.param("PUT", "/wp-json/wp/v2/users", id="PUT where users are made"),
        pytest.param("POST", "/wp-json/wp/v2/users/register", id="a plugin's own route below users"),
        pytest.param("POST", "/wp-json/wp/v2/users/2/avatar", id="another below one user"),
        pytest.param("DELETE", "/wp-json/wp/v2/users/2", id="deleting a user"),
        pytest.param("POST", "/wp-json/wp/v2/users/me/application-passwords", id="making a password for oneself"),
        pytest.param("POST", "/wp-json/wp/v2/users/2/application-passwords", id="making a password for another"),
        pytest.param("DELETE", "/wp-json/wp/v2/users/2/application-passwords/5e7a", id="deleting a password"),
        pytest.param("POST", "/wp-json/wp/v2/plugins", id="installing a plugin"),
        pytest.param("PUT", "/wp-json/wp/v2/plugins/akismet/akismet", id="changing a plugin"),
        pytest.param("DELETE", "/wp-json/wp/v2/plugins/akismet/akismet", id="deleting a plugin"),
        pytest.param("POST", "/wp-json/wp/v2/themes", id="installing a theme"),
        pytest.param("POST", "/wp-json/WP/V2/Users/Me/Application-Passwords", id="in capitals"),
    ],
)
def test_full_access_does_not_open_what_makes_credentials_or_power(method, path):
    assert decide(request(method, path), full(), full()) == Deny(Reason.POWER_ROUTE, rule(f"{method} {path}"))


def test_an_override_towards_a_power_route_is_found():
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/users", "_method=POST"), full(), full()), Deny)


def test_full_access_opens_a_power_route_that_a_rule_spells_out():
    policy = full("POST /wp-json/wp/v2/users")
    assert decide(request("POST", "/wp-json/wp/v2/users"), policy, policy) == Allow(rule("POST /wp-json/wp/v2/users"))


# -- power routes and wildcards ---------------------------------------------------------------------------------------

MAKE_PASSWORD = ("POST", "/wp-json/wp/v2/users/2/application-passwords")
CHANGE_USER = ("PUT", "/wp-json/wp/v2/users/2", "password=x")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        pytest.param(CHANGE_USER, "PUT /wp-json/wp/v2/users/*", id="a star below users"),
        pytest.param(CHANGE_USER, "PUT /wp-json/wp/v2/users/2", id="one user"),
        pytest.param(CHANGE_USER, "PUT /wp-json/wp/v2/users/**", id="a double star below users"),
        pytest.param(CHANGE_USER, "PUT /wp-json/WP/V2/Users/*", id="users in capitals"),
        pytest.param(MAKE_PASSWORD, "POST /wp-json/wp/v2/users/*/application-passwords", id="passwords of any user"),
        pytest.param(MAKE_PASSWORD, "POST /wp-json/wp/v2/users/2/application-passwords", id="passwords of one user"),
    ],
)
def test_a_rule_that_spells_out_a_power_route_opens_it(call, text):
    assert decide(request(*call), restricted(text), restricted(text)) == Allow(rule(text))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        pytest.param(CHANGE_USER, "PUT /wp-json/**", id="everything"),
        pytest.param(CHANGE_USER, "PUT /wp-json/wp/v2/**", id="everything of WordPress"),
        pytest.param(CHANGE_USER, "PUT /wp-json/wp/v2/*/*", id="a star where users is"),
        pytest.param(CHANGE_USER, "PUT /wp-json/*/*/users/*", id="stars before users"),
        pytest.param(MAKE_PASSWORD, "POST /wp-json/wp/v2/users/**", id="everything below users"),
        pytest.param(MAKE_PASSWORD, "POST /wp-json/wp/v2/users/*/*", id="a star where application-passwords is"),
    ],
)
def test_a_wildcard_does_not_open_a_power_route(call, text):
    assert decide(request(*call), restricted(text), restricted(text)) == Deny(
        Reason.POWER_ROUTE, rule(f"{call[0]} {call[1]}")
    )


def test_a_rule_behind_a_wildcard_that_spells_it_out_is_found():
    policy = restricted("PUT /wp-json/wp/v2/**", "PUT /wp-json/wp/v2/users/*")
    assert decide(request(*CHANGE_USER), policy, policy) == Allow(rule("PUT /wp-json/wp/v2/users/*"))


def test_reading_users_takes_an_ordinary_rule():
    policy = restricted("GET /wp-json/wp/v2/*")
    assert decide(request("GET", "/wp-json/wp/v2/users"), policy, policy) == Allow(rule("GET /wp-json/wp/v2/*"))


# -- embedding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["_embed", "_embed=author", "_embed[]=author", "_embed%5B%5D=author&_embed[]=replies"]
)
def test_embedding_needs_its_switch(query):
    policy = restricted("GET /wp-json/wp/v2/posts")
    assert decide(request("GET", "/wp-json/wp/v2/posts", query), policy, policy) == Deny(Reason.EMBED_OFF)


def test_embedding_needs_its_switch_with_full_access_too():
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts", "_embed"), full(), full()), Deny)


def test_embedding_with_its_switch_is_allowed():
    policy = full(allows_embed=True)
    assert decide(request("GET", "/wp-json/wp/v2/posts", "_embed"), policy, policy) == Allow(None)


def test_a_switch_that_was_turned_off_since_counts():
    granted, current = full(allows_embed=True), full()
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts", "_embed"), granted, current), Deny)


def test_a_switch_that_was_turned_on_since_needs_a_new_token():
    granted, current = full(), full(allows_embed=True)
    assert isinstance(decide(request("GET", "/wp-json/wp/v2/posts", "_embed"), granted, current), Deny)


def test_the_switch_alone_opens_no_route():
    policy = restricted(allows_embed=True)
    assert decide(request("GET", "/wp-json/wp/v2/posts", "_embed"), policy, policy) == Deny(
        Reason.NO_RULE, rule("GET /wp-json/wp/v2/posts")
    )


# -- batches ----------------------------------------------------------------------------------------------------------

CREATE, DELETE = {"path": "/wp/v2/posts"}, {"method": "DELETE", "path": "/wp/v2/posts/15"}
BATCHES = "POST /wp-json/batch/v1"


@pytest.mark.parametrize("text", ["POST /wp-json/**", "POST /wp-json/*/*", "POST /wp-json/batch/*"])
@pytest.mark.parametrize("path", ["/wp-json/batch/v1", "/wp-json/batch/v1/", "/wp-json/Batch/V1"])
def test_a_batch_needs_a_rule_that_names_it(text, path):
    policy = restricted(text)
    assert isinstance(decide(written(path), policy, policy), Deny)


def test_a_batch_is_undecided_until_its_parts_are_known():
    policy = restricted(BATCHES)
    assert decide(written("/wp-json/batch/v1"), policy, policy) == Undecided()


def test_a_batch_is_allowed_where_each_of_its_parts_is():
    policy = restricted(BATCHES, "POST /wp-json/wp/v2/posts", "DELETE /wp-json/wp/v2/posts/*")
    canonical, batch = batch_of(CREATE, DELETE)
    assert decide(canonical, policy, policy, batch) == Allow(rule(BATCHES))


def test_one_part_that_is_not_allowed_denies_the_batch_and_is_named():
    policy = restricted(BATCHES, "POST /wp-json/wp/v2/posts")
    canonical, batch = batch_of(CREATE, DELETE, CREATE)
    assert decide(canonical, policy, policy, batch) == Deny(
        Reason.NO_RULE, rule("DELETE /wp-json/wp/v2/posts/15"), part=2
    )


def test_each_part_is_held_to_the_granted_and_the_current_policy():
    wide, narrow = restricted(BATCHES, "POST /wp-json/wp/v2/posts"), restricted(BATCHES)
    canonical, batch = batch_of(CREATE)
    assert isinstance(decide(canonical, wide, wide, batch), Allow)
    assert isinstance(decide(canonical, wide, narrow, batch), Deny)
    assert isinstance(decide(canonical, narrow, wide, batch), Deny)


def test_full_access_opens_batches_and_what_is_in_them():
    canonical, batch = batch_of(CREATE, DELETE)
    assert decide(canonical, full(), full(), batch) == Allow(None)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param({"path": "/wp/v2/users"}, id="making a user"),
        pytest.param({"path": "/WP/v2/Users/"}, id="in other capitals, with a slash at the end"),
        pytest.param({"method": "PUT", "path": "/wp/v2/users/2", "body": {"roles": ["administrator"]}}, id="roles"),
        pytest.param({"method": "PUT", "path": "/wp/v2/users/2?password=x"}, id="a password in the query"),
        pytest.param({"path": "/wp/v2/users/me/application-passwords", "body": {"name": "x"}}, id="a credential"),
        pytest.param({"method": "DELETE", "path": "/wp/v2/plugins/akismet"}, id="deleting a plugin"),
    ],
)
def test_power_stays_closed_inside_a_batch(part):
    canonical, batch = batch_of(CREATE, part)
    decision = decide(canonical, full(), full(), batch)
    assert isinstance(decision, Deny)
    assert (decision.reason, decision.part) == (Reason.POWER_ROUTE, 2)


def test_a_batch_inside_a_batch_is_denied():
    canonical, batch = batch_of({"path": "/batch/v1", "body": {"requests": [CREATE]}})
    assert decide(canonical, full(), full(), batch) == Deny(Reason.NO_RULE, part=1)


def test_the_id_of_a_part_is_held_to_its_rule_too():
    policy = restricted(BATCHES, "PUT /wp-json/wp/v2/posts/5")
    canonical, batch = batch_of({"method": "PUT", "path": "/wp/v2/posts/5", "body": {"id": 6}})
    assert decide(canonical, policy, policy, batch) == Deny(Reason.OTHER_OBJECT, part=1)


def test_embedding_needs_its_switch_inside_a_batch_too():
    canonical, batch = batch_of({"path": "/wp/v2/posts?_embed=1"})
    assert decide(canonical, full(), full(), batch) == Deny(Reason.EMBED_OFF, part=1)


# -- an object that a rule names --------------------------------------------------------------------------------------

FIVE = restricted("POST /wp-json/wp/v2/posts/5", "GET /wp-json/wp/v2/posts/5")
MULTIPART = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request("POST", "/wp-json/wp/v2/posts/5", "id=6"), id="in the query"),
        pytest.param(request("GET", "/wp-json/wp/v2/posts/5", "id=6"), id="in the query of a GET"),
        pytest.param(request("POST", "/wp-json/wp/v2/posts/5", "id=5&id=6"), id="in the query, behind the right one"),
        pytest.param(request("POST", "/wp-json/wp/v2/posts/5", "id[]=5"), id="an array in the query"),
        pytest.param(request("POST", "/wp-json/wp/v2/posts/5", "%20id=6"), id="a name that PHP trims"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": 6}'), id="in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"i\\u0064": "6"}'), id="in JSON, its name escaped"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": 5.0}'), id="a number that is no whole one"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": [5]}'), id="a list in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": null}'), id="nothing in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", "id=6", "application/x-www-form-urlencoded"), id="in a form"),
        pytest.param(written("/wp-json/wp/v2/posts/5", "id=6", "", query="_method=PUT"), id="a body without a type"),
        pytest.param(
            written("/wp-json/wp/v2/posts/5", '{"id": 6}', "text/plain, application/json"), id="JSON in a list"
        ),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": 6}', "application/ld+json"), id="a kind of JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": 6}', method="GET"), id="JSON of a GET"),
    ],
)
def test_a_parameter_that_names_another_object_is_denied(asked):
    """WordPress would take it over the path: `WP_REST_Request::get_parameter_order`."""
    if asked.method is Method.PUT:
        policy = restricted("PUT /wp-json/wp/v2/posts/5")
        assert decide(asked, policy, policy) == Deny(Reason.OTHER_OBJECT)
    else:
        assert decide(asked, FIVE, FIVE) == Deny(Reason.OTHER_OBJECT)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request("POST", "/wp-json/wp/v2/posts/5", "id=5&page=6"), id="the same in the query"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": 5, "title": "x"}'), id="the same in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"id": "5"}'), id="the same in JSON, as text"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"meta": {"id": 6}}'), id="the name deeper in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", '{"ID": 6}'), id="another name in JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", "[6]"), id="a list as JSON"),
        pytest.param(written("/wp-json/wp/v2/posts/5", "id=5&x=6", "application/x-www-form-urlencoded"), id="a form"),
        pytest.param(
            written("/wp-json/wp/v2/posts/5", None, "text/plain"), id="a body that means nothing to WordPress"
        ),
        pytest.param(written("/wp-json/wp/v2/posts/5", None, "image/png"), id="a picture"),
    ],
)
def test_a_request_that_keeps_to_the_object_is_allowed(asked):
    assert isinstance(decide(asked, FIVE, FIVE), Allow)


def test_a_body_that_may_name_another_object_must_be_read_first():
    assert decide(written("/wp-json/wp/v2/posts/5"), FIVE, FIVE) == Undecided()


@pytest.mark.parametrize(
    "content_type", [MULTIPART, "application/x-www-form-urlencoded, application/json"], ids=["multipart", "two kinds"]
)
def test_a_body_that_cannot_be_read_for_certain_is_denied(content_type):
    asked = written("/wp-json/wp/v2/posts/5", None, content_type)
    assert decide(asked, FIVE, FIVE) == Deny(Reason.UNREADABLE_BODY)


@pytest.mark.parametrize("content_type", [MULTIPART, "application/json"])
def test_where_a_wildcard_stands_for_the_object_bodies_are_not_read(content_type):
    policy = restricted("POST /wp-json/wp/v2/posts/*")
    assert isinstance(decide(written("/wp-json/wp/v2/posts/5", None, content_type), policy, policy), Allow)


def test_a_wider_rule_beside_it_allows_the_other_object():
    policy = restricted("POST /wp-json/wp/v2/posts/5", "POST /wp-json/wp/v2/posts/*")
    assert decide(written("/wp-json/wp/v2/posts/5", '{"id": 6}'), policy, policy) == Allow(
        rule("POST /wp-json/wp/v2/posts/*")
    )


def test_the_parameter_is_called_as_the_route_calls_it():
    policy = restricted("GET /wp-json/wp/v2/posts/5/revisions")
    path = "/wp-json/wp/v2/posts/5/revisions"
    assert decide(request("GET", path, "parent=6"), policy, policy) == Deny(Reason.OTHER_OBJECT)
    assert isinstance(decide(request("GET", path, "id=6"), policy, policy), Allow)


def test_a_route_that_the_index_does_not_list_is_held_to_its_number():
    policy = restricted("GET /wp-json/shop/v1/orders/15")
    assert decide(request("GET", "/wp-json/shop/v1/orders/15", "id=16"), policy, policy) == Deny(Reason.OTHER_OBJECT)


@pytest.mark.parametrize(
    "path", ["/wp-json/wp/v2/templates", "/wp-json/wp/v2/widgets", "/wp-json/wp/v2/Template-Parts/"]
)
@pytest.mark.parametrize("text", ["POST /wp-json/wp/v2/*", "POST /wp-json/wp/v2/**"])
def test_where_making_something_could_change_what_is_there_no_id_is_given(path, text):
    """`WP_REST_Templates_Controller`, `WP_REST_Widgets_Controller`: the others refuse or ignore it."""
    policy = restricted(text)
    assert decide(written(path, '{"id": "theme//home"}'), policy, policy) == Deny(Reason.OTHER_OBJECT)
    assert decide(written(path, '{"slug": "home"}'), policy, policy) == Allow(rule(text))
    assert decide(written("/wp-json/wp/v2/posts", None, MULTIPART), policy, policy) == Allow(rule(text))


# -- a user's profile -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/wp-json/wp/v2/users/2", "/wp-json/wp/v2/users/me", "/wp-json/WP/V2/Users/Me/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_full_access_opens_a_profile_without_power(path, method):
    assert decide(written(path, '{"description": "x"}', method=method), full(), full()) == Allow(None)


@pytest.mark.parametrize("name", ["password", "email", "roles", "username"])
@pytest.mark.parametrize(
    ("content_type", "body", "query"),
    [
        pytest.param("application/json", '{{"{0}": "x"}}', "", id="in JSON"),
        pytest.param("application/x-www-form-urlencoded", "{0}=x", "", id="in a form"),
        pytest.param("application/x-www-form-urlencoded", "{0}[]=x", "", id="an array in a form"),
        pytest.param("application/json", "{{}}", "{0}=x", id="in the query"),
        pytest.param("application/json", "{{}}", "{0}[0]=x", id="an array in the query"),
    ],
)
def test_what_gives_power_over_a_user_is_found_wherever_it_stands(name, content_type, body, query):
    asked = written("/wp-json/wp/v2/users/2", body.format(name), content_type, query=query.format(name))
    assert decide(asked, full(), full()) == Deny(Reason.POWER_ROUTE, rule("POST /wp-json/wp/v2/users/2"))


@pytest.mark.parametrize("name", ["email", "url"])
def test_full_access_changes_settings_but_neither_address_nor_e_mail_of_the_site(name):
    asked = written("/wp-json/wp/v2/settings", json.dumps({name: "x"}))
    assert decide(asked, full(), full()) == Deny(Reason.POWER_ROUTE, rule("POST /wp-json/wp/v2/settings"))
    assert decide(written("/wp-json/wp/v2/settings", '{"title": "x"}'), full(), full()) == Allow(None)
    named = restricted("POST /wp-json/wp/v2/settings")
    assert isinstance(decide(asked, named, named), Allow)


def test_a_profile_in_a_body_must_be_read_first():
    assert decide(written("/wp-json/wp/v2/users/2"), full(), full()) == Undecided()


def test_a_profile_in_a_body_that_cannot_be_read_for_certain_is_denied():
    assert decide(written("/wp-json/wp/v2/users/2", None, MULTIPART), full(), full()) == Deny(Reason.UNREADABLE_BODY)


def test_a_rule_that_names_users_needs_no_body_to_be_read():
    policy = restricted("POST /wp-json/wp/v2/users/*")
    assert isinstance(decide(written("/wp-json/wp/v2/users/2", None, MULTIPART), policy, policy), Allow)


# -- what the denial advises ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/wp-json/wp/v2/posts", id="a plain path"),
        pytest.param("/wp-json/WP/v2/Posts/", id="capitals and a slash at the end"),
        pytest.param("/wp-json/", id="the index"),
        pytest.param("/wp-json/shop/v1/gr%C3%B6%C3%9Fe", id="letters beyond ASCII"),
    ],
)
def test_the_rule_that_a_denial_names_can_be_written(path):
    decision = decide(request("GET", path), restricted(), restricted())
    assert isinstance(decision, Deny)
    assert decision.would_allow is not None
    assert RouteRule.parse(str(decision.would_allow)) == decision.would_allow


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/wp-json/wp/v2/*", id="a star"),
        pytest.param("/wp-json/wp/v2/**", id="a double star"),
        pytest.param("/wp-json/**", id="a double star alone"),
    ],
)
def test_a_denial_never_advises_a_wildcard_that_the_caller_wrote(path):
    """Else a client could ask for `DELETE /wp-json/**` and let the console advise just that rule."""
    decision = decide(request("DELETE", path), restricted(), restricted())
    assert isinstance(decision, Deny)
    assert "*" not in str(decision.would_allow)


# -- warnings for whoever saves rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        pytest.param("POST /wp-json/wp/v2/users", ["wp/v2/users"], id="making users"),
        pytest.param("POST /wp-json/wp/v2/users/**", ["wp/v2/users"], id="everything below users"),
        pytest.param("PUT /wp-json/wp/v2/plugins/*", ["wp/v2/plugins"], id="plugins"),
        pytest.param(
            "POST /wp-json/wp/v2/users/*/application-passwords",
            ["wp/v2/users/*/application-passwords"],
            id="passwords, which create no users",
        ),
        pytest.param("GET /wp-json/wp/v2/users", [], id="reading users"),
        pytest.param("POST /wp-json/wp/v2/**", [], id="a wildcard"),
    ],
)
def test_rules_that_open_power_routes_are_listed(text, opened):
    assert ["/".join(route.segments) for _, route in power_routes_opened([rule(text)])] == opened


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        pytest.param(
            "POST /wp-json/wp/v2/*", ["wp/v2/users", "wp/v2/plugins", "wp/v2/themes", "wp/v2/settings"], id="a star"
        ),
        pytest.param(
            "POST /wp-json/wp/v2/**",
            ["wp/v2/users/*/application-passwords", "wp/v2/users", "wp/v2/plugins", "wp/v2/themes", "wp/v2/settings"],
            id="a double star",
        ),
        pytest.param(
            "POST /wp-json/wp/v2/users/**", ["wp/v2/users/*/application-passwords"], id="everything below users"
        ),
        pytest.param("POST /wp-json/wp/v2/users", [], id="users, which it opens"),
        pytest.param("POST /wp-json/wp/v2/posts", [], id="posts"),
        pytest.param("GET /wp-json/**", [], id="reading everything"),
    ],
)
def test_wildcards_that_leave_power_routes_closed_are_listed(text, closed):
    assert ["/".join(route.segments) for _, route in power_routes_left_closed([rule(text)])] == closed
