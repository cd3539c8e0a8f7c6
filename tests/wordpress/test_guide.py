"""The user's guide, step by step, from the command line to WordPress."""

import json
import subprocess
from typing import Any

import pytest

from demo.wordpress.site import ADMIN, create_application_password
from tests.gateways import Gateway, initialize, serving
from tests.wordpress.conftest import Guarded

ALLOWLIST = (
    "GET /wp-json/wp/v2/posts",
    "POST /wp-json/wp/v2/posts",
    "GET /wp-json/wp/v2/users/me",
    "GET /wp-json/wp/v2/posts/*",
)


@pytest.fixture(scope="module")
def followed(site, tmp_path_factory):
    """A gateway set up by the guide's steps 1 to 5, each by its command; and the client that step 5 shows."""
    gateway = initialize(tmp_path_factory.mktemp("followed"))
    password = create_application_password(site.site, ADMIN)
    gateway.command("connect", site.url, "--username", "admin", "--password-file", "-", stdin=password.password)
    gateway.command("settings", "grant-types", "enable", "client-credentials")
    rules = [part for rule in ALLOWLIST for part in ("--allow", rule)]
    shown = gateway.json(
        "clients", "add", "--name", "Backend Service", "--grant-types", "client-credentials", "--type", "confidential",
        "--access-mode", "restricted", "--user", "author", *rules,
    )  # fmt: skip
    with serving(gateway):
        yield gateway, shown


def curl(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body


def request_token(gateway: Gateway, client_id: str, client_secret: str) -> tuple[int, dict[str, Any]]:
    """Step 6, word for word but for host and credentials."""
    status, body = curl(
        "-X", "POST", f"{gateway.url}/wp-json/app-connect/v1/token",
        "-H", "Content-Type: application/x-www-form-urlencoded",
        "-u", f"{client_id}:{client_secret}",
        "--data-urlencode", "grant_type=client_credentials",
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(body)
    return status, answer


def test_step_5_shows_the_client_id_and_the_secret_once(followed):
    gateway, shown = followed
    assert shown["client_id"].startswith("ac_")
    assert shown["client_secret"].startswith("acs_")
    assert "client_secret" not in gateway.json("clients", "show", shown["client_id"])


def test_step_6_answers_a_token_and_the_granted_routes(followed):
    gateway, shown = followed
    status, answer = request_token(gateway, shown["client_id"], shown["client_secret"])
    assert status == 200
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert answer["granted_rest_routes"] == list(ALLOWLIST)


def test_step_7_reads_posts_with_the_token(followed):
    gateway, shown = followed
    _, answer = request_token(gateway, shown["client_id"], shown["client_secret"])
    status, body = curl(f"{gateway.url}/wp-json/wp/v2/posts", "-H", f"Authorization: Bearer {answer['access_token']}")
    assert status == 200
    assert {post["type"] for post in json.loads(body)} == {"post"}


def test_the_example_use_case_publishes_a_post_as_the_service_user(followed, site):
    gateway, shown = followed
    _, answer = request_token(gateway, shown["client_id"], shown["client_secret"])
    status, body = curl(
        "-X", "POST", f"{gateway.url}/wp-json/wp/v2/posts",
        "-H", f"Authorization: Bearer {answer['access_token']}",
        "-H", "Content-Type: application/json",
        "-d", '{"title": "Generated", "status": "publish"}',
    )  # fmt: skip
    assert status == 201
    post_id = json.loads(body)["id"]
    in_wordpress = site.site.php("echo get_the_author_meta('user_login', get_post($id)->post_author);", id=post_id)
    assert in_wordpress == "author"


def test_common_issue_invalid_client(followed):
    gateway, shown = followed
    status, answer = request_token(gateway, shown["client_id"], "wrong")
    assert status == 401
    assert answer["error"] == "invalid_client"
    assert "Invalid Client" in answer["error_description"]


def test_common_issue_forbidden_request(followed):
    gateway, shown = followed
    _, answer = request_token(gateway, shown["client_id"], shown["client_secret"])
    status, body = curl(f"{gateway.url}/wp-json/wp/v2/pages", "-H", f"Authorization: Bearer {answer['access_token']}")
    assert status == 403
    assert json.loads(body)["code"] == "app_connect_forbidden_request"
    assert "Forbidden Request" in json.loads(body)["message"]
    assert json.loads(body)["data"]["rule"] == "GET /wp-json/wp/v2/pages"


def test_common_issue_unauthorized_client(guarded: Guarded):
    client = guarded.gateway.add_client("No grant", "author", "GET /wp-json/wp/v2/posts", grant_types=())
    status, answer = request_token(guarded.gateway, client.client_id, client.client_secret)
    assert status == 400
    assert answer["error"] == "unauthorized_client"
    assert "Unauthorized Client" in answer["error_description"]
