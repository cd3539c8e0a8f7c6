"""`make demo`: the user's guide from its first step to its last, on a real WordPress on this machine."""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.wordpress.debian import FOR_BUILTIN_SERVER, PackagesMissing, ensure_installed
from demo.wordpress.install import create_site
from demo.wordpress.packages import CACHE, Release
from demo.wordpress.servers import RunningSite, builtin, free_port
from demo.wordpress.site import ADMIN, NewUser, create_application_password, create_users
from demo.wordpress.watched import CommandFailed

FOLDER = CACHE / "demo"
COMMAND = Path(sys.executable).with_name("app-connect")
SERVICE_USER = NewUser("api-bot", "author")
RULES = (
    "GET /wp-json/wp/v2/posts",
    "POST /wp-json/wp/v2/posts",
    "GET /wp-json/wp/v2/users/me",
    "GET /wp-json/wp/v2/posts/*",
    "GET /wp-json/wp/v2/settings",
)
READY_SECONDS = 30
_COLUMNS, _SHOWN = 100, 40
BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else [""] * 5
)


class StepFailed(Exception):
    """A step did not have its effect."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A WordPress, and the folder of the gateway in front of it."""

    site: RunningSite
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command: str) -> str:
        """Run a command in the gateway's folder, showing it and what it prints, as in a terminal."""
        print(f"{DIM}$ {PLAIN}{BOLD}{_as_typed(command)}{PLAIN}")
        ran = subprocess.run(
            [COMMAND, *command[1:]],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        print(_indented(ran.stdout + ran.stderr))
        if ran.returncode != 0:
            raise StepFailed(f"The command ended with {ran.returncode}.")
        return ran.stdout

    def curl(self, *arguments: str) -> Any:
        """Call the gateway with curl, showing the command and the answer; the answer's JSON."""
        typed = _as_typed(("curl", *map(_without_token, arguments)))
        print(f"{DIM}$ {PLAIN}{BOLD}{typed}{PLAIN}")
        ran = subprocess.run(["curl", "-sS", *arguments], check=False, capture_output=True, text=True, timeout=60)
        if ran.returncode != 0:
            raise StepFailed(ran.stderr)
        answer = json.loads(ran.stdout)
        print(_indented(_shortened(answer)))
        return answer


def main() -> None:
    """Set up, walk through the steps, and stay up unless told otherwise."""
    options = argparse.ArgumentParser(prog="demo")
    options.add_argument("--once", action="store_true", help="end after the steps")
    once: bool = options.parse_args().once
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        ensure_installed((*FOR_BUILTIN_SERVER, "curl"), say=print)
        with ExitStack() as running:
            demo = _begin(running)
            _walk_through(demo, running)
            print(f"\n{GREEN}Every step of the guide had its effect in WordPress.{PLAIN}")
            if not once:
                _stay_up(demo, running)
    except (PackagesMissing, CommandFailed, StepFailed) as problem:
        sys.exit(f"{RED}The demo failed:{PLAIN} {problem}")
    except KeyboardInterrupt:
        print("\nStopped.")


def _begin(running: ExitStack) -> Demo:
    shutil.rmtree(FOLDER, ignore_errors=True)
    _title("A WordPress site of this machine")
    files = create_site(FOLDER / "site", Release.V6_7_ALPHA, say=print)
    create_users(files, SERVICE_USER)
    site = running.enter_context(builtin(files))
    print(f"WordPress {files.release} answers at {site.url}, unmodified: nothing of ours is installed in it.")
    folder = FOLDER / "gateway"
    folder.mkdir()
    return Demo(site, folder, free_port())


def _walk_through(demo: Demo, running: ExitStack) -> None:
    _set_up(demo)
    _enable_client_credentials(demo)
    client_id, secret = _create_client(demo)
    _serve(demo, running)
    token = _request_token(demo, client_id, secret)
    _use_token(demo, token)
    _publish(demo, token)
    _be_refused(demo, token)


def _set_up(demo: Demo) -> None:
    _title("Setting up: a gateway, connected to the site by one of its administrators")
    demo.run("app-connect", "init", "--public-url", demo.url, "--port", str(demo.port))
    password = create_application_password(demo.site.site, ADMIN, name="App Connect").password
    print(f"{DIM}# Without --username, `connect` opens WordPress's own approval page in the browser.{PLAIN}")
    (demo.folder / "password").write_text(password)
    demo.run("app-connect", "connect", demo.site.url, "--username", "admin", "--password-file", "password")
    (demo.folder / "password").unlink()


def _enable_client_credentials(demo: Demo) -> None:
    _title("Step 1: enable the Client Credentials grant")
    demo.run("app-connect", "settings", "grant-types", "enable", "client-credentials")


def _create_client(demo: Demo) -> tuple[str, str]:
    _title("Steps 2 to 5: a client, its service user, its REST route allowlist; saving shows its ID and secret")
    rules = [part for rule in RULES for part in ("--allow", rule)]
    output = demo.run(
        "app-connect", "clients", "add", "--name", "Backend Service", "--grant-types", "client-credentials",
        "--type", "confidential", "--access-mode", "restricted", "--user", SERVICE_USER.login, *rules,
    )  # fmt: skip
    made = demo.site.site.php(
        "echo json_encode(wp_list_pluck(WP_Application_Passwords::get_user_application_passwords("
        "get_user_by('login', $login)->ID), 'name'));",
        login=SERVICE_USER.login,
    )
    _expect(json.loads(made) == ["App Connect: Backend Service"], "the service user has its own application password")
    return _word_after("Client ID", output), _word_after("Client Secret", output)


def _request_token(demo: Demo, client_id: str, secret: str) -> str:
    _title("Step 6: request an access token")
    answer = demo.curl(
        "-X", "POST", f"{demo.url}/wp-json/app-connect/v1/token",
        "-H", "Content-Type: application/x-www-form-urlencoded",
        "-u", f"{client_id}:{secret}",
        "--data-urlencode", "grant_type=client_credentials",
    )  # fmt: skip
    _expect(answer.get("token_type") == "Bearer" and answer.get("expires_in") == 3600, "a bearer token for an hour")
    _expect(answer.get("granted_rest_routes") == list(RULES), "it names the routes that it opens")
    return str(answer["access_token"])


def _use_token(demo: Demo, token: str) -> None:
    _title("Step 7: use the access token")
    posts = demo.curl(f"{demo.url}/wp-json/wp/v2/posts?_fields=id,title,link", "-H", f"Authorization: Bearer {token}")
    _expect(posts[0]["title"]["rendered"] == "Hello world!", "the site's posts")


def _publish(demo: Demo, token: str) -> None:
    _title("The example use case: a backend service publishes a post")
    post = demo.curl(
        "-X", "POST", f"{demo.url}/wp-json/wp/v2/posts?_fields=id,status,link,title.raw",
        "-H", f"Authorization: Bearer {token}",
        "-H", "Content-Type: application/json",
        "-d", '{"title": "Published by a backend service", "status": "publish"}',
    )  # fmt: skip
    author = demo.site.site.php("echo get_the_author_meta('login', get_post($id)->post_author);", id=post.get("id", 0))
    _expect(author == SERVICE_USER.login, f"in WordPress, the author of post {post.get('id')} is {SERVICE_USER.login}")


def _be_refused(demo: Demo, token: str) -> None:
    _title("Both locks: a request must match the allowlist and WordPress's permissions")
    bearer = ("-H", f"Authorization: Bearer {token}")
    refused = demo.curl("-X", "DELETE", f"{demo.url}/wp-json/wp/v2/posts/1", *bearer)
    _expect(refused.get("code") == "app_connect_forbidden_request", "the gateway refuses what no rule allows")
    title = demo.site.site.php("echo get_post(1)->post_title;")
    _expect(title == "Hello world!", "in WordPress, the post is still there")
    refused = demo.curl(f"{demo.url}/wp-json/wp/v2/settings", *bearer)
    _expect(refused.get("code") == "rest_forbidden", "WordPress refuses what its user may not do, rule or no rule")


def _serve(demo: Demo, running: ExitStack) -> None:
    print(f"{DIM}$ {PLAIN}{BOLD}app-connect serve &{PLAIN}")
    print(_indented(_start(demo, running, ready=f"{demo.url}/app-connect/readyz")))


def _start(demo: Demo, running: ExitStack, *, ready: str) -> str:
    """Serve until the demo ends; what `serve` says once `ready` answers."""
    log = (demo.folder / "serve.log").open("w")
    process = subprocess.Popen(
        [COMMAND, "serve"], cwd=demo.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )

    def stop() -> None:
        process.terminate()
        process.wait(timeout=30)
        log.close()

    running.callback(stop)
    deadline = time.monotonic() + READY_SECONDS
    while subprocess.run(["curl", "-sf", ready], capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise StepFailed((demo.folder / "serve.log").read_text())
        time.sleep(0.05)
    return (demo.folder / "serve.log").read_text().rstrip()


def _stay_up(demo: Demo, running: ExitStack) -> None:
    fresh = Demo(demo.site, FOLDER / "fresh-gateway", free_port())
    fresh.folder.mkdir()
    subprocess.run(
        [COMMAND, "init", "--public-url", fresh.url, "--port", str(fresh.port)],
        cwd=fresh.folder,
        check=True,
        capture_output=True,
    )
    link = _start(fresh, running, ready=f"{fresh.url}/app-connect/healthz").splitlines()[-1].strip()
    _title(
        "Your turn, in a browser: from nothing to a client of your own, with a second gateway that knows no site yet"
    )
    print(f"  1. Open     {link}")
    print(f"  2. Connect  {demo.site.url}")
    print(f"  3. Approve  in WordPress, as {ADMIN.login} with the password: {ADMIN.password}")
    _title("Still up, until Ctrl-C")
    print(f"  WordPress   {demo.site.url}/wp-admin/")
    print(f"  Gateway     {demo.url}, its console {demo.url}/app-connect/")
    print(f"  Commands    cd {os.path.relpath(demo.folder)} && {os.path.relpath(COMMAND, demo.folder)} clients list")
    sys.stdout.flush()
    signal.pause()


# -- showing ----------------------------------------------------------------------------------------------------------


def _title(text: str) -> None:
    print(f"\n{BOLD}== {text}{PLAIN}")


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise StepFailed(f"Expected: {what}.")
    print(f"  {GREEN}✓{PLAIN} {what}")


def _as_typed(command: Sequence[str]) -> str:
    """The command as a person would type it: on one line while it is short, else an option a line."""
    line = " ".join(map(_quoted, command))
    if len(line) < _COLUMNS:
        return line
    first, *options = line.split(" -")
    begin = f"{first} -{options.pop(0)}" if first == "curl" else first
    return " \\\n    -".join([begin, *options])


def _quoted(word: str) -> str:
    if shlex.quote(word) == word:
        return word
    return shlex.quote(word) if '"' in word or "$" in word else f'"{word}"'


def _without_token(word: str) -> str:
    """A token of six hundred characters would hide the command that it stands in."""
    return f"{word[:_SHOWN]}…" if word.startswith("Authorization: Bearer ") else word


def _shortened(answer: Any) -> str:
    if isinstance(answer, dict) and "access_token" in answer:
        answer = {**answer, "access_token": f"{answer['access_token'][:_SHOWN]}…"}
    return json.dumps(answer, indent=2, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


def _word_after(label: str, output: str) -> str:
    return next(line.removeprefix(label).split()[0] for line in output.splitlines() if line.startswith(label + " "))


main()
