"""No application password is orphaned in WordPress, whenever a command is killed and whenever WordPress is away."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from appconnect.control import clients
from appconnect.control.clients import Draft
from appconnect.control.credentials import check_credential
from appconnect.ports import Health
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import nginx_fpm
from demo.wordpress.site import Site, create_users, reset
from tests.fault.conftest import CAST, GATE, Ground, Moment, connect, copy_of
from tests.gateways import COMMAND, Gateway, clean_environment, eventually

RULE = "GET /wp-json/wp/v2/posts"
ADD = ("clients", "add", "--name", "Killed", "--user", "author", "--allow", RULE)

LOOKED_UP = Moment("before", "GET", "^/wp/v2/users$")
NOT_YET_MADE = Moment("before", "POST", "application-passwords$")
MADE = Moment("after", "POST", "application-passwords$")
TRIED = Moment("before", "GET", "^/wp/v2/users/me$")
NOT_YET_REMOVED = Moment("before", "DELETE", "application-passwords/")
REMOVED = Moment("after", "DELETE", "application-passwords/")


@contextmanager
def started(gateway: Gateway, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command at work, killed at the latest when the block ends."""
    with subprocess.Popen(
        [COMMAND, *arguments],
        cwd=gateway.folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_at(ground: Ground, moment: Moment, *arguments: str) -> None:
    """Run a command, kill it while WordPress stands at `moment`, then let WordPress finish."""
    ground.gate.close(moment)
    with started(ground.gateway, *arguments) as process:
        ground.gate.wait_until_reached()
        process.kill()
        assert process.wait(timeout=10) == -signal.SIGKILL
    ground.gate.open()


def run_next_command(ground: Ground) -> None:
    """Any command will do: each begins with what an earlier one left."""
    ground.gateway.command("clients", "list")


def has_client(ground: Ground, user: str = "author") -> str:
    saved = clients.add_client(ground.gateway.context, Draft(name="Backend", user=user, allow=(RULE,)))
    return saved.client.id


# -- killed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [LOOKED_UP, NOT_YET_MADE, MADE, TRIED],
    ids=["the user is looked up", "the password is not made yet", "the password is made", "the password is tried"],
)
def test_adding_a_client_killed_while(moment, ground):
    kill_at(ground, moment, *ADD)

    run_next_command(ground)

    assert ground.known == ground.existing
    assert ground.clients == []


def test_adding_a_client_killed_after_it_is_stored_is_done(ground):
    context = ground.gateway.context
    with started(ground.gateway, *ADD) as process:
        eventually(lambda: context.store.snapshot(now=0).clients)
        process.kill()

    run_next_command(ground)

    assert ground.known == ground.existing
    assert ground.clients == [("Killed", "author")]
    assert [check_credential(context, id_) for id_ in context.store.snapshot(now=0).clients] == [Health.HEALTHY]


def test_a_password_that_wordpress_makes_only_after_the_next_command_is_removed_all_the_same(ground):
    """A slow WordPress: the command was killed, the next one found nothing yet, and only then the password is made."""
    ground.gate.close(NOT_YET_MADE)
    with started(ground.gateway, *ADD) as process:
        ground.gate.wait_until_reached()
        process.kill()
    run_next_command(ground)
    ground.gate.open()

    run_next_command(ground)

    assert ground.known == ground.existing


@pytest.mark.parametrize(
    "moment",
    [NOT_YET_MADE, MADE, TRIED],
    ids=["the new password is not made yet", "the new password is made", "the new password is tried"],
)
def test_changing_the_user_is_undone_when_killed_while(moment, ground):
    client_id = has_client(ground)

    kill_at(ground, moment, "clients", "edit", client_id, "--user", "editor")
    run_next_command(ground)

    assert ground.known == ground.existing
    assert ground.clients == [("Backend", "author")]
    assert check_credential(ground.gateway.context, client_id) is Health.HEALTHY


@pytest.mark.parametrize(
    "moment",
    [NOT_YET_REMOVED, REMOVED],
    ids=["the former password is not removed yet", "the former password is removed"],
)
def test_changing_the_user_is_finished_when_killed_while(moment, ground):
    client_id = has_client(ground)

    kill_at(ground, moment, "clients", "edit", client_id, "--user", "editor")
    run_next_command(ground)

    assert ground.known == ground.existing
    assert ground.clients == [("Backend", "editor")]
    assert check_credential(ground.gateway.context, client_id) is Health.HEALTHY


@pytest.mark.parametrize(
    "moment", [NOT_YET_REMOVED, REMOVED], ids=["the password is not removed yet", "the password is removed"]
)
def test_deleting_is_finished_when_killed_while(moment, ground):
    client_id = has_client(ground)

    kill_at(ground, moment, "clients", "delete", client_id, "--yes")
    run_next_command(ground)

    assert ground.known == ground.existing
    assert ground.clients == []


# -- at the same time -------------------------------------------------------------------------------------------------


def test_two_that_add_at_the_same_time_both_add(ground):
    with (
        started(ground.gateway, "clients", "add", "--name", "One", "--user", "author") as one,
        started(ground.gateway, "clients", "add", "--name", "Two", "--user", "author") as two,
    ):
        assert (one.wait(timeout=60), two.wait(timeout=60)) == (0, 0)

    assert sorted(ground.clients) == [("One", "author"), ("Two", "author")]
    assert ground.known == ground.existing


def test_of_two_that_add_the_same_name_at_the_same_time_one_is_refused(ground):
    with started(ground.gateway, *ADD) as one, started(ground.gateway, *ADD) as two:
        assert sorted((one.wait(timeout=60), two.wait(timeout=60))) == [0, 1]

    assert ground.clients == [("Killed", "author")]
    assert ground.known == ground.existing


def test_one_that_waits_goes_on_when_the_other_is_killed(ground):
    ground.gate.close(MADE)
    with started(ground.gateway, *ADD) as killed:
        ground.gate.wait_until_reached()
        with started(ground.gateway, "clients", "add", "--name", "Waiting", "--user", "author") as waiting:
            killed.kill()
            ground.gate.open()
            assert waiting.wait(timeout=60) == 0

    assert ground.clients == [("Waiting", "author")]
    assert ground.known == ground.existing


# -- WordPress away ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """A site that is not running, its port, and a gateway that was connected to it while it was."""

    site: Site
    port: int
    gateway: Gateway


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Template:
    site = create_site(tmp_path_factory.mktemp("away") / "site", Release.V6_7_ALPHA, plugins={"gate.php": GATE})
    create_users(site, *CAST)
    with nginx_fpm(site) as running:
        gateway = connect(running, tmp_path_factory.mktemp("gateway"))
    return Template(site, int(running.url.rpartition(":")[2]), gateway)


@pytest.fixture
def away(template, tmp_path) -> Ground:
    """WordPress does not answer, until `back`."""
    reset(template.site)
    return copy_of(template.gateway, template.site, tmp_path / "gateway")


@contextmanager
def back(template: Template) -> Iterator[None]:
    """WordPress answers until the block ends."""
    with nginx_fpm(template.site, port=template.port):
        yield


def test_deleting_while_wordpress_is_away_counts_at_once_and_is_finished_later(template, away):
    with back(template):
        client_id = has_client(away)

    ran = away.gateway.command("clients", "delete", client_id, "--yes")

    assert away.clients == []
    assert "The next command tries again" in ran.stderr
    with back(template):
        run_next_command(away)
    assert away.known == away.existing


def test_commands_work_while_something_of_an_absent_wordpress_is_unfinished(template, away):
    with back(template):
        client_id = has_client(away)
    away.gateway.command("clients", "delete", client_id, "--yes")

    ran = away.gateway.command("settings", "api", "disable")

    assert "disabled" in ran.stdout
    assert "could not be removed from WordPress yet" in ran.stderr


def test_adding_while_wordpress_is_away_leaves_nothing(away):
    ran = away.gateway.command(*ADD, check=False)

    assert ran.returncode == 1
    assert "Nothing accepts connections" in ran.stderr
    assert away.clients == []
    assert away.known == away.existing


def test_changing_the_user_while_wordpress_is_away_changes_nothing(template, away):
    with back(template):
        client_id = has_client(away)

    ran = away.gateway.command("clients", "edit", client_id, "--user", "editor", check=False)

    assert ran.returncode == 1
    assert away.clients == [("Backend", "author")]
    assert away.known == away.existing


def test_a_wordpress_that_dies_when_it_has_made_a_password_is_cleaned_when_it_is_back(template, away):
    away.gate.close(MADE)
    with ExitStack() as until_it_dies:
        until_it_dies.enter_context(back(template))
        with started(away.gateway, *ADD) as adding:
            away.gate.wait_until_reached()
            until_it_dies.close()
            assert adding.wait(timeout=60) == 1
    away.gate.lift()

    with back(template):
        run_next_command(away)

    assert away.clients == []
    assert away.known == away.existing
