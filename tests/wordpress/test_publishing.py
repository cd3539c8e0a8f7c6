"""A backend service's work through the gateway, from the first post to its deletion; always as the service user."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.wordpress.conftest import Guarded

ALLOWLIST = (
    "GET /wp-json/wp/v2/posts",
    "POST /wp-json/wp/v2/posts",
    "GET /wp-json/wp/v2/posts/*",
    "POST /wp-json/wp/v2/posts/*",
    "PUT /wp-json/wp/v2/posts/*",
    "PATCH /wp-json/wp/v2/posts/*",
    "DELETE /wp-json/wp/v2/posts/*",
    "POST /wp-json/wp/v2/media",
)
POSTS = "/wp-json/wp/v2/posts"
MEDIA = "/wp-json/wp/v2/media"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

_LOOK = """
$post = get_post($id);
echo json_encode($post ? [
    'author' => get_userdata($post->post_author)->user_login,
    'title' => $post->post_title,
    'status' => $post->post_status,
    'file' => get_attached_file($id),
] : null);
"""


@pytest.fixture(scope="module")
def publisher(guarded: Guarded) -> Iterator[httpx.Client]:
    """The backend service, with a token for everything in the allowlist."""
    client = guarded.gateway.add_client("Publisher", "author", *ALLOWLIST)
    with httpx.Client(base_url=guarded.gateway.url, headers=guarded.gateway.bearer(client), timeout=60) as http:
        yield http


@pytest.fixture(scope="module")
def put_only(guarded: Guarded) -> Iterator[httpx.Client]:
    """A backend service that may PUT and nothing else: what it sends counts as PUT, or is refused."""
    client = guarded.gateway.add_client("Only PUT", "author", "PUT /wp-json/wp/v2/posts/*")
    with httpx.Client(base_url=guarded.gateway.url, headers=guarded.gateway.bearer(client), timeout=60) as http:
        yield http


@pytest.fixture
def post_id(publisher: httpx.Client) -> int:
    """A post of the service user's."""
    answer = publisher.post(POSTS, json={"title": "Before", "status": "publish"})
    return int(answer.json()["id"])


def in_wordpress(guarded: Guarded, post_id: int) -> Any:
    """A post as WordPress has it, asked past the gateway; None where there is none."""
    return json.loads(guarded.site.site.php(_LOOK, id=post_id))


# -- posts ------------------------------------------------------------------------------------------------------------


def test_a_post_is_published_as_the_service_user(publisher, guarded):
    answer = publisher.post(POSTS, json={"title": "Grüße aus 日本", "status": "publish"})

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{guarded.gateway.url}{POSTS}/{answer.json()['id']}"
    assert in_wordpress(guarded, answer.json()["id"]) == {
        "author": "author",
        "title": "Grüße aus 日本",
        "status": "publish",
        "file": "",
    }


def test_a_draft_of_the_service_user_is_read_back_though_no_visitor_sees_it(publisher, guarded):
    post_id = publisher.post(POSTS, json={"title": "Draft", "status": "draft"}).json()["id"]

    answer = publisher.get(f"{POSTS}/{post_id}", params={"context": "edit"})

    assert answer.json()["title"]["raw"] == "Draft"
    assert httpx.get(guarded.site.rest(f"/wp/v2/posts/{post_id}")).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_post_is_updated_by(method, publisher, guarded, post_id):
    answer = publisher.request(method, f"{POSTS}/{post_id}", json={"title": "After"})

    assert answer.status_code == 200
    kept = in_wordpress(guarded, post_id)
    assert (kept["author"], kept["title"]) == ("author", "After")


@pytest.mark.parametrize(
    "override",
    [{"params": {"_method": "PUT"}}, {"headers": {"X-HTTP-Method-Override": "PUT"}}],
    ids=["_method", "X-HTTP-Method-Override"],
)
@pytest.mark.parametrize(
    "body",
    [{"data": {"title": "After"}}, {"files": {"title": (None, "After")}}, {"json": {"title": "After"}}],
    ids=["form", "multipart", "json"],
)
def test_a_post_overridden_to_put_keeps_its_body(override, body, put_only, guarded, post_id):
    """PHP fills `$_POST` for a real POST only: sent on as a real PUT, a form would change nothing and answer 200."""
    answer = put_only.post(f"{POSTS}/{post_id}", **override, **body)

    assert answer.status_code == 200
    kept = in_wordpress(guarded, post_id)
    assert (kept["author"], kept["title"]) == ("author", "After")


def test_a_post_goes_to_the_trash(publisher, guarded, post_id):
    assert publisher.delete(f"{POSTS}/{post_id}").status_code == 200
    assert in_wordpress(guarded, post_id)["status"] == "trash"


def test_a_post_is_deleted_for_good(publisher, guarded, post_id):
    answer = publisher.delete(f"{POSTS}/{post_id}", params={"force": "true"})

    assert answer.json()["deleted"] is True
    assert in_wordpress(guarded, post_id) is None


# -- uploads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [lambda: PNG, lambda: iter([PNG[:10], PNG[10:]])], ids=["with length", "chunked"])
def test_an_image_is_uploaded_as_raw_bytes_under_its_utf8_name(body, publisher, guarded):
    disposition = 'attachment; filename="写真-日本.png"'.encode()
    headers = {"Content-Type": b"image/png", "Content-Disposition": disposition}

    answer = publisher.post(MEDIA, content=body(), headers=headers)

    assert answer.status_code == 201
    kept = in_wordpress(guarded, answer.json()["id"])
    assert kept["author"] == "author"
    assert Path(kept["file"]).name.startswith("写真-日本")
    assert Path(kept["file"]).read_bytes() == PNG


def test_an_image_is_uploaded_as_multipart_under_its_utf8_name(publisher, guarded):
    answer = publisher.post(MEDIA, files={"file": ("地図-日本.png", PNG, "image/png")}, data={"title": "Übersicht"})

    assert answer.status_code == 201
    kept = in_wordpress(guarded, answer.json()["id"])
    assert (kept["author"], kept["title"]) == ("author", "Übersicht")
    assert Path(kept["file"]).name.startswith("地図-日本")
    assert Path(kept["file"]).read_bytes() == PNG


# -- reading ----------------------------------------------------------------------------------------------------------


def test_the_second_page_is_reached_by_the_link_of_the_first(publisher, guarded, post_id):
    first = publisher.get(POSTS, params={"per_page": 1, "orderby": "id", "order": "asc"})
    following = first.links["next"]["url"]

    second = publisher.get(following)

    assert following.startswith(f"{guarded.gateway.url}{POSTS}?")
    assert "rest_route" not in following
    assert second.status_code == 200
    assert second.json()[0]["id"] > first.json()[0]["id"]
    assert second.links["prev"]["url"].startswith(f"{guarded.gateway.url}{POSTS}?")


def test_head_answers_what_get_would_without_a_body(publisher, post_id):
    got, headed = publisher.get(POSTS), publisher.head(POSTS)

    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["X-WP-Total"] == got.headers["X-WP-Total"]
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]


def test_no_answer_may_be_kept_by_a_shared_cache(publisher):
    assert "no-store" in publisher.get(POSTS).headers["Cache-Control"]
