"""The quickstart and the README's ten lines, followed word for word but for host, port and credentials."""

import json
from pathlib import Path
from typing import Any

from demo.wordpress.servers import RunningSite
from demo.wordpress.site import ADMIN, create_application_password
from tests.docs.conftest import SERVICE_USER, Terminal
from tests.docs.pages import ROOT, blocks, commands

INSTALL = "sh scripts/uv.sh sync --frozen --no-dev"
_STORED = """
$post = get_post($id);
echo json_encode([$post->post_title, $post->post_status, get_the_author_meta('login', $post->post_author)]);
"""


def follow(terminal: Terminal, shown: list[str], site: RunningSite) -> list[str]:
    """Run the commands in order, learning the credentials as a reader does; what each printed."""
    printed = []
    for command in shown:
        typed = ""
        if command.startswith("app-connect connect"):
            password = create_application_password(site.site, ADMIN)
            typed = f"{password.login}\n{password.password}\n"
        output = terminal.run(command, typed=typed)
        if command.startswith("app-connect clients add"):
            terminal.substitutes["CLIENT_ID"] = _after("Client ID", output)
            terminal.substitutes["CLIENT_SECRET"] = _after("Client Secret", output)
        if "/v1/token" in command:
            terminal.substitutes["YOUR_ACCESS_TOKEN"] = answer(output)["access_token"]
        printed.append(output)
    return printed


def answer(output: str) -> Any:
    """The JSON that curl printed."""
    return json.loads(output)


def _after(label: str, output: str) -> str:
    return next(line.removeprefix(label).strip() for line in output.splitlines() if line.startswith(label))


def test_the_quickstart_ends_with_a_published_post(terminal: Terminal, site: RunningSite, checkout: Path):
    page = ROOT / "docs/quickstart.md"
    printed = follow(terminal, commands(page), site)

    token = next(answer(output) for output in printed if '"access_token"' in output)
    shown = json.loads(blocks(page, "json")[0].text)
    assert token | {"access_token": "…"} == shown
    post = answer(printed[-1])
    stored = json.loads(site.site.php(_STORED, id=post["id"]))
    assert stored == ["Published by a backend service", "publish", SERVICE_USER.login]
    assert terminal.run("command -v app-connect").strip() == str(checkout / ".venv/bin/app-connect")


def test_the_ten_lines_of_the_readme_end_with_the_posts(terminal: Terminal, site: RunningSite, tmp_path: Path):
    page = ROOT / "README.md"
    assert INSTALL in page.read_text()
    terminal.run(INSTALL)
    terminal.run('export PATH="$PWD/.venv/bin:$PATH"')
    terminal.run(f"cd {tmp_path}")
    printed = follow(terminal, commands(page), site)

    assert [route for output in printed[-2:-1] for route in answer(output)["granted_rest_routes"]] == [
        "GET /wp-json/wp/v2/posts",
        "POST /wp-json/wp/v2/posts",
    ]
    assert "Hello world!" in [post["title"]["rendered"] for post in answer(printed[-1])]


def test_the_readme_has_ten_lines():
    assert len(blocks(ROOT / "README.md", "sh")[0].text.splitlines()) == 10
