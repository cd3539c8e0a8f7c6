"""Route rules: one right spelling, an error that gives it, and exactly what each wildcard stands for."""

import pytest

from appconnect.core.rules import Allowlist, Method, RouteRule, RuleSyntaxError, fold_case


def allows(rule: str, method: str, path: str) -> bool:
    """Whether an allowlist of this one rule allows the request, whose route is compared in small letters."""
    segments = tuple(fold_case(path).split("/")[2:])
    return any(True for _ in Allowlist([RouteRule.parse(rule)]).matching(Method(method), segments))


def matching(rules: list[str], method: str, *segments: str) -> list[str]:
    return [str(rule) for rule in Allowlist(map(RouteRule.parse, rules)).matching(Method(method), segments)]


def error_of(text: str) -> RuleSyntaxError:
    with pytest.raises(RuleSyntaxError) as caught:
        RouteRule.parse(text)
    return caught.value


# -- the one right spelling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_each_method_of_the_rest_api_can_be_named(method):
    assert RouteRule.parse(f"{method} /wp-json/wp/v2/posts") == RouteRule(Method(method), ("wp", "v2", "posts"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("GET /wp-json/wp/v2/posts", id="a collection"),
        pytest.param("GET /wp-json/wp/v2/posts/15", id="one item"),
        pytest.param("GET /wp-json/wp/v2/posts/*", id="a star at the end"),
        pytest.param("GET /wp-json/wp/v2/posts/*/revisions", id="a star in the middle"),
        pytest.param("GET /wp-json/wp/v2/posts/*/revisions/*", id="two stars"),
        pytest.param("GET /wp-json/wp/v2/**", id="a double star"),
        pytest.param("GET /wp-json/**", id="a double star alone"),
        pytest.param("GET /wp-json/*/v1/**", id="a star and a double star"),
        pytest.param("GET /wp-json/", id="the index"),
        pytest.param("GET /wp-json/WP/v2/Posts", id="capitals, which are kept as written"),
        pytest.param("GET /wp-json/shop/v1/größe", id="letters beyond ASCII"),
        pytest.param("GET /wp-json/shop/v1/a.b-c_d~e,f;g=h@i:j'k!$&+", id="the other signs of a path"),
        pytest.param("GET /wp-json/shop/v1/...", id="three dots, which mean nothing"),
        pytest.param("GET /wp-json/wp-json/v1/x", id="the prefix again as a segment"),
    ],
)
def test_a_right_rule_prints_as_it_was_written(text):
    assert str(RouteRule.parse(text)) == text


def test_the_index_has_no_segments():
    assert RouteRule.parse("GET /wp-json/").segments == ()


def test_the_path_is_what_people_write():
    assert RouteRule.parse("GET /wp-json/wp/v2/posts").path == "/wp-json/wp/v2/posts"


# -- what is wrong, where, and what would be right --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param(" ", 1, id="a space"),
        pytest.param("get /wp-json/wp/v2/posts", 1, id="a method in small letters"),
        pytest.param("TRACE /wp-json/wp/v2/posts", 1, id="a method that WordPress has not"),
        pytest.param("* /wp-json/wp/v2/posts", 1, id="a star for the method"),
        pytest.param("GET,POST /wp-json/wp/v2/posts", 1, id="two methods"),
        pytest.param("/wp-json/wp/v2/posts", 1, id="no method"),
        pytest.param(" GET /wp-json/wp/v2/posts", 1, id="a space before the method"),
        pytest.param("GET\t/wp-json/wp/v2/posts", 1, id="a tab between"),
        pytest.param("GET", 4, id="no path"),
        pytest.param("GET ", 5, id="a space and no path"),
        pytest.param("GET  /wp-json/wp/v2/posts", 5, id="two spaces between"),
        pytest.param("GET wp-json/wp/v2/posts", 5, id="a path without its first slash"),
        pytest.param("GET https://your-site.com/wp-json/wp/v2/posts", 5, id="a whole address"),
        pytest.param("GET /wp/v2/posts", 5, id="a route without the prefix"),
        pytest.param("GET /wp-json", 5, id="the prefix without its slash"),
        pytest.param("GET /wp-jsonx/wp/v2/posts", 5, id="another prefix"),
        pytest.param("GET /WP-JSON/wp/v2/posts", 5, id="the prefix in capitals"),
        pytest.param("GET /index.php/wp-json/wp/v2/posts", 5, id="the prefix behind index.php"),
        pytest.param("GET /wp-json/wp/v2/posts/", 26, id="a slash at the end"),
        pytest.param("GET /wp-json//v2/posts", 14, id="an empty segment"),
        pytest.param("GET /wp-json/./posts", 14, id="a dot segment"),
        pytest.param("GET /wp-json/wp/../posts", 17, id="a double dot segment"),
        pytest.param("GET /wp-json/wp/v2/posts*", 25, id="a star behind a word"),
        pytest.param("GET /wp-json/wp/v2/*posts", 20, id="a star before a word"),
        pytest.param("GET /wp-json/wp/v2/***", 20, id="three stars"),
        pytest.param("GET /wp-json/**/posts", 14, id="a double star in the middle"),
        pytest.param("GET /wp-json/wp/v2/posts?page=1", 25, id="a query"),
        pytest.param("GET /wp-json/wp/v2/posts#top", 25, id="a fragment"),
        pytest.param("GET /wp-json/wp/v2/my posts", 22, id="a space in the path"),
        pytest.param("GET /wp-json/wp/v2/posts ", 25, id="a space at the end"),
        pytest.param("GET /wp-json/wp/v2/posts\n", 25, id="a new line at the end"),
        pytest.param("GET /wp-json/wp/v2/posts\x00", 25, id="a NUL at the end"),
        pytest.param("GET /wp-json/wp/v2/posts\x7f", 25, id="a DEL at the end"),
        pytest.param("GET /wp-json/wp\\v2", 16, id="a backslash"),
        pytest.param("GET /wp-json/wp/v2/p%6fsts", 21, id="percent-encoding"),
        pytest.param("GET /wp-json/wp/v2/posts/(?P<id>[\\d]+)", 26, id="a regular expression"),
        pytest.param("GET /wp-json/wp/v2/posts/:id", 26, id="a placeholder with a colon"),
        pytest.param("GET /wp-json/wp/v2/posts/{id}", 26, id="a placeholder in braces"),
        pytest.param("GET /wp-json/wp/v2/posts/<id>", 26, id="a placeholder in angle brackets"),
        pytest.param("GET /wp-json/wp/v2/[a-z]", 20, id="a class of letters"),
    ],
)
def test_a_wrong_rule_is_refused_at_its_column(text, column):
    assert error_of(text).column == column


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        pytest.param("get /wp-json/wp/v2/posts", "Write: GET /wp-json/wp/v2/posts", id="small letters"),
        pytest.param("/wp-json/wp/v2/posts", "Write: GET /wp-json/wp/v2/posts", id="no method"),
        pytest.param("GET wp/v2/posts", "Write: GET /wp-json/wp/v2/posts", id="no prefix"),
        pytest.param("GET  /wp-json/wp/v2/posts/ ", "Write: GET /wp-json/wp/v2/posts", id="spaces and a last slash"),
        pytest.param("GET /wp-json/wp/v2/posts\n", "Write: GET /wp-json/wp/v2/posts", id="a new line"),
        pytest.param("GET /wp-json/wp/v2/posts?page=1", "Write: GET /wp-json/wp/v2/posts", id="a query"),
        pytest.param("GET https://your-site.com/wp-json/wp/v2/posts", "Write: GET /wp-json/wp/v2/posts", id="address"),
        pytest.param("GET /index.php/wp-json/wp/v2/posts", "Write: GET /wp-json/wp/v2/posts", id="index.php"),
        pytest.param("GET /wp-json/wp/v2/posts/(?P<id>[\\d]+)", "Write: GET /wp-json/wp/v2/posts/*", id="a regex"),
        pytest.param("GET /wp-json/wp/v2/posts/{id}", "Write: GET /wp-json/wp/v2/posts/*", id="braces"),
        pytest.param("GET /wp-json/wp/v2/posts/<id>", "Write: GET /wp-json/wp/v2/posts/*", id="angle brackets"),
        pytest.param("GET /wp-json/wp/v2/posts/:id", "Write: GET /wp-json/wp/v2/posts/*", id="a colon"),
        pytest.param("GET /wp-json/wp/v2/posts*", "Write: GET /wp-json/wp/v2/posts/*", id="a star behind a word"),
        pytest.param("GET /wp-json/**/posts", "Write: GET /wp-json/*/posts", id="a double star in the middle"),
        pytest.param(
            "GET,POST /wp-json/wp/v2/posts",
            "Write 2 rules: GET /wp-json/wp/v2/posts, POST /wp-json/wp/v2/posts",
            id="two methods",
        ),
        pytest.param(
            "posts",
            "Write it as METHOD /wp-json/path, for example: GET /wp-json/wp/v2/posts",
            id="a bare word, where nothing can be told",
        ),
        pytest.param(
            "TRACE /wp-json/wp/v2/posts",
            "Write it as METHOD /wp-json/path, for example: GET /wp-json/wp/v2/posts",
            id="an unknown method, where nothing can be told",
        ),
        pytest.param(
            "GET /wp-json/wp/v2/p%6fsts",
            "Write it as METHOD /wp-json/path, for example: GET /wp-json/wp/v2/posts",
            id="percent-encoding, where nothing can be told",
        ),
    ],
)
def test_the_remedy_is_the_spelling_that_was_probably_meant(text, remedy):
    assert error_of(text).remedy == remedy


def test_the_error_says_what_where_and_what_to_do():
    assert str(error_of("GET /wp-json/wp/v2/posts/")) == (
        "A path has no slash at its end (column 26 of 'GET /wp-json/wp/v2/posts/'). Write: GET /wp-json/wp/v2/posts"
    )


# -- what a rule allows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/posts", id="the path itself"),
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/WP/v2/POSTS", id="a path in capitals"),
        pytest.param("GET /wp-json/WP/v2/Posts", "/wp-json/wp/v2/posts", id="a rule in capitals"),
        pytest.param("GET /wp-json/wp/v2/posts/*", "/wp-json/wp/v2/posts/15", id="a star for one segment"),
        pytest.param("GET /wp-json/*/*/posts", "/wp-json/wp/v2/posts", id="stars before a word"),
        pytest.param("GET /wp-json/wp/v2/*", "/wp-json/wp/v2/*", id="a star for a star"),
        pytest.param("GET /wp-json/wp/v2/**", "/wp-json/wp/v2/posts", id="a double star for one segment"),
        pytest.param("GET /wp-json/wp/v2/**", "/wp-json/wp/v2/posts/15/revisions", id="a double star for three"),
        pytest.param("GET /wp-json/**", "/wp-json/wp", id="a double star alone"),
        pytest.param("GET /wp-json/*/v2/**", "/wp-json/wp/v2/posts/15", id="a star and a double star"),
        pytest.param("GET /wp-json/shop/v1/größe", "/wp-json/shop/v1/größe", id="letters beyond ASCII"),
    ],
)
def test_a_rule_allows_what_it_says(rule, path):
    assert allows(rule, "GET", path)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/pages", id="another word"),
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/posts/15", id="a path below"),
        pytest.param("GET /wp-json/wp/v2/posts/15", "/wp-json/wp/v2/posts", id="a path above"),
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/posts2", id="a longer word"),
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/post", id="a shorter word"),
        pytest.param("GET /wp-json/wp/v2/*", "/wp-json/wp/v2/posts/15", id="two segments for a star"),
        pytest.param("GET /wp-json/wp/v2/posts/*", "/wp-json/wp/v2/posts", id="no segment for a star"),
        pytest.param("GET /wp-json/*/posts", "/wp-json/wp/v2/posts", id="two segments for a star in the middle"),
        pytest.param("GET /wp-json/wp/v2/**", "/wp-json/wp/v2", id="no segment for a double star"),
        pytest.param("GET /wp-json/wp/v2/**", "/wp-json/wp/v3/posts", id="another path before a double star"),
        pytest.param("GET /wp-json/wp/v2/a.c", "/wp-json/wp/v2/abc", id="a dot, which is no wildcard"),
        pytest.param("GET /wp-json/wp/v2/posts", "/wp-json/wp/v2/*", id="a star in the path, which is no wildcard"),
        pytest.param("GET /wp-json/shop/v1/GRÖSSE", "/wp-json/shop/v1/grösse", id="Ö for ö, which are beyond ASCII"),
        pytest.param("GET /wp-json/shop/v1/k", "/wp-json/shop/v1/\u212a", id="the Kelvin sign, which lower() makes k"),
        pytest.param("GET /wp-json/shop/v1/s", "/wp-json/shop/v1/\u017f", id="the long s, which casefold() makes s"),
    ],
)
def test_a_rule_allows_nothing_else(rule, path):
    assert not allows(rule, "GET", path)


def test_the_index_is_allowed_by_its_own_rule():
    assert matching(["GET /wp-json/"], "GET") == ["GET /wp-json/"]


def test_a_double_star_does_not_allow_the_index():
    assert matching(["GET /wp-json/**"], "GET") == []


def test_get_covers_head():
    assert allows("GET /wp-json/wp/v2/posts", "HEAD", "/wp-json/wp/v2/posts")


@pytest.mark.parametrize(
    ("rule", "method"),
    [
        pytest.param("HEAD /wp-json/wp/v2/posts", "GET", id="HEAD does not imply GET"),
        pytest.param("GET /wp-json/wp/v2/posts", "OPTIONS", id="GET does not imply OPTIONS"),
        pytest.param("GET /wp-json/wp/v2/posts", "POST", id="GET does not imply POST"),
        pytest.param("POST /wp-json/wp/v2/posts", "GET", id="POST does not imply GET"),
        pytest.param("POST /wp-json/wp/v2/posts", "PUT", id="POST does not imply PUT"),
        pytest.param("PUT /wp-json/wp/v2/posts", "PATCH", id="PUT does not imply PATCH"),
        pytest.param("POST /wp-json/wp/v2/posts", "DELETE", id="POST does not imply DELETE"),
        pytest.param("OPTIONS /wp-json/wp/v2/posts", "GET", id="OPTIONS does not imply GET"),
    ],
)
def test_no_other_method_implies_another(rule, method):
    assert not allows(rule, method, "/wp-json/wp/v2/posts")


# -- the allowlist ----------------------------------------------------------------------------------------------------


def test_an_empty_allowlist_allows_nothing():
    assert matching([], "GET", "wp", "v2", "posts") == []


def test_the_most_specific_rule_comes_first():
    rules = [
        "GET /wp-json/**",
        "GET /wp-json/wp/**",
        "GET /wp-json/wp/*/posts",
        "GET /wp-json/wp/v2/*",
        "GET /wp-json/wp/v2/posts",
    ]
    assert matching(rules, "GET", "wp", "v2", "posts") == [
        "GET /wp-json/wp/v2/posts",
        "GET /wp-json/wp/v2/*",
        "GET /wp-json/wp/*/posts",
        "GET /wp-json/wp/**",
        "GET /wp-json/**",
    ]


def test_a_literal_that_leads_nowhere_does_not_hide_a_wildcard():
    rules = ["GET /wp-json/wp/v2/posts/15", "GET /wp-json/wp/*/posts/*/revisions"]
    assert matching(rules, "GET", "wp", "v2", "posts", "15", "revisions") == ["GET /wp-json/wp/*/posts/*/revisions"]


def test_head_is_allowed_by_its_own_rule_before_get():
    rules = ["GET /wp-json/wp/v2/posts", "HEAD /wp-json/wp/v2/posts"]
    assert matching(rules, "HEAD", "wp", "v2", "posts") == ["HEAD /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/posts"]


def test_of_two_spellings_of_one_rule_the_first_answers():
    rules = ["GET /wp-json/WP/v2/posts", "GET /wp-json/wp/v2/posts"]
    assert matching(rules, "GET", "wp", "v2", "posts") == ["GET /wp-json/WP/v2/posts"]


def test_a_star_in_the_path_is_answered_once():
    assert matching(["GET /wp-json/wp/*"], "GET", "wp", "*") == ["GET /wp-json/wp/*"]


def test_the_allowlist_keeps_its_rules_as_written():
    rules = (RouteRule.parse("GET /wp-json/wp/v2/posts"), RouteRule.parse("GET /wp-json/wp/v2/*"))
    assert Allowlist(rules).rules == rules


# -- is covered by ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        pytest.param("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/posts", id="itself"),
        pytest.param("GET /wp-json/wp/v2/posts", "GET /wp-json/WP/V2/POSTS", id="itself in capitals"),
        pytest.param("HEAD /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/posts", id="HEAD by GET"),
        pytest.param("GET /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/*", id="a word by a star"),
        pytest.param("GET /wp-json/wp/v2/*", "GET /wp-json/wp/*/*", id="a star by a star"),
        pytest.param("GET /wp-json/wp/v2/*", "GET /wp-json/wp/v2/**", id="a star by a double star"),
        pytest.param("GET /wp-json/wp/v2/**", "GET /wp-json/wp/**", id="a double star by a shorter one"),
        pytest.param("GET /wp-json/wp/v2/**", "GET /wp-json/wp/*/**", id="a double star by one behind a star"),
        pytest.param("GET /wp-json/", "GET /wp-json/", id="the index by itself"),
    ],
)
def test_a_rule_is_covered_by(narrow, wide):
    assert RouteRule.parse(narrow).is_covered_by(RouteRule.parse(wide))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        pytest.param("GET /wp-json/wp/v2/posts", "HEAD /wp-json/wp/v2/posts", id="GET by HEAD"),
        pytest.param("POST /wp-json/wp/v2/posts", "GET /wp-json/wp/v2/posts", id="another method"),
        pytest.param("GET /wp-json/wp/v2/*", "GET /wp-json/wp/v2/posts", id="a star by a word"),
        pytest.param("GET /wp-json/wp/v2/**", "GET /wp-json/wp/v2/*", id="a double star by a star"),
        pytest.param("GET /wp-json/wp/**", "GET /wp-json/wp/*/**", id="a double star by one that needs two segments"),
        pytest.param("GET /wp-json/wp/v2", "GET /wp-json/wp/v2/**", id="the folder by the double star in it"),
        pytest.param("GET /wp-json/", "GET /wp-json/**", id="the index by everything below it"),
        pytest.param("GET /wp-json/**", "GET /wp-json/", id="everything by the index"),
    ],
)
def test_a_rule_is_not_covered_by(narrow, wide):
    assert not RouteRule.parse(narrow).is_covered_by(RouteRule.parse(wide))


# -- spelling out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "is_named"),
    [
        pytest.param("POST /wp-json/wp/v2/users", True, id="the route itself"),
        pytest.param("POST /wp-json/WP/V2/Users", True, id="in capitals"),
        pytest.param("POST /wp-json/wp/v2/users/*", True, id="a route below"),
        pytest.param("POST /wp-json/wp/v2/users/**", True, id="everything below"),
        pytest.param("POST /wp-json/wp/v2/*", False, id="a star where the word is"),
        pytest.param("POST /wp-json/wp/v2/**", False, id="a double star where the word is"),
        pytest.param("POST /wp-json/*/v2/users", False, id="a star for another word"),
        pytest.param("POST /wp-json/wp/v2", False, id="a shorter path"),
    ],
)
def test_a_rule_names_a_route_only_by_its_own_words(rule, is_named):
    assert RouteRule.parse(rule).names(("wp", "v2", "users")) is is_named


def test_a_star_in_a_named_route_may_be_anything():
    assert RouteRule.parse("POST /wp-json/wp/v2/users/5/meta").names(("wp", "v2", "users", "*", "meta"))


def test_a_rule_is_immutable():
    with pytest.raises(AttributeError):
        RouteRule.parse("GET /wp-json/").method = Method.POST  # type: ignore[misc]
