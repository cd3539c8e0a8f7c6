"""What the questions are asked of: a WordPress, a gateway before it, and a client with one rule."""

import http.client
import json
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlencode, urlsplit

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, free_port, nginx_fpm
from demo.wordpress.site import ADMIN, NewUser, create_application_password, create_users

COMMAND = Path(sys.executable).with_name("app-connect")
READY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """Where something answers, and the `Authorization` to show there."""

    host: str
    port: int
    authorization: str

    @classmethod
    def at(cls, url: str, authorization: str) -> Self:
        """From an address."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80, authorization)


@dataclass(frozen=True, slots=True)
class Setting:
    """The running servers, and how to call each."""

    site: RunningSite
    gateway_folder: Path
    gateway_pid: int
    direct: Server
    through_gateway: Server
    token_endpoint: Server


class Connection:
    """One keep-alive connection that is timed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._http = http.client.HTTPConnection(server.host, server.port, timeout=60)

    def seconds(self, method: str, path: str, body: str | None = None) -> float:
        """How long one request takes until its answer has been read; the answer must be a success."""
        headers = {"Authorization": self._server.authorization}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        content = answer.read()
        ended = time.perf_counter()
        assert answer.status == 200, (answer.status, content[:500])
        return ended - began


def set_up(folder: Path, running: ExitStack) -> Setting:
    """Start everything; stopped when `running` is left."""
    files = create_site(folder / "site", Release.V6_7_ALPHA, say=print)
    author = create_users(files, NewUser("author"))[0]
    site = running.enter_context(nginx_fpm(files))
    gateway, port = folder / "gateway", free_port()
    gateway.mkdir()
    url = f"http://127.0.0.1:{port}"
    _command(gateway, "init", "--public-url", url, "--port", str(port))
    with (gateway / "app-connect.toml").open("a") as settings:
        settings.write('log_level = "warning"\n')
    password = create_application_password(files, ADMIN).password
    _command(gateway, "connect", site.url, "--username", "admin", "--password-file", "-", stdin=password)
    _command(gateway, "settings", "grant-types", "enable", "client-credentials")
    rule = ("--allow", "GET /wp-json/wp/v2/posts")
    client = json.loads(_command(gateway, "clients", "add", "--name", "Bench", "--user", "author", *rule, "--json"))
    pid = _serve(gateway, url, running)
    endpoint = Server.at(url, _basic(client["client_id"], client["client_secret"]))
    own = create_application_password(files, author)
    return Setting(
        site=site,
        gateway_folder=gateway,
        gateway_pid=pid,
        direct=Server.at(site.url, _basic(own.login, own.password)),
        through_gateway=Server.at(url, f"Bearer {_token(endpoint)}"),
        token_endpoint=endpoint,
    )


def alternating(first: Connection, second: Connection, path: str, *, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of `rounds` requests on each, turn by turn, after a warm-up; the order changes each round."""
    for connection in (first, second) * 5:
        connection.seconds("GET", path)
    one: list[float] = []
    other: list[float] = []
    for at in range(rounds):
        pairs = [(first, one), (second, other)]
        for connection, seconds in pairs if at % 2 else reversed(pairs):
            seconds.append(connection.seconds("GET", path))
    return one, other


def summary(seconds: Sequence[float]) -> str:
    """Median and spread in milliseconds."""
    low, _, high = statistics.quantiles(seconds, n=4)
    return f"{1000 * statistics.median(seconds):8.2f} ms  (quartiles {1000 * low:.2f} to {1000 * high:.2f})"


def _command(folder: Path, *arguments: str, stdin: str = "") -> str:
    ran = subprocess.run(
        [COMMAND, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    if ran.returncode != 0:
        sys.exit(f"app-connect {' '.join(arguments)}: {ran.stderr}")
    return ran.stdout


def _serve(folder: Path, url: str, running: ExitStack) -> int:
    log = running.enter_context((folder / "serve.log").open("w"))
    process = subprocess.Popen([COMMAND, "serve"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop() -> None:
        process.terminate()
        process.wait(timeout=30)

    running.callback(stop)
    wait_until_ready(url)
    return process.pid


def wait_until_ready(url: str) -> None:
    """Return when the gateway answers its health check."""
    parts, deadline = urlsplit(url), time.monotonic() + READY_SECONDS
    while True:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", "/app-connect/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        finally:
            connection.close()


def _token(endpoint: Server) -> str:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=60)
    headers = {"Authorization": endpoint.authorization, "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"grant_type": "client_credentials"})
    connection.request("POST", "/wp-json/app-connect/v1/token", body, headers)
    return str(json.load(connection.getresponse())["access_token"])


def _basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()
