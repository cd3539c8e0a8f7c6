"""The decision: what the granted and the current policy both allow, and nothing that makes credentials or power."""

import pytest

from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.decision import (
    Allow,
    Deny,
    Reason,
    decide,
    power_routes_left_closed,
    power_routes_opened,
)
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.request import Request
from appconnect.core.rules import RouteRule

AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts"}))


def restricted(*rules: str, allows_embed: bool = False) -> Policy:
    return Policy(
        "ac_backend", AUTHOR, AccessMode.RESTRICTED, tuple(map(RouteRule.parse, rules)), allows_embed=allows_embed
    )


def full(*rules: str, allows_embed: bool = False) -> Policy:
    return Policy("ac_backend", AUTHOR, AccessMode.FULL, tuple(map(RouteRule.parse, rules)), allows_embed=allows_embed)


def request(method: str, path: str, query: str = "") -> CanonicalRequest:
    return canonicalize(Request(method, path.encode(), query.encode(), ()))


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
        pytest.param("POST", "/wp-json/wp/v2/users/me", id="changing oneself"),
        pytest.param("PUT", "/wp-json/wp/v2/users/2", id="changing a user"),
        pytest.param("PATCH", "/wp-json/wp/v2/users/2", id="changing a user with PATCH"),
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
CHANGE_USER = ("PUT", "/wp-json/wp/v2/users/2")


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


# -- embedding and batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["_embed", "_embed=author", "_embed[]=author", "_embed%5B%5D=author&_embed[]=replies"]
)
def test_embedding_needs_its_switch(query):
    policy = restricted("GET /wp-json/wp/v2/posts")
    assert decide(request("GET", "/wp-json/wp/v2/posts", query), policy, policy) == Deny(
        Reason.EMBED_OFF, rule("GET /wp-json/wp/v2/posts")
    )


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


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(full(), id="full access"),
        pytest.param(restricted("POST /wp-json/**"), id="a double star"),
        pytest.param(restricted("POST /wp-json/*/*"), id="stars"),
        pytest.param(full("POST /wp-json/batch/*"), id="full access and half its name"),
    ],
)
@pytest.mark.parametrize("path", ["/wp-json/batch/v1", "/wp-json/batch/v1/", "/wp-json/Batch/V1"])
def test_a_batch_is_denied_without_a_rule_of_its_own(policy, path):
    decision = decide(request("POST", path), policy, policy)
    assert isinstance(decision, Deny)
    assert decision.reason is Reason.BATCH


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
        pytest.param("POST /wp-json/wp/v2/*", ["wp/v2/users", "wp/v2/plugins", "wp/v2/themes"], id="a star"),
        pytest.param(
            "POST /wp-json/wp/v2/**",
            ["wp/v2/users/*/application-passwords", "wp/v2/users", "wp/v2/plugins", "wp/v2/themes"],
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
