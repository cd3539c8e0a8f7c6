"""Two worker processes behind one address: a change counts on each within a second, and neither needs the database.

A worker is asked alone by stopping the other; both accept from one listening socket.
"""

import http.client
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from appconnect.control import clients, switches
from appconnect.control.clients import Draft
from appconnect.control.context import Context
from appconnect.core.clients import GrantType
from demo.wordpress.servers import RunningSite
from tests.fault.conftest import copy_of
from tests.gateways import Gateway, Registered, eventually, serving

LISTED = "GET /wp-json/wp/v2/posts"
POSTS, ME, READY = "/wp-json/wp/v2/posts", "/wp-json/wp/v2/users/me", "/app-connect/readyz"
TOKEN, REVOKE = "/wp-json/app-connect/v1/token", "/wp-json/app-connect/v1/revoke"
GRANT = {"grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CONNECTIONS = 40


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A backend service, each of whose requests goes over a connection of its own."""

    gateway: Gateway
    client: Registered
    token: str

    def get(self, path: str = POSTS) -> int:
        headers = {"Authorization": f"Bearer {self.token}"}
        return fresh(self.gateway, "GET", path, headers).status

    def post(self, path: str, **form: str) -> Answer:
        credentials = {"client_id": self.client.client_id, "client_secret": self.client.client_secret}
        return fresh(self.gateway, "POST", path, FORM, urlencode({**credentials, **form}))

    def request_token(self) -> int:
        return self.post(TOKEN, **GRANT).status

    def with_new_token(self) -> "Asking":
        return Asking(self.gateway, self.client, json.loads(self.post(TOKEN, **GRANT).content)["access_token"])


def fresh(
    gateway: Gateway, method: str, path: str, headers: dict[str, str], body: str = "", *, timeout_seconds: float = 30
) -> Answer:
    """One request over a new connection, which any worker may accept."""
    netloc = urlsplit(gateway.url).netloc
    with closing(http.client.HTTPConnection(netloc, timeout=timeout_seconds)) as connection:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode())


def workers(gateway: Gateway) -> list[int]:
    """The worker processes of a gateway: in its folder, started by `multiprocessing`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            is_here = (process / "cwd").readlink() == gateway.folder
            if is_here and b"spawn_main" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return sorted(found)


@contextmanager
def only(worker: int, gateway: Gateway) -> Iterator[None]:
    """Stop the other workers until the block ends; their supervisor takes five seconds to miss them."""
    others = [other for other in workers(gateway) if other != worker]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def on_each_worker(gateway: Gateway, ask: Callable[[], int]) -> list[int]:
    """What each worker answers when it is alone."""
    found = []
    for worker in workers(gateway):
        with only(worker, gateway):
            found.append(ask())
    return found


def on_every_connection(status: int, ask: Callable[[], int]) -> bool:
    """Whether this is the answer over forty fresh connections; ends at the first that differs."""
    return all(ask() == status for _ in range(CONNECTIONS))


@contextmanager
def serving_with_two(gateway: Gateway) -> Iterator[None]:
    """Serve until the block ends; begins when both workers answer."""
    with serving(gateway, workers=2):
        eventually(lambda: both_answer(gateway))
        yield


def both_answer(gateway: Gateway) -> bool:
    """Whether there are two workers, and each answers."""
    try:
        answers = on_each_worker(gateway, lambda: fresh(gateway, "GET", READY, {}, timeout_seconds=2).status)
    except OSError:  # too late, or it ended meanwhile
        return False
    return answers == [200, 200]


def backend(gateway: Gateway, name: str, **draft: Any) -> Asking:
    """A new client whom both workers know, with a token."""
    saved = clients.add_client(gateway.context, Draft(name=name, user="author", allow=(LISTED,), **draft))
    revision = gateway.context.store.revision()

    def known() -> int:
        return int(json.loads(fresh(gateway, "GET", READY, {}).content)["revision"])

    eventually(lambda: min(on_each_worker(gateway, known)) >= revision)
    assert saved.secret is not None
    return Asking(gateway, Registered(saved.client.id, saved.secret.reveal()), "").with_new_token()


# -- a change ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(running_site: RunningSite, connected: Gateway, tmp_path_factory) -> Iterator[Gateway]:
    """A gateway with two workers."""
    gateway = copy_of(connected, running_site.site, tmp_path_factory.mktemp("two") / "gateway").gateway
    enable_everything(gateway.context)
    with serving_with_two(gateway):
        yield gateway


@pytest.fixture
def switched(served) -> Iterator[Gateway]:
    """The same, with all switches on again afterwards."""
    yield served
    enable_everything(served.context)


def enable_everything(context: Context) -> None:
    switches.set_api(context, is_enabled=True)
    switches.set_grant_type(context, GrantType.CLIENT_CREDENTIALS, is_enabled=True)


def narrow(context: Context, client_id: str) -> None:
    clients.edit_client(context, client_id, Draft(disallow=(LISTED,)))


def disable(context: Context, client_id: str) -> None:
    clients.set_enabled(context, client_id, is_enabled=False)


def take_its_grant_type(context: Context, client_id: str) -> None:
    clients.edit_client(context, client_id, Draft(grant_types=()))


def change_its_user(context: Context, client_id: str) -> None:
    clients.edit_client(context, client_id, Draft(user="editor"))


def delete(context: Context, client_id: str) -> None:
    clients.delete_client(context, client_id)


@pytest.mark.parametrize(
    ("change", "status"),
    [(narrow, 403), (disable, 401), (take_its_grant_type, 401), (change_its_user, 401), (delete, 401)],
    ids=["a narrower allowlist", "disabled", "without its grant type", "another user", "deleted"],
)
def test_a_change_of_a_client_counts_on_every_worker_within_a_second(change, status, served, request):
    asking = backend(served, request.node.name)
    assert on_each_worker(served, asking.get) == [200, 200]

    change(served.context, asking.client.client_id)

    eventually(lambda: on_every_connection(status, asking.get), within_seconds=1)
    assert on_each_worker(served, asking.get) == [status, status]


def test_a_grant_type_disabled_globally_counts_on_every_worker_within_a_second(switched):
    asking = backend(switched, "Globally disabled")
    assert on_each_worker(switched, asking.get) == [200, 200]

    switches.set_grant_type(switched.context, GrantType.CLIENT_CREDENTIALS, is_enabled=False)

    eventually(lambda: on_every_connection(401, asking.get), within_seconds=1)
    assert on_each_worker(switched, asking.get) == [401, 401]
    assert on_each_worker(switched, asking.request_token) == [400, 400]


def test_the_api_switched_off_counts_on_every_worker_within_a_second(switched):
    asking = backend(switched, "Switched off")
    assert on_each_worker(switched, asking.get) == [200, 200]

    switches.set_api(switched.context, is_enabled=False)

    eventually(lambda: on_every_connection(503, asking.get), within_seconds=1)
    assert on_each_worker(switched, asking.get) == [503, 503]
    assert on_each_worker(switched, asking.request_token) == [503, 503]


def test_a_token_revoked_at_one_worker_is_refused_by_every_worker_within_a_second(served):
    asking = backend(served, "Revoking")
    assert on_each_worker(served, asking.get) == [200, 200]

    assert asking.post(REVOKE, token=asking.token).status == 200

    eventually(lambda: on_every_connection(401, asking.get), within_seconds=1)
    assert on_each_worker(served, asking.get) == [401, 401]


def test_a_revoked_token_leaves_the_clients_other_tokens(served):
    asking = backend(served, "Revoking one")
    other = asking.with_new_token()

    asking.post(REVOKE, token=asking.token)

    eventually(lambda: on_every_connection(401, asking.get), within_seconds=1)
    assert on_each_worker(served, other.get) == [200, 200]


def test_when_a_command_returns_its_change_counts_on_every_worker(served):
    asking = backend(served, "Commanded")

    served.command("clients", "disable", asking.client.client_id)

    assert on_every_connection(401, asking.get)
    assert on_each_worker(served, asking.get) == [401, 401]


def test_a_widened_allowlist_needs_a_new_token(served):
    asking = backend(served, "Widened")

    served.command("clients", "edit", asking.client.client_id, "--allow", "GET /wp-json/wp/v2/users/me")

    newer = asking.with_new_token()
    assert on_each_worker(served, lambda: asking.get(ME)) == [403, 403]
    assert on_each_worker(served, lambda: newer.get(ME)) == [200, 200]


def test_a_worker_that_is_killed_is_replaced_and_requests_keep_working(served):
    asking = backend(served, "Surviving")
    killed, survivor = workers(served)

    os.kill(killed, signal.SIGKILL)

    assert on_every_connection(200, asking.request_token)
    eventually(lambda: both_answer(served))
    assert killed not in workers(served)
    assert survivor in workers(served)
    assert on_each_worker(served, asking.get) == [200, 200]


# -- the database -----------------------------------------------------------------------------------------------------


def database_files(gateway: Gateway, prefix: str = "") -> list[Path]:
    """The database, with its log and the log's index where they are."""
    path = gateway.settings.database_path
    files = [path.with_name(prefix + path.name + ending) for ending in ("", "-wal", "-shm")]
    return [file for file in files if file.exists()]


def overwrite(gateway: Gateway) -> None:
    for file in database_files(gateway):
        file.write_bytes(b"garbage " * (file.stat().st_size // 8))


def move_away(gateway: Gateway) -> None:
    for file in database_files(gateway):
        file.rename(file.with_name(f"away-{file.name}"))


def move_back(gateway: Gateway) -> None:
    for file in database_files(gateway, "away-"):
        file.rename(file.with_name(file.name.removeprefix("away-")))


def wait_until_both_miss_it(gateway: Gateway) -> None:
    eventually(lambda: gateway.log().count("database unavailable") == 2)


@pytest.fixture
def two_workers(running_site: RunningSite, connected: Gateway, tmp_path) -> Iterator[Gateway]:
    """Two workers of a gateway of its own."""
    gateway = copy_of(connected, running_site.site, tmp_path / "gateway").gateway
    enable_everything(gateway.context)
    with serving_with_two(gateway):
        yield gateway


@pytest.fixture(scope="module", params=[overwrite, move_away], ids=["overwritten", "moved away"])
def cut_off(request, running_site: RunningSite, connected: Gateway, tmp_path_factory) -> Iterator[Asking]:
    """A client of a gateway with two workers whose database is gone, which both have noticed."""
    gateway = copy_of(connected, running_site.site, tmp_path_factory.mktemp("cut") / "gateway").gateway
    enable_everything(gateway.context)
    with serving_with_two(gateway):
        asking = backend(gateway, "Cut off")
        request.param(gateway)
        wait_until_both_miss_it(gateway)
        yield asking


def test_without_the_database_each_worker_issues_tokens(cut_off):
    assert on_each_worker(cut_off.gateway, cut_off.request_token) == [200, 200]


def test_without_the_database_each_worker_forwards_what_is_allowed(cut_off):
    newer = cut_off.with_new_token()

    assert on_each_worker(cut_off.gateway, newer.get) == [200, 200]


def test_without_the_database_each_worker_enforces_the_allowlist(cut_off):
    newer = cut_off.with_new_token()

    assert on_each_worker(cut_off.gateway, lambda: newer.get(ME)) == [403, 403]


def test_without_the_database_revoking_a_token_fails_and_says_so(cut_off):
    answer = cut_off.post(REVOKE, token=cut_off.token)

    assert answer.status == 503
    assert "could not be revoked" in json.loads(answer.content)["error_description"]


def test_a_worker_killed_while_the_database_is_away_takes_no_other_with_it(two_workers):
    """Its successor cannot start before the database is back; the one that is left goes on meanwhile."""
    asking = backend(two_workers, "Surviving alone")
    killed, survivor = workers(two_workers)
    move_away(two_workers)
    wait_until_both_miss_it(two_workers)
    complaints = two_workers.log().count("The database cannot be used")

    os.kill(killed, signal.SIGKILL)
    eventually(lambda: two_workers.log().count("The database cannot be used") > complaints)

    assert on_every_connection(200, asking.request_token)
    move_back(two_workers)
    eventually(lambda: both_answer(two_workers))
    assert survivor in workers(two_workers)


def test_a_database_that_comes_back_counts_again(two_workers):
    asking = backend(two_workers, "Back again")
    move_away(two_workers)
    wait_until_both_miss_it(two_workers)

    move_back(two_workers)
    disable(two_workers.context, asking.client.client_id)

    eventually(lambda: on_every_connection(401, asking.get), within_seconds=1)
    assert on_each_worker(two_workers, asking.get) == [401, 401]


def test_without_the_database_a_call_with_a_lost_credential_is_refused_in_wordpress_format(two_workers, running_site):
    """It cannot be replaced then, and the visitor's answer that WordPress gave must not be passed on."""
    asking = backend(two_workers, "Lost")
    move_away(two_workers)
    wait_until_both_miss_it(two_workers)
    running_site.site.php(
        "WP_Application_Passwords::delete_all_application_passwords(get_user_by('login', 'author')->ID);"
    )

    answer = fresh(two_workers, "GET", POSTS, {"Authorization": f"Bearer {asking.token}"})

    assert answer.status == 502
    assert json.loads(answer.content)["code"].startswith("app_connect_upstream_")
