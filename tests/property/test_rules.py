"""Laws of route rules."""

import re
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from appconnect.core.rules import Allowlist, Method, RouteRule, RuleSyntaxError
from tests.property.strategies import allowlists, methods, routes, rules

_PIECES = (
    *("GET", "post", "PUT", " ", "  ", "\t", ",", "|", "/", "//", "/wp-json", "/wp-json/", "/index.php", "https://a.b"),
    *("wp", "v2", "posts", "*", "**", "***", "/*", "/**", "?a=b", "#x", ".", "..", "\\", "%2f", ":id", "{id}", "<id>"),
    *(r"(?P<id>[\d]+)", r"(?P<id>(?:\d+|me))", "(", ")", "[", "]", "ö", "\0", "\n", "\u2028", "\u00a0", "ß", "K"),
)
_nearly_rules = st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)


def naive_match(rule: RouteRule, method: Method, segments: Sequence[str]) -> bool:
    """The sentence of the design as one regular expression over the path."""
    if method is not rule.method and (rule.method, method) != (Method.GET, Method.HEAD):
        return False
    wild = {"*": "/[^/]+", "**": "(?:/[^/]+)+"}
    pattern = "".join(wild.get(segment, "/" + re.escape(segment)) for segment in rule.segments)
    return re.fullmatch(pattern, "".join(f"/{segment}" for segment in segments), re.IGNORECASE | re.ASCII) is not None


@given(rules)
def test_what_was_printed_parses_to_the_same_rule(rule):
    assert RouteRule.parse(str(rule)) == rule


@given(_nearly_rules)
def test_what_parses_prints_as_it_was_written(text):
    parsed = _parsed(text)
    assert parsed is None or str(parsed) == text


@given(_nearly_rules | st.text(max_size=40))
@example("GET /wp-json/**/**")
@example("GET,POST,PUT wp/v2/posts*/x*y/**/z")
@example(r"GET /wp/v2/posts/(?P<id>[\d]+)/revisions/(?P<rev>(?:\d+|x))?")
def test_each_remedy_that_gives_a_spelling_gives_a_right_one(text):
    assert all(str(RouteRule.parse(spelling)) == spelling for spelling in _spellings(text))


@given(_nearly_rules | st.text(max_size=40))
def test_an_error_points_into_its_text(text):
    error = _error(text)
    assert error is None or 1 <= error.column <= len(text) + 1


@given(allowlists, methods, routes)
@settings(max_examples=500)
def test_the_trie_agrees_with_the_naive_matcher(allowlist, method, segments):
    found = set(map(_folded, Allowlist(allowlist).matching(method, segments)))
    assert found == {_folded(rule) for rule in allowlist if naive_match(rule, method, segments)}


@given(rules, rules, methods, routes)
@settings(max_examples=500)
def test_a_rule_that_is_covered_never_allows_more(narrow, wide, method, segments):
    allows_more = naive_match(narrow, method, segments) and not naive_match(wide, method, segments)
    assert not (narrow.is_covered_by(wide) and allows_more)


@given(rules, rules)
@settings(max_examples=500)
def test_a_rule_that_is_not_covered_allows_something_more(narrow, wide):
    """Its own path with new words for its wildcards, once with one segment for `**` and once with many."""
    witnesses = [(narrow.method, _witness(narrow, 1)), (narrow.method, _witness(narrow, 9))]
    assert narrow.is_covered_by(wide) == all(naive_match(wide, *witness) for witness in witnesses)


@given(rules, rules, rules)
def test_coverage_is_transitive(narrow, middle, wide):
    is_chain = narrow.is_covered_by(middle) and middle.is_covered_by(wide)
    assert not is_chain or narrow.is_covered_by(wide)


@given(allowlists, methods, routes)
def test_more_rules_never_allow_less(allowlist, method, segments):
    fewer, more = Allowlist(allowlist[1:]), Allowlist(allowlist)
    assert set(map(_folded, fewer.matching(method, segments))) <= set(map(_folded, more.matching(method, segments)))


def _folded(rule: RouteRule) -> tuple[Method, tuple[str, ...]]:
    """Two spellings of one rule answer as one."""
    return rule.method, tuple(segment.lower() for segment in rule.segments)


def _witness(rule: RouteRule, tail: int) -> tuple[str, ...]:
    new = {"*": ("new",), "**": ("new",) * tail}
    return tuple(part.lower() for segment in rule.segments for part in new.get(segment, (segment,)))


def _error(text: str) -> RuleSyntaxError | None:
    try:
        RouteRule.parse(text)
    except RuleSyntaxError as error:
        return error
    return None


def _parsed(text: str) -> RouteRule | None:
    return None if _error(text) else RouteRule.parse(text)


def _spellings(text: str) -> list[str]:
    error = _error(text)
    found = re.match(r"Write(?:: | \d+ rules: )(.*)", error.remedy, re.DOTALL) if error else None
    return re.split(r", (?=[A-Z]+ /)", found[1]) if found else []
