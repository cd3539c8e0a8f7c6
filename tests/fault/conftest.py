"""A WordPress that can be held at any REST request, and gateways connected to it, each test with its own copy."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import ADMIN, NewUser, Site, create_application_password, create_users, keep, reset
from tests.gateways import Gateway, eventually, free_port, initialize

CAST = (NewUser("author", "author"), NewUser("editor", "editor"))

GATE = """<?php
function stop_at_gate($moment, $request) {
    $gate = WP_CONTENT_DIR . '/gate.json';
    $closed = is_file($gate) ? json_decode(file_get_contents($gate)) : null;
    if ($closed && $closed->moment === $moment && $closed->method === $request->get_method()
            && preg_match("~$closed->route~", $request->get_route())) {
        register_shutdown_function(fn() => touch(WP_CONTENT_DIR . '/gate-left'));
        touch(WP_CONTENT_DIR . '/gate-reached');
        for ($polls = 0; is_file($gate) && $polls < 6000; $polls++) {
            usleep(10000);
            clearstatcache();
        }
    }
}
add_filter('rest_pre_dispatch', function ($result, $server, $request) {
    stop_at_gate('before', $request);
    return $result;
}, 10, 3);
add_filter('rest_post_dispatch', function ($response, $server, $request) {
    stop_at_gate('after', $request);
    return $response;
}, 10, 3);
"""

_EXISTING = """
$found = [];
foreach (get_users(['fields' => 'ID']) as $id) {
    foreach (WP_Application_Passwords::get_user_application_passwords($id) as $one) {
        $found[] = [(int) $id, $one['uuid']];
    }
}
echo json_encode($found);
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in WordPress's work: before it begins with a request, or after it is done but has not answered."""

    when: Literal["before", "after"]
    method: str
    route: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Holds WordPress at a moment until it is opened."""

    site: Site

    def close(self, moment: Moment) -> None:
        self._file("gate-reached").unlink(missing_ok=True)
        self._file("gate-left").unlink(missing_ok=True)
        content = {"moment": moment.when, "method": moment.method, "route": moment.route}
        self._file("gate.json").write_text(json.dumps(content))

    def wait_until_reached(self) -> None:
        """Return when WordPress stands at the gate."""
        eventually(self._file("gate-reached").exists)

    def lift(self) -> None:
        """Hold nobody any more."""
        self._file("gate.json").unlink(missing_ok=True)

    def open(self) -> None:
        """Let WordPress go on, and return when it has ended that request."""
        self.lift()
        eventually(lambda: not self._file("gate-reached").exists() or self._file("gate-left").exists())

    def _file(self, name: str) -> Path:
        return self.site.content / name


@dataclass(frozen=True, slots=True)
class Ground:
    """A WordPress, a gateway connected to it, and what both know of application passwords."""

    site: Site
    gateway: Gateway
    gate: Gate

    @property
    def existing(self) -> set[tuple[int, str | None, str]]:
        """The application passwords that WordPress has, as they should be known."""
        return {(user_id, uuid, "in_use") for user_id, uuid in json.loads(self.site.php(_EXISTING))}

    @property
    def known(self) -> set[tuple[int, str | None, str]]:
        """The application passwords that the database knows."""
        passwords = self.gateway.context.store.application_passwords()
        return {(one.user_id, one.uuid, one.state.value) for one in passwords}

    @property
    def clients(self) -> list[tuple[str, str]]:
        """The clients with their service users, as the database has them."""
        snapshot = self.gateway.context.store.snapshot(now=0)
        return [
            (client.name, snapshot.current_policy(client).service_user.login) for client in snapshot.clients.values()
        ]


@pytest.fixture(scope="session")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """WordPress with a gate, and a gateway's folder connected to it in `connected`."""
    site = create_site(tmp_path_factory.mktemp("site") / "site", Release.V6_7_ALPHA, plugins={"gate.php": GATE})
    create_users(site, *CAST)
    with nginx_fpm(site) as running:
        yield running


@pytest.fixture(scope="session")
def connected(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A connected gateway without clients, to be copied; the site is kept as it is then."""
    return connect(running_site, tmp_path_factory.mktemp("connected"))


@pytest.fixture
def ground(running_site: RunningSite, connected: Gateway, tmp_path: Path) -> Iterator[Ground]:
    """The site as it was when it was connected, and a copy of the gateway."""
    reset(running_site.site)
    copied = copy_of(connected, running_site.site, tmp_path / "gateway")
    yield copied
    copied.gate.lift()


def connect(running: RunningSite, folder: Path) -> Gateway:
    """Initialize a gateway and connect it to a site; keep the site in this state."""
    gateway = initialize(folder)
    password = create_application_password(running.site, ADMIN)
    gateway.connect(running.url, password.login, password.password)
    keep(running.site)
    return gateway


def copy_of(gateway: Gateway, site: Site, folder: Path) -> Ground:
    """A copy of a connected gateway, with an address of its own."""
    shutil.copytree(gateway.folder, folder)
    settings, port = folder / "app-connect.toml", free_port()
    settings.write_text(settings.read_text().replace(gateway.url.rpartition(":")[2], str(port)))
    return Ground(site, Gateway(folder, f"http://127.0.0.1:{port}"), Gate(site))
