"""A gateway's folder for the bench: initialized, connected to the stand-in, with one client and a usual allowlist."""

import base64
import http.client
import json
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from appconnect.control_plane import clock, open_store
from appconnect.core.clients import Client, ClientSecretHash, GrantType, hash_secret
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches
from appconnect.core.tokens import Claims, issue
from appconnect.ports import ApplicationPassword, PasswordState
from appconnect.settings import Settings, load
from bench.measuring import NotMeasured
from bench.peers.upstream import USER
from demo.wordpress.servers import free_port

COMMAND: Final = Path(sys.executable).with_name("app-connect")
RULES: Final = (
    *(f"{method} /wp-json/wp/v2/posts" for method in ("GET", "POST")),
    *(f"{method} /wp-json/wp/v2/posts/*" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    *(f"{method} /wp-json/wp/v2/pages" for method in ("GET", "POST")),
    *(f"{method} /wp-json/wp/v2/pages/*" for method in ("GET", "PUT", "DELETE")),
    *(f"{method} /wp-json/wp/v2/media" for method in ("GET", "POST")),
    *(f"{method} /wp-json/wp/v2/media/*" for method in ("GET", "DELETE")),
    *(f"{method} /wp-json/wp/v2/blocks" for method in ("GET", "POST")),
    *(f"GET /wp-json/wp/v2/{name}" for name in ("categories", "tags")),
)
"""Twenty rules, as many as a client with an editor's work has."""

TOKEN_PATH: Final = "/wp-json/app-connect/v1/token"  # noqa: S105 - an address
CLIENT_ID: Final = "ac_bench"
CLIENT_SECRET: Final = "acs_secret-of-the-bench"  # noqa: S105 - of a database that lives as long as the bench
SITE_URL: Final = "https://wordpress.example"
MAX_IN_FLIGHT: Final = 1000
"""So that one client's connections, not its turns, are what is measured."""


@dataclass(frozen=True)
class Deployment:
    """A gateway that can be served, and what its client knows."""

    folder: Path
    url: str

    @property
    def settings_file(self) -> Path:
        """Its settings."""
        return self.folder / "app-connect.toml"

    @property
    def settings(self) -> Settings:
        """Its settings, read."""
        return load(self.settings_file)

    @cached_property
    def token(self) -> str:
        """An access token for the client, as the token endpoint would issue it."""
        snapshot, now = open_store(self.settings).snapshot(now=clock()), clock()
        policy_hash = snapshot.clients[CLIENT_ID].policy_hash
        times = now, now + snapshot.switches.token_lifetime_seconds
        claims = Claims(snapshot.issuer, snapshot.audience, USER.login, CLIENT_ID, "bench", *times, policy_hash)
        return issue(claims, snapshot.key_ring)

    def token_of(self, client_id: str, client_secret: str) -> str:
        """An access token from the token endpoint, while the gateway is served.

        Raises:
            NotMeasured: There is none.

        """
        parts = urlsplit(self.url)
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
            connection.request("POST", TOKEN_PATH, "grant_type=client_credentials", headers)
            content = json.load(connection.getresponse())
        if "access_token" not in content:
            raise NotMeasured(f"The token endpoint answered {content}")
        return str(content["access_token"])

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run `app-connect` in its folder.

        Raises:
            NotMeasured: It failed.

        """
        ran = subprocess.run(
            [COMMAND, *arguments], cwd=self.folder, input=stdin, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            raise NotMeasured(f"app-connect {' '.join(arguments)}: {ran.stderr}")
        return ran.stdout


def initialize(folder: Path, **settings: str | float) -> Deployment:
    """`app-connect init` on a free port, with more settings."""
    port = free_port()
    deployment = Deployment(folder, f"http://127.0.0.1:{port}")
    deployment.command("init", "--public-url", deployment.url, "--port", str(port))
    with deployment.settings_file.open("a") as file:
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return deployment


def deploy(folder: Path, upstream_url: str) -> Deployment:
    """A gateway before the stand-in: what `connect` and `clients add` would write, for it answers no such questions."""
    deployment = initialize(folder, max_in_flight_per_client=MAX_IN_FLIGHT)
    policy = Policy(CLIENT_ID, USER, AccessMode.RESTRICTED, tuple(map(RouteRule.parse, RULES)))
    secret = ClientSecretHash(hash_secret(CLIENT_SECRET), clock())
    client = Client(CLIENT_ID, "Bench", frozenset(GrantType), True, (secret,), policy.hash, clock())
    with open_store(deployment.settings).transaction() as transaction:
        transaction.save_site(SiteAddress(SITE_URL, upstream_url, has_pretty_permalinks=True))
        transaction.save_switches(SiteSwitches(True, frozenset(GrantType), 24 * 3600))
        transaction.save_application_password(_password("admin", 1, None))
        transaction.save_client(client, policy, now=clock())
        transaction.save_application_password(_password(USER.login, USER.id, CLIENT_ID))
    return deployment


def _password(login: str, user_id: int, client_id: str | None) -> ApplicationPassword:
    name, secret = f"of-{login}", Secret("abcd efgh ijkl mnop qrst uvwx")
    return ApplicationPassword(name, user_id, login, client_id, PasswordState.IN_USE, name, secret)
