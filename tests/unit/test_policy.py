"""Policies: what names one, and what a token's policy may still be used for."""

from dataclasses import replace

import pytest

from appconnect.core.policy import AccessMode, Policy, ServiceUser, still_covers
from appconnect.core.power import covered_rules
from appconnect.core.rules import Method, RouteRule

AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts", "read"}))
READ_POSTS = RouteRule.parse("GET /wp-json/wp/v2/posts")
WRITE_POSTS = RouteRule.parse("POST /wp-json/wp/v2/posts")
BACKEND = Policy("ac_backend", AUTHOR, AccessMode.RESTRICTED, (READ_POSTS, WRITE_POSTS))


# -- the hash ---------------------------------------------------------------------------------------------------------


def test_the_same_content_has_the_same_hash():
    author = ServiceUser(7, "author", frozenset({"author"}), frozenset({"read", "edit_posts"}))
    again = Policy("ac_backend", author, AccessMode.RESTRICTED, (READ_POSTS, WRITE_POSTS))
    assert again.hash == BACKEND.hash


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(BACKEND, client_id="ac_other"), id="another client"),
        pytest.param(replace(BACKEND, access_mode=AccessMode.FULL), id="another access mode"),
        pytest.param(replace(BACKEND, rules=(READ_POSTS,)), id="a rule less"),
        pytest.param(replace(BACKEND, rules=(WRITE_POSTS, READ_POSTS)), id="another order of rules"),
        pytest.param(replace(BACKEND, allows_embed=True), id="the embed switch"),
        pytest.param(replace(BACKEND, service_user=replace(AUTHOR, id=8)), id="another user"),
        pytest.param(replace(BACKEND, service_user=replace(AUTHOR, login="writer")), id="another login"),
        pytest.param(replace(BACKEND, service_user=replace(AUTHOR, roles=frozenset())), id="a role less"),
        pytest.param(replace(BACKEND, service_user=replace(AUTHOR, capabilities=frozenset())), id="no capabilities"),
    ],
)
def test_other_content_has_another_hash(other):
    assert other.hash != BACKEND.hash


def test_the_hash_is_the_same_in_every_release():
    """Tokens and database rows name policies by it, so a change of it voids every token."""
    assert BACKEND.hash == "42c6e07b6decd21deb0d4640ca992421"


def test_a_policy_comes_back_from_its_json():
    assert Policy.from_json(BACKEND.to_json()) == BACKEND


def test_a_policy_that_came_back_has_the_same_hash():
    assert Policy.from_json(BACKEND.to_json()).hash == BACKEND.hash


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"access_mode": "admin"}, ValueError, id="an unknown access mode"),
        pytest.param({"rules": ["GET /posts"]}, ValueError, id="a rule that is none"),
        pytest.param({"service_user": {"id": 7}}, KeyError, id="half a service user"),
    ],
)
def test_what_is_no_policy_does_not_become_one(change, error):
    with pytest.raises(error):
        Policy.from_json(BACKEND.to_json() | change)


def test_a_policy_is_immutable():
    with pytest.raises(AttributeError):
        BACKEND.access_mode = AccessMode.FULL  # type: ignore[misc]


def test_the_granted_routes_are_the_rules_as_written():
    assert BACKEND.granted_rest_routes == ("GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts")


# -- a token's policy and the client's --------------------------------------------------------------------------------


def with_author(**changes: object) -> Policy:
    return replace(BACKEND, service_user=replace(AUTHOR, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "current",
    [
        pytest.param(BACKEND, id="nothing changed"),
        pytest.param(replace(BACKEND, rules=()), id="the allowlist was narrowed"),
        pytest.param(replace(BACKEND, rules=(RouteRule(Method.GET, ("**",)),)), id="the allowlist was widened"),
        pytest.param(replace(BACKEND, access_mode=AccessMode.FULL), id="full access was given"),
        pytest.param(with_author(roles=frozenset()), id="the user lost a role"),
        pytest.param(with_author(capabilities=frozenset({"read"})), id="the user lost a capability"),
        pytest.param(with_author(login="writer"), id="the user has another login"),
    ],
)
def test_a_token_stays_usable_when(current):
    assert still_covers(BACKEND, current)


@pytest.mark.parametrize(
    "current",
    [
        pytest.param(with_author(id=8), id="the client acts as another user"),
        pytest.param(with_author(roles=frozenset({"author", "editor"})), id="the user got a role more"),
        pytest.param(with_author(roles=frozenset({"administrator"})), id="the user got another role"),
        pytest.param(with_author(capabilities=frozenset({"edit_posts", "read", "x"})), id="the user got a capability"),
        pytest.param(replace(BACKEND, client_id="ac_other"), id="it belongs to another client"),
    ],
)
def test_a_token_is_not_usable_any_more_when(current):
    assert not still_covers(BACKEND, current)


@pytest.mark.parametrize(
    ("roles", "capabilities", "is_administrator"),
    [
        pytest.param({"administrator"}, {"read"}, True, id="by role"),
        pytest.param({"shop_boss"}, {"manage_options"}, True, id="by capability"),
        pytest.param({"author"}, {"edit_posts"}, False, id="an author"),
        pytest.param(set(), set(), False, id="nobody"),
    ],
)
def test_an_administrator_is_known_by_role_or_capability(roles, capabilities, is_administrator):
    user = ServiceUser(1, "somebody", frozenset(roles), frozenset(capabilities))
    assert user.is_administrator is is_administrator


# -- advice: rules that another makes needless ------------------------------------------------------------------------


def needless(*rules: str) -> list[tuple[str, str]]:
    return [(str(rule), str(other)) for rule, other in covered_rules(map(RouteRule.parse, rules))]


def test_a_rule_within_another_is_needless():
    assert needless("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/*") == [
        ("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/*")
    ]


def test_rules_beside_each_other_are_all_needed():
    assert needless("GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/pages") == []


def test_of_two_same_rules_only_the_second_is_needless():
    rules = [RouteRule.parse("GET /wp-json/wp/v2/posts"), RouteRule.parse("GET /wp-json/wp/v2/posts")]
    assert covered_rules(rules) == [(rules[1], rules[0])]


def test_each_needless_rule_is_named_once():
    assert needless("GET /wp-json/a/b", "GET /wp-json/a/*", "GET /wp-json/a/**") == [
        ("GET /wp-json/a/b", "GET /wp-json/a/*"),
        ("GET /wp-json/a/*", "GET /wp-json/a/**"),
    ]


def test_a_wildcard_at_the_end_is_needless_only_within_a_wider_one():
    assert needless("GET /wp-json/a/*", "GET /wp-json/a/b/**") == []
    assert needless("GET /wp-json/a/b/**", "GET /wp-json/a/**") == [("GET /wp-json/a/b/**", "GET /wp-json/a/**")]


def test_get_makes_head_needless():
    assert needless("HEAD /wp-json/a", "GET /wp-json/a") == [("HEAD /wp-json/a", "GET /wp-json/a")]


def test_of_two_spellings_only_the_second_is_needless():
    assert needless("GET /wp-json/WP/v2/posts", "GET /wp-json/wp/v2/posts") == [
        ("GET /wp-json/wp/v2/posts", "GET /wp-json/WP/v2/posts")
    ]


def test_a_rule_that_opens_a_power_route_is_not_needless_beside_a_wildcard_that_does_not():
    assert needless("POST /wp-json/wp/v2/users", "POST /wp-json/wp/v2/**") == []
