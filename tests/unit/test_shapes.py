"""Route templates as people read them, and the rule that opens all their routes."""

import pytest

from appconnect.core.rules import RouteRule
from appconnect.core.shapes import shape_of
from appconnect.core.templates import RouteTemplates

ID = r"/wp/v2/posts/(?P<id>[\d]+)"
PASSWORD = r"/wp/v2/users/(?P<user_id>(?:[\d]+|me))/application-passwords/(?P<uuid>[\w\-]+)"
PLUGIN = r"/wp/v2/plugins/(?P<plugin>[^.\/]+(?:\/[^.\/]+)?)"
TEMPLATES = RouteTemplates(("/", "/wp/v2/posts", ID, "/batch/v1", PASSWORD, PLUGIN))


@pytest.mark.parametrize(
    ("template", "path", "rule_path"),
    [
        ("/", "/wp-json/", "/wp-json/"),
        ("/wp/v2/posts", "/wp-json/wp/v2/posts", "/wp-json/wp/v2/posts"),
        (ID, "/wp-json/wp/v2/posts/{id}", "/wp-json/wp/v2/posts/*"),
        (
            PASSWORD,
            "/wp-json/wp/v2/users/{user_id}/application-passwords/{uuid}",
            "/wp-json/wp/v2/users/*/application-passwords/*",
        ),
        (PLUGIN, "/wp-json/wp/v2/plugins/{plugin}", "/wp-json/wp/v2/plugins/**"),
        (r"/shop/v1/[a-z]+/list", "/wp-json/shop/v1/{value}/list", "/wp-json/shop/v1/*/list"),
    ],
    ids=["index", "literal", "one parameter", "two parameters", "any number of segments", "without a name"],
)
def test_a_template_reads_as_a_path_and_makes_a_rule(template, path, rule_path):
    shape = shape_of(template)

    assert (shape.path, shape.rule_path) == (path, rule_path)


@pytest.mark.parametrize("template", TEMPLATES.texts)
def test_the_rule_that_a_template_makes_opens_it(template):
    rule = RouteRule.parse(f"GET {shape_of(template).rule_path}")

    assert template in TEMPLATES.opened_by(rule)


def test_a_rule_opens_the_templates_that_its_path_fits():
    assert TEMPLATES.opened_by(RouteRule.parse("GET /wp-json/wp/v2/posts/5")) == (ID,)
    assert TEMPLATES.opened_by(RouteRule.parse("GET /wp-json/WP/v2/Posts")) == ("/wp/v2/posts",)
    assert TEMPLATES.opened_by(RouteRule.parse("GET /wp-json/wp/v2/**")) == ("/wp/v2/posts", ID, PASSWORD, PLUGIN)


def test_a_rule_for_what_the_site_has_not_opens_nothing():
    assert TEMPLATES.opened_by(RouteRule.parse("GET /wp-json/wp/v2/posts/five")) == ()
    assert TEMPLATES.opened_by(RouteRule.parse("GET /wp-json/wp/v2/orders")) == ()
