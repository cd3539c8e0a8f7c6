"""The main path on other ways to run WordPress, and the gateway in front of a whole site."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import trustme

from demo.wordpress.install import create_site
from demo.wordpress.nginx import Certificate
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, builtin, nginx_fpm
from demo.wordpress.site import ADMIN, EnvironmentType, Permalinks, Site, create_users
from tests.gateways import Gateway, initialize
from tests.wordpress.conftest import CAST, Guarded, guarding, signed_in

ALLOWLIST = (
    "GET /wp-json/wp/v2/posts",
    "POST /wp-json/wp/v2/posts",
    "PUT /wp-json/wp/v2/posts/*",
    "GET /wp-json/wp/v2/users/me",
)
POSTS = "/wp-json/wp/v2/posts"
ME = "/wp-json/wp/v2/users/me"


@dataclass(frozen=True, slots=True)
class Stack:
    """A site and its gateway, and a backend service that has its token."""

    guarded: Guarded
    backend: httpx.Client


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A server's certificate, of an authority that nobody else knows."""
    folder = tmp_path_factory.mktemp("certificate")
    authority, files = trustme.CA(), Certificate(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    issued = authority.issue_cert(files.host)
    authority.cert_pem.write_to_path(str(files.authority))
    issued.private_key_pem.write_to_path(str(files.key))
    issued.cert_chain_pems[0].write_to_path(str(files.chain))
    return files


@pytest.fixture(scope="module")
def servers() -> Iterator[ExitStack]:
    """What runs until the end of this file."""
    with ExitStack() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stacks")


def installed(folder, release=Release.V6_7_ALPHA, **kind) -> Site:
    site = create_site(folder, release, **kind)
    create_users(site, *CAST)
    return site


def stack(servers: ExitStack, running: RunningSite, gateway: Gateway) -> Stack:
    guarded = servers.enter_context(guarding(running, gateway))
    headers = gateway.bearer(gateway.add_client("Backend", "author", *ALLOWLIST))
    return Stack(guarded, servers.enter_context(httpx.Client(base_url=gateway.url, headers=headers, timeout=60)))


@pytest.fixture(scope="module")
def plain(folder, servers) -> Stack:
    site = installed(folder / "plain", Release.V6_5, permalinks=Permalinks.PLAIN)
    return stack(servers, servers.enter_context(nginx_fpm(site)), initialize(folder / "plain-gateway"))


@pytest.fixture(scope="module")
def over_tls(folder, servers, certificate) -> Stack:
    site = installed(folder / "tls", environment=EnvironmentType.PRODUCTION)
    running = servers.enter_context(nginx_fpm(site, certificate=certificate))
    gateway = initialize(folder / "tls-gateway", upstream_ca_file=str(certificate.authority))
    return stack(servers, running, gateway)


@pytest.fixture(scope="module")
def on_builtin_server(folder, servers) -> Stack:
    running = servers.enter_context(builtin(installed(folder / "builtin")))
    return stack(servers, running, initialize(folder / "builtin-gateway"))


@pytest.fixture(scope="module")
def answering_elsewhere(folder, servers) -> Stack:
    """Of type production, known as https://blog.example.com, behind a terminator that tells PHP of https."""
    site = installed(folder / "elsewhere", environment=EnvironmentType.PRODUCTION)
    running = servers.enter_context(nginx_fpm(site, home="https://blog.example.com"))
    return stack(servers, running, initialize(folder / "elsewhere-gateway"))


@pytest.fixture(params=["plain", "over_tls", "on_builtin_server", "answering_elsewhere"])
def any_stack(request) -> Stack:
    """Each of the four, started when the first test asks for it."""
    chosen = request.getfixturevalue(request.param)
    assert isinstance(chosen, Stack)
    return chosen


# -- the main path ----------------------------------------------------------------------------------------------------


def test_a_token_reads(any_stack):
    answer = any_stack.backend.get(POSTS)

    assert answer.status_code == 200
    assert answer.json()[0]["title"]["rendered"] == "Hello world!"


def test_it_acts_as_the_service_user(any_stack):
    assert any_stack.backend.get(ME).json()["slug"] == "author"


def test_it_publishes_as_the_service_user(any_stack):
    answer = any_stack.backend.post(POSTS, json={"title": "Published", "status": "publish"})

    assert answer.status_code == 201
    wordpress = any_stack.guarded.site.site
    author = wordpress.php("echo get_userdata(get_post($id)->post_author)->user_login;", id=answer.json()["id"])
    assert author == "author"


def test_it_updates_by_put(any_stack):
    post_id = any_stack.backend.post(POSTS, json={"title": "Before"}).json()["id"]

    answer = any_stack.backend.put(f"{POSTS}/{post_id}", json={"title": "After"})

    assert answer.status_code == 200
    assert any_stack.guarded.site.site.php("echo get_post($id)->post_title;", id=post_id) == "After"


def test_it_updates_by_a_form_overridden_to_put(any_stack):
    post_id = any_stack.backend.post(POSTS, json={"title": "Before"}).json()["id"]

    answer = any_stack.backend.post(f"{POSTS}/{post_id}", params={"_method": "PUT"}, data={"title": "After"})

    assert answer.status_code == 200
    assert any_stack.guarded.site.site.php("echo get_post($id)->post_title;", id=post_id) == "After"


def test_a_route_that_is_not_listed_is_refused(any_stack):
    answer = any_stack.backend.get("/wp-json/wp/v2/pages")

    assert answer.status_code == 403
    assert answer.json()["data"]["rule"] == "GET /wp-json/wp/v2/pages"


def test_what_the_user_may_not_do_wordpress_refuses(any_stack):
    answer = any_stack.backend.put(f"{POSTS}/1", json={"title": "Mine now"})

    assert (answer.status_code, answer.json()["code"]) == (403, "rest_cannot_edit")


def test_the_second_page_is_reached_by_link(any_stack):
    any_stack.backend.post(POSTS, json={"title": "One more", "status": "publish"})
    first = any_stack.backend.get(POSTS, params={"per_page": 1, "orderby": "id", "order": "asc"})
    following = first.links["next"]["url"]

    second = any_stack.backend.get(following)

    assert following.startswith(f"{any_stack.guarded.gateway.url}{POSTS}?")
    assert "rest_route" not in following
    assert second.status_code == 200
    assert second.json()[0]["id"] > first.json()[0]["id"]


def test_where_wordpress_would_not_lead_back_the_password_is_pasted_into_the_console(over_tls):
    """It takes no way back that is not https (`wp_is_authorize_application_redirect_url_valid`)."""
    guarded, here = over_tls.guarded, {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=guarded.gateway.url, timeout=60) as browser:
        away = browser.post("/app-connect/sign-in", headers=here)
        page = unescape(browser.get(away.headers["location"]).text)
        (link,) = re.findall(r'href="(https://[^"]*authorize-application[^"]*)"', page)
        query = parse_qs(urlsplit(link).query)
        made = json.loads(
            guarded.site.site.php(
                "echo json_encode(WP_Application_Passwords::create_new_application_password("
                "1, ['name' => $name, 'app_id' => $app_id])[0]);",
                name=query["app_name"][0],
                app_id=query["app_id"][0],
            )
        )
        pasted = {"username": "admin", "password": f" {made[:4]} {made[4:]} "}
        answer = browser.post("/app-connect/sign-in/back/by-hand", data=pasted, headers=here)

        assert "success_url" not in query
        assert answer.headers["location"] == "/app-connect/clients"
        assert browser.get("/app-connect/clients").status_code == 200


def test_a_site_under_an_unknown_authority_is_not_connected(over_tls, folder):
    gateway = initialize(folder / "no-authority")

    ran = gateway.command("connect", over_tls.guarded.site.url, "--username", "admin", stdin="x", check=False)

    assert ran.returncode == 1
    assert "upstream_ca_file" in ran.stderr


# -- in front of the whole site ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_front(folder, servers) -> Stack:
    """The gateway's address is the site's own; what has no token of ours passes."""
    gateway = initialize(folder / "front-gateway", untokened="pass")
    running = servers.enter_context(nginx_fpm(installed(folder / "front"), home=gateway.url))
    return stack(servers, running, gateway)


@pytest.fixture
def visitor(in_front) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=in_front.guarded.gateway.url, timeout=60) as http:
        yield http


@pytest.fixture(scope="module")
def session(in_front) -> dict[str, str]:
    return signed_in(in_front.guarded.site, ADMIN)


def test_the_front_page_passes_untouched(in_front, visitor):
    through = visitor.get("/")

    direct = httpx.get(
        in_front.guarded.site.url, headers={"Host": httpx.URL(in_front.guarded.gateway.url).netloc.decode()}
    )
    assert through.status_code == 200
    assert "Hello world!" in through.text
    assert through.text == direct.text


def test_a_missing_page_passes_with_its_status(visitor):
    assert visitor.get("/no/such/page/").status_code == 404


def test_signing_in_passes_with_its_cookies(visitor):
    visitor.get("/wp-login.php")
    form = {"log": ADMIN.login, "pwd": ADMIN.password, "testcookie": "1"}

    answer = visitor.post("/wp-login.php", data=form)

    assert answer.status_code == 302
    assert any(name.startswith("wordpress_logged_in_") for name in visitor.cookies)
    assert visitor.get("/wp-admin/profile.php").status_code == 200


def test_the_block_editor_reads_as_its_user(visitor, session):
    answer = visitor.get(ME, params={"context": "edit", "_locale": "user"}, headers=session)

    assert answer.status_code == 200
    assert answer.json()["username"] == "admin"


def test_the_block_editor_saves_by_an_overridden_post(in_front, visitor, session):
    """`apiFetch` sends every PUT as a POST with the header."""
    headers = {**session, "X-HTTP-Method-Override": "PUT"}

    answer = visitor.post(f"{POSTS}/1", params={"_locale": "user"}, json={"title": "Edited"}, headers=headers)

    assert answer.status_code == 200
    assert in_front.guarded.site.site.php("echo get_post(1)->post_title;") == "Edited"


def test_the_block_editor_may_send_batches_and_embed(visitor, session):
    batch = {"requests": [{"method": "POST", "path": "/wp/v2/posts", "body": {"title": "In a batch"}}]}

    assert visitor.post("/wp-json/batch/v1", json=batch, headers=session).json()["responses"][0]["status"] == 201
    assert "_embedded" in visitor.get(POSTS, params={"_embed": "author"}, headers=session).json()[0]


def test_a_session_without_its_nonce_is_anonymous_as_ever(visitor, session):
    assert visitor.get(ME, headers={"Cookie": session["Cookie"]}).json()["code"] == "rest_not_logged_in"


def test_an_application_password_of_a_users_own_passes(in_front, visitor):
    made = in_front.guarded.site.site.php(
        "echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'Phone'])[0];"
    )

    assert visitor.get(ME, auth=("admin", made)).json()["slug"] == "admin"


def test_another_plugins_bearer_token_passes(visitor):
    answer = visitor.get(POSTS, headers={"Authorization": "Bearer opaque-token-of-another-plugin"})

    assert answer.status_code == 200


def test_a_token_of_ours_is_enforced_all_the_same(in_front, session):
    backend = in_front.backend

    assert backend.get(ME, headers=session).json()["slug"] == "author"
    assert backend.get("/wp-json/wp/v2/pages", headers=session).status_code == 403
    assert backend.get("/").status_code == 404


def test_a_bent_token_of_ours_does_not_pass_as_a_visitor(in_front, visitor):
    bent = in_front.backend.headers["Authorization"][:-4] + "AAAA"

    answer = visitor.get(POSTS, headers={"Authorization": bent})

    assert (answer.status_code, answer.json()["code"]) == (401, "app_connect_invalid_token")
