"""Client ID and Client Secret in the console, with programs that run as they are shown."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from appconnect.control import clients
from demo.wordpress.debian import program
from tests.gateways import clean_environment
from tests.wordpress.conftest import Guarded
from tests.wordpress.console import Page, signed_in_console
from tests.wordpress.foreign.npm import find_node

POSTS = "/wp-json/wp/v2/posts"
EXPECTED = {f"GET {POSTS}": "The newest of all", f"DELETE {POSTS}/*": "rest_no_route"}


@pytest.fixture(scope="module", params=list(EXPECTED), ids=["reading", "writing"])
def rule(request: pytest.FixtureRequest) -> str:
    """The first rule of the client; an example that changes something names no object of anybody's."""
    return str(request.param)


@pytest.fixture(scope="module")
def shown(guarded: Guarded, rule: str) -> Iterator[Page]:
    """The page that a new client's administrator sees once."""
    guarded.site.site.php("wp_insert_post(['post_title' => $t, 'post_status' => 'publish']);", t="The newest of all")
    with httpx.Client(base_url=guarded.gateway.url, timeout=60) as http:
        console = signed_in_console(guarded.gateway, http)
        page = console.press(console.open("/clients/new"), "save", name="Ready", user="author", rule=[rule])
        guarded.gateway.catch_up()
        yield page
        clients.delete_client(guarded.gateway.context, page.path.split("/")[-2])


@pytest.mark.parametrize(
    ("language", "command"),
    [
        pytest.param("curl", ["bash", "-eu"], id="curl"),
        pytest.param("python", [sys.executable, "-W", "error"], id="python"),
        pytest.param("node", [str(find_node())], id="node"),
        pytest.param("php", ["php"], id="php"),
    ],
)
def test_the_shown_program_runs_as_it_stands(shown, rule, tmp_path: Path, language, command):
    script = tmp_path / f"example.{'mjs' if language == 'node' else language}"
    script.write_text(shown_program(shown, language))
    starter, *options = command

    ran = subprocess.run(
        [program("php") if starter == "php" else starter, *options, script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert EXPECTED[rule] in ran.stdout + ran.stderr


def shown_program(page: Page, language: str) -> str:
    found = re.search(rf'<pre id="example-{language}"[^>]*><code>(.*?)</code>', page.html, re.DOTALL)
    assert found is not None
    return unescape(found[1])
