"""The examples for developers run as they stand, and publish."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.wordpress.debian import program
from demo.wordpress.servers import RunningSite
from demo.wordpress.site import ADMIN, create_application_password
from tests.docs.conftest import SERVICE_USER
from tests.docs.pages import ROOT, blocks
from tests.gateways import clean_environment, initialize, serving
from tests.wordpress.foreign.npm import find_node

PAGE = ROOT / "docs/developers/examples.md"
_PUBLISHED = """
$found = get_posts(['title' => $title, 'post_status' => 'publish']);
echo json_encode(array_map(fn($post) => get_the_author_meta('login', $post->post_author), $found));
"""


@pytest.fixture(scope="module")
def environment(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a backend service is told: the gateway's address, its own ID and secret."""
    gateway = initialize(tmp_path_factory.mktemp("gateway"))
    password = create_application_password(site.site, ADMIN)
    gateway.connect(site.url, password.login, password.password)
    with serving(gateway):
        client = gateway.add_client("Examples", SERVICE_USER.login, "POST /wp-json/wp/v2/posts")
        yield clean_environment(
            SITE_URL=gateway.url,
            CLIENT_ID=client.client_id,
            CLIENT_SECRET=client.client_secret,
            OAUTHLIB_INSECURE_TRANSPORT="1",  # oauthlib refuses http, loopback included
        )


@pytest.mark.parametrize(
    ("language", "at", "command", "title"),
    [
        pytest.param("sh", 0, ["bash", "-eu"], "Hello from curl", id="curl"),
        pytest.param("python", 0, [sys.executable, "-W", "error"], "Hello from httpx", id="appconnect.client"),
        pytest.param("python", 1, [sys.executable], "Hello from requests", id="requests-oauthlib"),
        pytest.param("js", 0, [str(find_node())], "Hello from Node", id="node"),
        pytest.param("php", 0, ["php"], "Hello from PHP", id="php"),
    ],
)
def test_the_example_publishes_a_post(environment, site, tmp_path: Path, language, at, command, title):
    script = tmp_path / f"example.{'mjs' if language == 'js' else language}"
    script.write_text(blocks(PAGE, language)[at].text)
    starter, *options = command
    ran = subprocess.run(
        [program("php") if starter == "php" else starter, *options, script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(site.site.php(_PUBLISHED, title=title)) == [SERVICE_USER.login]
