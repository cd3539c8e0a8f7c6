"""Route templates: which parameters of a route a rule gives a value."""

import pytest

from appconnect.core.rules import RouteRule
from appconnect.core.templates import PinnedParameter, RouteTemplates

CORE = (
    "/",
    "/batch/v1",
    "/wp/v2",
    "/wp/v2/posts",
    "/wp/v2/posts/(?P<id>[\\d]+)",
    "/wp/v2/posts/(?P<parent>[\\d]+)/revisions",
    "/wp/v2/posts/(?P<parent>[\\d]+)/revisions/(?P<id>[\\d]+)",
    "/wp/v2/users/(?P<id>[\\d]+)",
    "/wp/v2/users/me",
    "/wp/v2/users/(?P<user_id>(?:[\\d]+|me))/application-passwords",
    "/wp/v2/types/(?P<type>[\\w-]+)",
    '/wp/v2/templates/(?P<id>([^\\/:<>\\*\\?"\\|]+(?:\\/[^\\/:<>\\*\\?"\\|]+)?)[\\/\\w%-]+)',
    "/wp/v2/plugins/(?P<plugin>[^.\\/]+(?:\\/[^.\\/]+)?)",
    "/shop/v1/a(?:/(?P<number>\\d+))?",
    "/shop/v1/files/(?P<path>.+)",
    "/shop/v1/old/(?<code>[a-z]+)",
    "/shop/v1/items/(?P<sku>[a-z]+)-(?P<size>\\d+)",
    "/shop/v1/odd/(?P<x>(?&y))",
)


def pinned(rule: str, *templates: str) -> set[tuple[str, int, int | None]]:
    found = RouteTemplates(templates or CORE).pinned_by(RouteRule.parse(rule))
    return {(pin.name.decode(), pin.start, pin.stop) for pin in found}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("POST /wp-json/wp/v2/posts/5", {("id", 3, 4)}),
        ("POST /wp-json/WP/V2/Posts/5", {("id", 3, 4)}),
        ("GET /wp-json/wp/v2/posts/5/revisions", {("parent", 3, 4)}),
        ("GET /wp-json/wp/v2/posts/5/revisions/*", {("parent", 3, 4)}),
        ("GET /wp-json/wp/v2/posts/*/revisions/7", {("id", 5, 6)}),
        ("GET /wp-json/wp/v2/posts/5/revisions/7", {("parent", 3, 4), ("id", 5, 6)}),
        ("GET /wp-json/wp/v2/posts/5/**", {("parent", 3, 4)}),
        ("GET /wp-json/wp/v2/*/5", {("id", 3, 4), ("type", 3, 4), ("plugin", 3, None)}),
        ("GET /wp-json/wp/v2/types/page", {("type", 3, 4)}),
        ("POST /wp-json/wp/v2/users/me/application-passwords", {("user_id", 3, 4)}),
        ("GET /wp-json/wp/v2/templates/theme/home", {("id", 3, None)}),
        ("GET /wp-json/wp/v2/plugins/akismet/akismet", {("plugin", 3, None)}),
        ("GET /wp-json/shop/v1/a/5", {("number", 2, None)}),
        ("GET /wp-json/shop/v1/files/a/b", {("path", 3, None)}),
        ("GET /wp-json/shop/v1/old/x", {("code", 3, 4)}),
        ("GET /wp-json/shop/v1/items/x-5", {("sku", 3, 4), ("size", 3, 4)}),
        ("GET /wp-json/shop/v1/odd/x", {("x", 3, 4)}),
    ],
)
def test_a_literal_where_the_route_has_a_parameter_pins_it(rule, expected):
    assert pinned(rule) >= expected


@pytest.mark.parametrize(
    "rule",
    [
        "GET /wp-json/",
        "POST /wp-json/wp/v2/posts",
        "POST /wp-json/wp/v2/posts/*",
        "POST /wp-json/wp/v2/**",
        "GET /wp-json/wp/v2/users/me",
        "GET /wp-json/wp/v2/posts/*/revisions/*",
        "GET /wp-json/shop/v1/files/*/**",
        "POST /wp-json/batch/v1",
    ],
)
def test_a_rule_without_such_a_literal_pins_nothing(rule):
    assert pinned(rule) == set()


def test_a_literal_that_the_routes_pattern_does_not_take_is_another_routes():
    assert pinned("GET /wp-json/wp/v2/posts/mine", "/wp/v2/posts/(?P<id>[\\d]+)", "/wp/v2/posts/mine") == set()


def test_of_a_route_that_is_not_listed_numbers_are_taken_for_an_id():
    assert pinned("GET /wp-json/other/v1/things/5/parts/6") == {("id", 3, 4), ("id", 5, 6)}


def test_without_an_index_numbers_are_taken_for_an_id():
    assert pinned("POST /wp-json/wp/v2/posts/5", "/") == {("id", 3, 4)}


def test_the_value_is_what_stands_in_the_route():
    segments = ("wp", "v2", "templates", "theme", "home")
    assert PinnedParameter(b"id", 3, None).value(segments) == "theme/home"
    assert PinnedParameter(b"id", 3, 4).value(segments) == "theme"


def test_a_pattern_that_would_keep_us_busy_is_not_tried():
    """Whoever runs the site chooses its patterns; `(a+)+` is the classic that never ends."""
    assert pinned(f"GET /wp-json/x/v1/{'a' * 60}!", "/x/v1/(?P<evil>(a+)+)") == {("evil", 2, 3)}
