"""A real gateway on loopback for tests: a folder made by `app-connect init`, the command line, and the server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from appconnect.control import clients, setup, switches
from appconnect.control.context import Context
from appconnect.control_plane import control_context, open_store
from appconnect.core.clients import GrantType
from appconnect.core.secret import Secret
from appconnect.settings import Settings, load

COMMAND = Path(sys.executable).with_name("app-connect")
READY_SECONDS = 30.0
DEADLINE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as its developer knows it."""

    client_id: str
    client_secret: str

    @property
    def basic(self) -> tuple[str, str]:
        return self.client_id, self.client_secret


@dataclass(frozen=True, slots=True)
class Gateway:
    """An initialized gateway in `folder`; it answers at `url` while it is served."""

    folder: Path
    url: str

    @property
    def settings(self) -> Settings:
        return load(self.folder / "app-connect.toml")

    @property
    def context(self) -> Context:
        """The control plane, as the command line would use it."""
        settings = self.settings
        return control_context(settings, open_store(settings), actor="test")

    @property
    def token_url(self) -> str:
        return f"{self.url}/wp-json/app-connect/v1/token"

    def command(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `app-connect` in the gateway's folder."""
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=clean_environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def json(self, *arguments: str) -> Any:
        """Run `app-connect … --json` and read what it prints."""
        return json.loads(self.command(*arguments, "--json").stdout)

    def connect(self, site_url: str, login: str, password: str, *, upstream: str | None = None) -> None:
        """Connect a site and enable Client Credentials, as the first steps of the guide do."""
        description = setup.look_at_site(self.context, site_url, upstream)
        setup.connect(self.context, description, login, Secret(password), was_made_for_us=False)
        switches.set_grant_type(self.context, GrantType.CLIENT_CREDENTIALS, is_enabled=True)

    def add_client(self, name: str, user: str, *rules: str, **draft: Any) -> Registered:
        """Register a client with an allowlist."""
        saved = clients.add_client(self.context, clients.Draft(name=name, user=user, allow=rules, **draft))
        assert saved.secret is not None
        self.catch_up()
        return Registered(saved.client.id, saved.secret.reveal())

    def catch_up(self) -> None:
        """Return when the running server (of one worker) knows what was changed in process."""
        revision = self.context.store.revision()
        eventually(lambda: httpx.get(f"{self.url}/app-connect/readyz").json()["revision"] >= revision)

    def token(self, client: Registered) -> str:
        """An access token, from the running server."""
        answer = httpx.post(self.token_url, auth=client.basic, data={"grant_type": "client_credentials"}, verify=True)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def bearer(self, client: Registered) -> dict[str, str]:
        """The header that a backend service sends."""
        return {"Authorization": f"Bearer {self.token(client)}"}

    def log(self) -> str:
        """What the server has written."""
        file = self.folder / "serve.log"
        return file.read_text() if file.exists() else ""


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without settings of ours and without colors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("APP_CONNECT_")}
    # `connect` opens a browser where there is one; here somebody else is to be the administrator.
    return {**kept, "NO_COLOR": "1", "COLUMNS": "200", "BROWSER": "true", **extra}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def initialize(folder: Path, **settings: str | float) -> Gateway:
    """Make a gateway with `app-connect init`, with more settings appended to its file."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    gateway = Gateway(folder, url)
    folder.mkdir(parents=True, exist_ok=True)
    gateway.command("init", "--public-url", url, "--port", str(port))
    with (folder / "app-connect.toml").open("a") as file:
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return gateway


@contextmanager
def serving(gateway: Gateway, *, workers: int = 1) -> Iterator[Gateway]:
    """Run `app-connect serve` until the block ends."""
    with (gateway.folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", "--workers", str(workers)],
            cwd=gateway.folder,
            env=clean_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _answers(gateway, process), within_seconds=READY_SECONDS)
            yield gateway
        finally:
            process.terminate()
            process.wait(timeout=30)


def eventually(check: Any, *, within_seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until `check` is true; fail when it does not become so in a generous time."""
    deadline = time.monotonic() + within_seconds
    while not check():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def _answers(gateway: Gateway, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, gateway.log()
    if "listens on" not in gateway.log():
        return False  # whoever answers at this address now is another one
    try:
        return httpx.get(f"{gateway.url}/app-connect/healthz").status_code == 200
    except httpx.TransportError:
        return False
