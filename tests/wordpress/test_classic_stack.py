"""The guide on the classic stack: Debian's own WordPress on Apache with `mod_php` and MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo.wordpress.classic import classic_site
from demo.wordpress.servers import RunningSite, apache_mod_php
from demo.wordpress.site import create_users, keep, reset
from tests.gateways import initialize
from tests.wordpress.conftest import CAST, Guarded, guarding

ALLOWLIST = (
    "GET /wp-json/wp/v2/posts",
    "POST /wp-json/wp/v2/posts",
    "PUT /wp-json/wp/v2/posts/*",
    "POST /wp-json/wp/v2/media",
    "GET /wp-json/wp/v2/users/me",
)
POSTS = "/wp-json/wp/v2/posts"
ME = "/wp-json/wp/v2/users/me"
GIF = bytes.fromhex("47494638396101000100800000ffffff0000002c00000000010001000002024401003b")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSite]:
    with classic_site() as site:
        create_users(site, *CAST)
        keep(site)
        with apache_mod_php(site) as served:
            yield served


@pytest.fixture(scope="module")
def guarded(running, tmp_path_factory) -> Iterator[Guarded]:
    with guarding(running, initialize(tmp_path_factory.mktemp("gateway"))) as both:
        yield both


@pytest.fixture(scope="module")
def backend(guarded) -> Iterator[httpx.Client]:
    """A backend service with its token."""
    headers = guarded.gateway.bearer(guarded.gateway.add_client("Backend", "author", *ALLOWLIST))
    with httpx.Client(base_url=guarded.gateway.url, headers=headers, timeout=60) as http:
        yield http


@pytest.fixture
def wordpress(running):
    """WordPress asked directly, past gateway and Apache."""
    return running.site


# -- the guide's example ----------------------------------------------------------------------------------------------


def test_a_token_lists_posts(backend):
    answer = backend.get(POSTS)

    assert answer.status_code == 200
    assert "Hello world!" in [post["title"]["rendered"] for post in answer.json()]


def test_it_acts_as_the_service_user(backend):
    """Apache hands `Authorization` to `mod_php` as it came."""
    assert backend.get(ME).json()["slug"] == "author"


def test_it_publishes_a_post_as_the_service_user(backend, wordpress):
    answer = backend.post(POSTS, json={"title": "Veröffentlicht 🎉", "status": "publish"})

    assert answer.status_code == 201
    stored = wordpress.php(
        "$post = get_post($id); echo $post->post_title, ' by ', get_userdata($post->post_author)->user_login;",
        id=answer.json()["id"],
    )
    assert stored == "Veröffentlicht 🎉 by author"


def test_it_updates_by_put(backend, wordpress):
    post_id = backend.post(POSTS, json={"title": "Before"}).json()["id"]

    answer = backend.put(f"{POSTS}/{post_id}", json={"title": "After"})

    assert answer.status_code == 200
    assert wordpress.php("echo get_post($id)->post_title;", id=post_id) == "After"


def test_it_uploads_a_file_which_apache_serves(backend):
    headers = {"Content-Type": "image/gif", "Content-Disposition": 'attachment; filename="dot.gif"'}

    answer = backend.post("/wp-json/wp/v2/media", content=GIF, headers=headers)

    assert answer.status_code == 201
    assert httpx.get(answer.json()["source_url"]).content == GIF


def test_a_route_that_is_not_listed_is_refused(backend, wordpress):
    answer = backend.post("/wp-json/wp/v2/pages", json={"title": "Never", "status": "publish"})

    assert answer.status_code == 403
    assert answer.json()["data"]["rule"] == "POST /wp-json/wp/v2/pages"
    assert wordpress.php("echo count(get_posts(['post_type' => 'page', 'title' => 'Never']));") == "0"


def test_what_the_user_may_not_do_wordpress_refuses(backend, wordpress):
    answer = backend.put(f"{POSTS}/1", json={"title": "Mine now"})

    assert (answer.status_code, answer.json()["code"]) == (403, "rest_cannot_edit")
    assert wordpress.php("echo get_post(1)->post_title;") == "Hello world!"


# -- as Apache and WordPress's `.htaccess` read a path ----------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    ["/index.php/wp-json/wp/v2/posts", "/wp-json/wp/v2/posts/", "/?rest_route=/wp/v2/posts", "/%77p-json/wp/v2/posts"],
    ids=["through index.php", "trailing slash", "rest_route", "encoded letter"],
)
def test_a_spelling_that_wordpress_runs_is_the_listed_route(backend, running, spelling):
    assert httpx.get(running.url + spelling).status_code == 200

    assert backend.get(spelling).json() == backend.get(POSTS).json()


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("/index.php/wp-json/wp/v2/pages", 403),
        ("/?rest_route=/wp/v2/pages", 403),
        (f"{POSTS}?rest_route=/wp/v2/pages", 400),
        (f"{POSTS}?rest[route=/wp/v2/pages", 400),
    ],
    ids=["through index.php", "rest_route", "rest_route beside a path", "a name that PHP reads as rest_route"],
)
def test_a_spelling_that_wordpress_runs_leads_to_no_other_route(backend, running, spelling, status):
    assert httpx.get(running.url + spelling).json()[0]["type"] == "page"

    assert backend.get(spelling).status_code == status


# -- the site itself --------------------------------------------------------------------------------------------------


def test_the_front_page_and_the_login_form_are_served(running):
    assert "Hello world!" in httpx.get(running.url).text
    assert "loginform" in httpx.get(f"{running.url}/wp-login.php").text


def test_the_database_goes_back_to_what_was_kept():
    with classic_site() as site:
        site.php("wp_update_post(['ID' => 1, 'post_title' => 'Kept']);")
        keep(site)
        site.php("wp_delete_post(1, true);")

        reset(site)

        assert site.php("echo get_post(1)->post_title;") == "Kept"


def test_nothing_is_left_of_a_site_whose_block_ends_with_an_error():
    folders = []

    def fail() -> None:
        with classic_site() as site, apache_mod_php(site):
            folders.append(site.folder)
            assert processes_of(site.folder) == {"apache2", "mariadbd"}
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert processes_of(folders[0]) == set()
    assert not folders[0].exists()


def processes_of(folder: Path) -> set[str]:
    """The names of the programs whose command line has `folder` in it."""
    found = set()
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            program, *arguments = command_line.read_text(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if any(str(folder) in argument for argument in arguments):
            found.add(Path(program).name)
    return found
