"""What a token opens, told by effect: a must-use plugin notes every route that WordPress runs for a request."""

import http.client
import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import ADMIN, User, create_application_password, create_users
from tests.gateways import Gateway, initialize
from tests.wordpress.conftest import CAST, guarding, signed_in

RECORDER = """<?php
add_filter('rest_pre_dispatch', function ($result, $server, $request) {
    $probe = preg_replace('/[^0-9a-f]/', '', $_SERVER['HTTP_X_PROBE'] ?? '');
    if ($probe !== '') {
        $ran = wp_get_current_user()->user_login . ': ' . $request->get_method() . ' ' . $request->get_route();
        file_put_contents(WP_CONTENT_DIR . "/ran-$probe", "$ran\\n", FILE_APPEND);
    }
    return $result;
}, 10, 3);
"""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POSTS, ME = "/wp/v2/posts", "/wp/v2/users/me"
LISTED = ["author: GET /wp/v2/posts"]

Token = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and what WordPress ran for it: `user: METHOD route` each."""

    status: int
    content: Any
    ran: list[str]

    @property
    def code(self) -> str:
        return str(self.content["code"])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A WordPress that notes what it runs, and the gateway before it."""

    site: RunningSite
    gateway: Gateway
    author: User

    def ask(
        self, token: Token, target: str, method: str = "GET", body: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send the target byte for byte, with a mark by which the plugin knows the request."""
        probe = secrets.token_hex(8)
        sent = {**token, **(headers or {}), "X-Probe": probe}
        with closing(http.client.HTTPConnection(urlsplit(self.gateway.url).netloc, timeout=60)) as connection:
            connection.request(method, target, body.encode() or None, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        is_json = bool(text) and "json" in answer.getheader("Content-Type", "")
        notes = self.site.site.content / f"ran-{probe}"
        ran = notes.read_text().splitlines() if notes.exists() else []
        return Answer(answer.status, json.loads(text) if is_json else text, ran)

    def token(self, name: str, user: str, *rules: str, **draft: Any) -> Token:
        """The header of a new client."""
        return self.gateway.bearer(self.gateway.add_client(name, user, *rules, **draft))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    site = create_site(
        tmp_path_factory.mktemp("recorded") / "site", Release.V6_7_ALPHA, plugins={"recorder.php": RECORDER}
    )
    author, *_ = create_users(site, *CAST)
    gateway = initialize(tmp_path_factory.mktemp("gateway"))
    with nginx_fpm(site) as running, guarding(running, gateway):
        yield Recorded(running, gateway, author)


@pytest.fixture(scope="module")
def lister(recorded):
    """Acts as `author`; may list posts and nothing else."""
    return recorded.token("Lister", "author", "GET /wp-json/wp/v2/posts")


@pytest.fixture(scope="module")
def writer(recorded):
    """Acts as `author`; may read and write posts, and see itself."""
    methods = ("POST /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts/*", "GET /wp-json/wp/v2/users/me")
    return recorded.token("Writer", "author", "GET /wp-json/wp/v2/posts", *methods, "GET /wp-json/wp/v2/settings")


@pytest.fixture(scope="module")
def powerful(recorded):
    """Acts as `admin` with full access: whatever it may not do, the gateway keeps it from."""
    return recorded.token("Powerful", "admin", access_mode="full")


@pytest.fixture(scope="module")
def named(recorded):
    """Acts as `admin` with rules that name the routes of power."""
    rules = ("POST /wp-json/wp/v2/users", "DELETE /wp-json/wp/v2/users/*", "POST /wp-json/wp/v2/plugins")
    minting = "POST /wp-json/wp/v2/users/*/application-passwords"
    return recorded.token("Named", "admin", *rules, minting, access_mode="full")


# -- both locks -------------------------------------------------------------------------------------------------------


def test_a_route_that_is_not_listed_is_refused_with_the_rule_that_it_needs(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/wp/v2/pages/2")

    assert (answer.status, answer.code) == (403, "app_connect_forbidden_request")
    assert answer.content["data"] == {"status": 403, "rule": "GET /wp-json/wp/v2/pages/2"}
    assert answer.ran == []


@pytest.mark.parametrize(
    ("method", "route", "body", "code"),
    [
        ("POST", "/wp/v2/posts/1", '{"title": "Mine now"}', "rest_cannot_edit"),
        ("POST", "/wp/v2/posts", '{"author": 1}', "rest_cannot_edit_others"),
        ("GET", "/wp/v2/settings", "", "rest_forbidden"),
    ],
    ids=["another's post", "in another's name", "settings"],
)
def test_what_the_service_user_may_not_do_wordpress_refuses_in_its_own_words(
    recorded, writer, method, route, body, code
):
    """As WordPress answers the same user without the gateway."""
    password = create_application_password(recorded.site.site, recorded.author)
    headers = {"Content-Type": "application/json"}

    answer = recorded.ask(writer, f"/wp-json{route}", method, body, headers)

    direct = httpx.request(
        method,
        recorded.site.rest(route),
        content=body or None,
        headers=headers,
        auth=(password.login, password.password),
    )
    assert (answer.status, answer.code) == (403, code)
    assert (answer.status, answer.content) == (direct.status_code, direct.json())
    assert answer.ran == [f"author: {method} {route}"]


# -- one route, many spellings ----------------------------------------------------------------------------------------

SPELLINGS = {
    "path": "/wp-json{}",
    "trailing slash": "/wp-json{}/",
    "index.php": "/index.php/wp-json{}",
    "index.php twice": "/index.php/index.php/wp-json{}",
    "a page": "/hello-world/?rest_route={}",
    "rest_route on the front page": "/?rest_route={}",
    "rest_route on index.php": "/index.php?rest_route={}",
    "rest_route with a trailing slash": "/?rest_route={}/",
    "rest_route, encoded": "/?%72est_route={}",
    "path and rest_route": "/wp-json{0}?rest_route={0}",
    "rest_route twice": "/?rest_route={0}&rest_route={0}",
    "encoded root": "/%77p-json{}",
}
spelled = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())


@spelled
def test_a_listed_route_runs_however_it_is_spelled(recorded, lister, spelling):
    answer = recorded.ask(lister, spelling.format(POSTS))

    assert answer.status == 200
    assert answer.ran == LISTED


@spelled
def test_a_route_that_is_not_listed_is_refused_however_it_is_spelled(recorded, lister, spelling):
    answer = recorded.ask(lister, spelling.format(ME))

    assert (answer.status, answer.code) == (403, "app_connect_forbidden_request")
    assert answer.content["data"]["rule"] == "GET /wp-json/wp/v2/users/me"
    assert answer.ran == []


def test_routes_match_in_any_case_as_in_wordpress(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/WP/V2/Posts")

    assert answer.status == 200
    assert answer.ran == ["author: GET /WP/V2/Posts"]


def test_a_route_that_is_not_listed_is_refused_in_any_case(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/WP/v2/Users/ME")

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


# -- two routes in one request ----------------------------------------------------------------------------------------

TWO_ROUTES = {
    "in the query": "/wp-json/wp/v2/posts?rest_route=/wp/v2/users/me",
    "behind others in the query": "/wp-json/wp/v2/posts?" + "a=1&" * 400 + "rest_route=/wp/v2/users/me",
    "twice in the query": "/?rest_route=/wp/v2/posts&rest_route=/wp/v2/users/me",
    "with a dot": "/wp-json/wp/v2/posts?rest.route=/wp/v2/users/me",
    "with a space": "/wp-json/wp/v2/posts?rest%20route=/wp/v2/users/me",
    "with a plus": "/wp-json/wp/v2/posts?rest+route=/wp/v2/users/me",
    "with a bracket": "/wp-json/wp/v2/posts?rest[route=/wp/v2/users/me",
    "with an encoded bracket": "/wp-json/wp/v2/posts?rest%5Broute=/wp/v2/users/me",
    "as a list": "/wp-json/wp/v2/posts?rest_route[]=/wp/v2/users/me",
    "with a leading space": "/wp-json/wp/v2/posts?%20rest_route=/wp/v2/users/me",
    "with a NUL": "/wp-json/wp/v2/posts?rest_route%00x=/wp/v2/users/me",
    "past a thousand parameters": "/wp-json/wp/v2/posts?" + "a=1&" * 1001 + "rest_route=/wp/v2/users/me",
}


@pytest.mark.parametrize("target", TWO_ROUTES.values(), ids=TWO_ROUTES.keys())
def test_a_second_route_is_refused_where_it_stands(recorded, lister, target):
    answer = recorded.ask(lister, target)

    assert answer.status == 400
    assert answer.code.startswith("app_connect_")
    assert answer.ran == []


def test_another_route_in_a_form_body_does_not_run(recorded, writer):
    """`WP::parse_request` refuses two that differ; the one in the query is ours."""
    answer = recorded.ask(writer, "/wp-json/wp/v2/posts", "POST", "rest_route=/wp/v2/users/me", FORM)

    assert answer.status == 400
    assert answer.ran == []


def test_another_route_in_a_form_body_does_not_run_by_way_of_an_override(recorded, writer):
    """A POST overridden to GET goes on as GET, without its body."""
    answer = recorded.ask(writer, "/wp-json/wp/v2/posts?_method=GET", "POST", "rest_route=/wp/v2/users/me", FORM)

    assert answer.status == 200
    assert answer.ran == LISTED


def test_the_same_route_in_a_form_body_is_only_a_field(recorded, writer):
    answer = recorded.ask(writer, "/wp-json/wp/v2/posts", "POST", "rest_route=/wp/v2/posts&title=Field", FORM)

    assert answer.status == 201
    assert answer.ran == ["author: POST /wp/v2/posts"]


def test_a_field_of_that_name_in_json_is_none_of_our_business(recorded, writer):
    body = json.dumps({"rest_route": ME, "_method": "DELETE", "title": "Field"})

    answer = recorded.ask(writer, "/wp-json/wp/v2/posts", "POST", body, {"Content-Type": "application/json"})

    assert answer.status == 201
    assert answer.ran == ["author: POST /wp/v2/posts"]


NO_SINGLE_ROUTE = {
    "encoded slash": "/wp-json%2fwp/v2/posts",
    "double slash": "//wp-json/wp/v2/posts",
    "double slash inside": "/wp-json/wp//v2/posts",
    "dot-dot": "/wp-json/wp/v2/posts/../users/me",
    "encoded dot-dot": "/wp-json/wp/v2/posts/%2e%2e/users/me",
    "backslash": "/wp-json/wp/v2/posts%5c",
    "newline": "/wp-json/wp/v2/posts%0a",
    "NUL": "/wp-json/wp/v2/posts%00",
    "twice encoded": "/wp-json/wp/v2/%2570osts",
    "newline in rest_route": "/?rest_route=/wp/v2/posts%0a",
    "backslash in rest_route": "/?rest_route=/wp/v2/posts\\",
    "slashes in rest_route": "/?rest_route=/wp/v2/posts///",
}


@pytest.mark.parametrize("target", NO_SINGLE_ROUTE.values(), ids=NO_SINGLE_ROUTE.keys())
def test_a_path_without_a_single_meaning_is_refused(recorded, lister, target):
    answer = recorded.ask(lister, target)

    assert (answer.status, answer.code, answer.ran) == (400, "app_connect_malformed_path", [])


@pytest.mark.parametrize(
    "target",
    [
        "/wp-json.php?rest_route=/wp/v2/posts",
        "/wp-admin/admin-ajax.php?action=rest-nonce",
        "/wp-login.php",
        "/",
    ],
    ids=["a file", "admin-ajax", "the login form", "the front page"],
)
def test_a_token_opens_nothing_but_the_rest_api(recorded, powerful, target):
    answer = recorded.ask(powerful, target)

    assert (answer.status, answer.code, answer.ran) == (404, "app_connect_not_a_rest_route", [])


# -- methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["POST", "post", "DELETE", "PUT"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_method_that_counts_is_the_one_in_the_query(recorded, lister, method, wanted):
    answer = recorded.ask(lister, f"/wp-json/wp/v2/posts?_method={wanted}", method)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert answer.content["data"]["rule"] == f"{wanted.upper()} /wp-json/wp/v2/posts"


def test_the_method_that_counts_is_the_one_in_the_override_header(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/wp/v2/posts", headers={"X-HTTP-Method-Override": "DELETE"})

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


def test_a_post_that_is_overridden_to_a_listed_get_reads(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/wp/v2/posts", "POST", headers={"X-HTTP-Method-Override": "GET"})

    assert (answer.status, answer.ran) == (200, LISTED)


def test_two_overrides_that_differ_are_refused(recorded, writer):
    override = {"X-HTTP-Method-Override": "POST"}

    answer = recorded.ask(writer, "/wp-json/wp/v2/posts?_method=GET", headers=override)

    assert (answer.status, answer.code, answer.ran) == (400, "app_connect_ambiguous_method", [])


def test_a_method_in_a_form_body_means_nothing(recorded, writer):
    answer = recorded.ask(writer, "/wp-json/wp/v2/posts", "POST", "_method=DELETE&title=Field", FORM)

    assert (answer.status, answer.ran) == (201, ["author: POST /wp/v2/posts"])


def test_get_covers_head(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/wp/v2/posts", "HEAD")

    assert (answer.status, answer.ran) == (200, ["author: HEAD /wp/v2/posts"])


def test_get_covers_nothing_else(recorded, lister):
    answer = recorded.ask(lister, "/wp-json/wp/v2/posts", "OPTIONS")

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


# -- wildcards --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def starred(recorded):
    return recorded.token("Starred", "editor", "GET /wp-json/wp/v2/posts/*")


@pytest.fixture(scope="module")
def double_starred(recorded):
    return recorded.token("Double-starred", "editor", "GET /wp-json/wp/v2/posts/**")


def test_star_opens_one_segment(recorded, starred):
    answer = recorded.ask(starred, "/wp-json/wp/v2/posts/1")

    assert (answer.status, answer.ran) == (200, ["editor: GET /wp/v2/posts/1"])


@pytest.mark.parametrize("path", ["/wp-json/wp/v2/posts", "/wp-json/wp/v2/posts/1/revisions", "/wp-json/wp/v2/pages/2"])
def test_star_opens_neither_none_nor_two_segments(recorded, starred, path):
    answer = recorded.ask(starred, path)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


@pytest.mark.parametrize("route", ["/wp/v2/posts/1", "/wp/v2/posts/1/revisions"])
def test_double_star_opens_one_segment_and_more(recorded, double_starred, route):
    answer = recorded.ask(double_starred, f"/wp-json{route}")

    assert (answer.status, answer.ran) == (200, [f"editor: GET {route}"])


@pytest.mark.parametrize("path", ["/wp-json/wp/v2/posts", "/wp-json/wp/v2/pages/2"])
def test_double_star_opens_nothing_above_or_beside_it(recorded, double_starred, path):
    answer = recorded.ask(double_starred, path)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


# -- requests inside a request ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["_embed", "_embed=author", "_embed[]=author", "_embed%5B%5D=author"])
def test_embed_is_refused_without_its_switch(recorded, lister, query):
    answer = recorded.ask(lister, f"/wp-json/wp/v2/posts?{query}")

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert "_embed" in answer.content["message"]


@pytest.mark.parametrize("query", ["_embed", "_embed[]=author"])
def test_embed_reads_other_routes_with_its_switch(recorded, query):
    token = recorded.token(f"Embedding {query}", "author", "GET /wp-json/wp/v2/posts", allows_embed=True)

    answer = recorded.ask(token, f"/wp-json/wp/v2/posts?{query}")

    assert answer.status == 200
    assert "author: GET /wp/v2/users/1" in answer.ran


BATCHES = "POST /wp-json/batch/v1"
CREATES = [{"path": "/wp/v2/posts", "body": {"title": f"{number} in a batch"}} for number in ("One", "Two")]
AS_FORM = "requests[0][path]=/wp/v2/posts&requests[0][body][title]=In+a+form"


@pytest.fixture(scope="module")
def batcher(recorded):
    """Acts as `author`; may create posts, also in batches."""
    return recorded.token("Batcher", "author", BATCHES, "POST /wp-json/wp/v2/posts")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain, application/json", "application/x+json"])
def test_a_batch_runs_where_each_of_its_parts_is_allowed(recorded, batcher, content_type):
    body = json.dumps({"requests": CREATES})

    answer = recorded.ask(batcher, "/wp-json/batch/v1", "POST", body, {"Content-Type": content_type})

    assert [each["status"] for each in answer.content["responses"]] == [201, 201]
    assert answer.content["responses"][1]["body"]["title"]["raw"] == "Two in a batch"
    assert answer.ran == ["author: POST /batch/v1", *["author: POST /wp/v2/posts"] * 2]


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/wp-json/batch/v1", AS_FORM),
        ("POST", f"/wp-json/batch/v1?{AS_FORM}", ""),
        ("GET", f"/wp-json/batch/v1?_method=POST&{AS_FORM}", ""),
    ],
    ids=["a form", "the query", "the query of a GET"],
)
def test_a_batch_runs_from_wherever_wordpress_takes_it(recorded, batcher, method, target, body):
    answer = recorded.ask(batcher, target, method, body, FORM if body else None)

    assert answer.ran == ["author: POST /batch/v1", "author: POST /wp/v2/posts"]
    assert answer.content["responses"][0]["body"]["title"]["raw"] == "In a form"


def test_a_part_that_is_not_allowed_keeps_the_whole_batch_from_wordpress(recorded, batcher):
    body = json.dumps({"requests": [*CREATES, {"method": "DELETE", "path": "/wp/v2/posts/1"}]})

    answer = recorded.ask(batcher, "/wp-json/batch/v1", "POST", body, {"Content-Type": "application/json"})

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert answer.content["data"] == {"status": 403, "rule": "DELETE /wp-json/wp/v2/posts/1", "part": 3}


def test_a_batch_needs_a_rule_of_its_own(recorded, writer):
    answer = recorded.ask(writer, "/wp-json/batch/v1", "POST", json.dumps({"requests": CREATES}))

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert answer.content["data"]["rule"] == BATCHES


def test_a_part_without_one_meaning_is_refused(recorded, batcher):
    body = json.dumps({"requests": [{"path": "/wp/v2/posts?_method=DELETE"}]})

    answer = recorded.ask(batcher, "/wp-json/batch/v1", "POST", body, {"Content-Type": "application/json"})

    assert (answer.status, answer.code, answer.ran) == (400, "app_connect_malformed_batch", [])


# -- an object that a rule names --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_posts(recorded):
    """Two posts of `author`."""
    make = "echo wp_insert_post(['post_author' => $id, 'post_status' => 'publish', 'post_title' => 'Untouched']);"
    return [int(recorded.site.site.php(make, id=recorded.author.id)) for _ in range(2)]


@pytest.mark.parametrize(
    ("query", "body", "headers"),
    [
        ("?id={other}", "title=Mine", FORM),
        ("", "title=Mine&id={other}", FORM),
        ("", '{{"title": "Mine", "id": {other}}}', {"Content-Type": "application/json"}),
        ("", '{{"title": "Mine", "\\u0069d": "{other}"}}', {"Content-Type": "text/x, application/json"}),
    ],
    ids=["the query", "a form", "JSON", "JSON in disguise"],
)
def test_a_rule_for_one_post_does_not_open_another(recorded, own_posts, query, body, headers):
    mine, other = own_posts
    rule = f"POST /wp-json/wp/v2/posts/{mine}"
    token = recorded.token(f"One post {secrets.token_hex(4)}", "author", rule)
    target = f"/wp-json/wp/v2/posts/{mine}"

    answer = recorded.ask(token, target + query.format(other=other), "POST", body.format(other=other), headers)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert recorded.site.site.php("echo get_the_title($other);", other=other) == "Untouched"
    same = recorded.ask(token, target + query.format(other=mine), "POST", body.format(other=mine), headers)
    assert (same.status, same.content["title"]["raw"]) == (200, "Mine")


@pytest.mark.parametrize("parameter", ["_envelope", "_jsonp=x", "_envelope=1"])
def test_an_answer_is_never_wrapped(recorded, lister, parameter):
    answer = recorded.ask(lister, f"/wp-json/wp/v2/posts?{parameter}")

    assert (answer.status, answer.code, answer.ran) == (400, "app_connect_unsupported_parameter", [])


# -- full access ------------------------------------------------------------------------------------------------------


def test_full_access_opens_what_no_rule_names(recorded, powerful):
    answer = recorded.ask(powerful, "/wp-json/wp/v2/settings")

    assert (answer.status, answer.ran) == (200, ["admin: GET /wp/v2/settings"])


def test_full_access_reads_users_and_plugins(recorded, powerful):
    assert recorded.ask(powerful, "/wp-json/wp/v2/users").ran == ["admin: GET /wp/v2/users"]
    assert recorded.ask(powerful, "/wp-json/wp/v2/plugins").ran == ["admin: GET /wp/v2/plugins"]


POWER = {
    "create a user": ("POST", "/wp-json/wp/v2/users"),
    "delete a user": ("DELETE", "/wp-json/wp/v2/users/4?force=true&reassign=1"),
    "promote a user": ("PUT", "/wp-json/wp/v2/users/4?roles[]=administrator"),
    "change its own password": ("POST", "/wp-json/wp/v2/users/me?password=x"),
    "mint a credential": ("POST", "/wp-json/wp/v2/users/me/application-passwords"),
    "mint a credential for another": ("POST", "/wp-json/wp/v2/users/2/application-passwords"),
    "mint in another case": ("POST", "/wp-json/WP/V2/USERS/ME/APPLICATION-PASSWORDS"),
    "mint by override": ("GET", "/wp-json/wp/v2/users/me/application-passwords?_method=POST"),
    "remove credentials": ("DELETE", "/wp-json/wp/v2/users/me/application-passwords"),
    "install a plugin": ("POST", "/wp-json/wp/v2/plugins"),
    "switch a plugin": ("PUT", "/wp-json/wp/v2/plugins/akismet/akismet"),
}


@pytest.mark.parametrize(("method", "target"), POWER.values(), ids=POWER.keys())
def test_full_access_leaves_closed(recorded, powerful, method, target):
    answer = recorded.ask(powerful, target, method)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert "needs a rule that names it" in answer.content["message"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ('{"roles": ["administrator"]}', {"Content-Type": "application/json"}),
        ("roles[0]=administrator", FORM),
        (
            '--x\r\nContent-Disposition: form-data; name="roles[]"\r\n\r\nadministrator\r\n--x--\r\n',
            {"Content-Type": "multipart/form-data; boundary=x"},
        ),
    ],
    ids=["JSON", "form", "multipart"],
)
def test_full_access_promotes_nobody_whatever_the_body(recorded, powerful, body, headers):
    answer = recorded.ask(powerful, f"/wp-json/wp/v2/users/{recorded.author.id}", "POST", body, headers)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


def test_full_access_changes_a_profile(recorded, powerful):
    target = f"/wp-json/wp/v2/users/{recorded.author.id}"

    answer = recorded.ask(powerful, target, "POST", "description=Writes", FORM)

    assert (answer.status, answer.content["description"]) == (200, "Writes")


def test_a_wildcard_opens_no_route_of_power(recorded):
    token = recorded.token("Wild", "admin", "POST /wp-json/wp/v2/**", "POST /wp-json/wp/v2/*")

    answer = recorded.ask(token, "/wp-json/wp/v2/users/me/application-passwords", "POST", "name=Escape", FORM)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])
    assert recorded.ask(token, "/wp-json/wp/v2/posts", "POST", "title=Beside", FORM).status == 201


def test_a_rule_that_names_it_creates_users(recorded, named):
    body = "username=made-by-rule&email=made@example.com&password=correct-horse-battery"

    answer = recorded.ask(named, "/wp-json/wp/v2/users", "POST", body, FORM)

    assert answer.status == 201
    assert recorded.site.site.php("echo get_user_by('login', 'made-by-rule')->ID;") == str(answer.content["id"])


def test_a_rule_that_names_it_makes_credentials(recorded, named):
    answer = recorded.ask(named, "/wp-json/wp/v2/users/2/application-passwords", "POST", "name=By rule", FORM)

    assert (answer.status, answer.ran) == (201, ["admin: POST /wp/v2/users/2/application-passwords"])


def test_a_rule_that_names_it_reaches_the_plugins(recorded, named):
    answer = recorded.ask(named, "/wp-json/wp/v2/plugins", "POST", "slug=akismet", FORM)

    assert answer.ran == ["admin: POST /wp/v2/plugins"]


def test_a_rule_that_names_one_route_of_power_opens_no_other(recorded, named):
    answer = recorded.ask(named, "/wp-json/wp/v2/users/2", "PUT", "roles=administrator", FORM)

    assert (answer.status, answer.code, answer.ran) == (403, "app_connect_forbidden_request", [])


# -- an administrator's session beside a token ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(recorded):
    """The cookie and nonce of `admin`, which work on WordPress itself."""
    headers = signed_in(recorded.site, ADMIN)
    assert httpx.get(recorded.site.rest(ME), headers=headers).json()["id"] == ADMIN.id
    return headers


def test_a_session_beside_a_token_does_not_count(recorded, writer, session):
    """To WordPress a cookie outranks an application password."""
    answer = recorded.ask(writer, "/wp-json/wp/v2/users/me", headers=session)

    assert (answer.status, answer.ran) == (200, ["author: GET /wp/v2/users/me"])
    assert answer.content["id"] == recorded.author.id


def test_a_session_with_its_nonce_in_the_query_does_not_count(recorded, writer, session):
    cookie = {"Cookie": session["Cookie"]}

    answer = recorded.ask(writer, f"/wp-json/wp/v2/users/me?_wpnonce={session['X-WP-Nonce']}", headers=cookie)

    assert (answer.status, answer.ran) == (200, ["author: GET /wp/v2/users/me"])


def test_a_session_does_not_lend_its_rights(recorded, writer, session):
    answer = recorded.ask(writer, "/wp-json/wp/v2/posts/1", "POST", "title=Lent", {**FORM, **session})

    assert (answer.status, answer.code) == (403, "rest_cannot_edit")


def test_a_session_without_a_token_is_refused(recorded, session):
    answer = recorded.ask({}, "/wp-json/wp/v2/users/me", headers=session)

    assert (answer.status, answer.code, answer.ran) == (401, "app_connect_token_required", [])
