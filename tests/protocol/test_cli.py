"""`app-connect`: what a command says and changes, and how it ends: 0 done, 1 not done, 2 wrong settings or usage.

In process but where the process itself is the matter. Commands that ask WordPress are in `tests/wordpress`.
"""

import io
import json
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from appconnect.cli import commands, opening
from appconnect.control_plane import open_store
from appconnect.core.audit import AuditEventType
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteAddress
from appconnect.settings import example_file, load
from appconnect.store import feed
from appconnect.store.sql_store import SqlStore
from tests.gateways import COMMAND, clean_environment, free_port
from tests.protocol.conftest import BACKEND, ENCRYPTION_KEY, POSTS, SITE_URL, STRANGER

CONNECTED = SiteAddress(SITE_URL, "http://127.0.0.1:9", has_pretty_permalinks=True)  # where nobody answers


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("APP_CONNECT_SETTINGS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(feed, "INTERVAL_SECONDS", 0.0)  # no worker is to be waited for
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `app-connect` in a folder of its own."""

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.argv", ["app-connect", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        monkeypatch.setattr(opening, "_opened", [])  # a process runs one command
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            commands.run()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def store(initialized: Path) -> SqlStore:
    """What `init` has made, with two clients of a connected site put in; WordPress is away."""
    store = open_store(load(initialized / "app-connect.toml"))
    with store.transaction() as transaction:
        transaction.save_site(CONNECTED)
    return store


@pytest.fixture
def initialized(folder: Path, database_template: Path) -> Path:
    shutil.copy(database_template, folder / "app-connect.db")
    (folder / "app-connect.key").write_text(ENCRYPTION_KEY)
    (folder / "app-connect.toml").write_text(example_file({"encryption_key_file": "app-connect.key"}))
    return folder


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def unchanged(store: SqlStore, folder: Path) -> Iterator[None]:
    """Whatever the test does, settings, key and database stay as they are."""
    names = ("app-connect.toml", "app-connect.key")
    before = store.revision(), [(folder / name).read_bytes() for name in names]
    yield
    assert (store.revision(), [(folder / name).read_bytes() for name in names]) == before


# -- help -------------------------------------------------------------------------------------------------------------


def walk(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, *path, name)


TREE = dict(walk(typer.main.get_command(commands.app)))
EVERY_COMMAND = pytest.mark.parametrize("path", TREE, ids=lambda path: path or "app-connect")
EVERY_LEAF = pytest.mark.parametrize(
    "path", [path for path, command in TREE.items() if not hasattr(command, "commands")]
)


@EVERY_COMMAND
def test_help_is_shown(run: Run, path: str):
    ran = run(*path.split(), "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"app-connect {path}".rstrip() in ran.out


@EVERY_COMMAND
def test_every_command_says_what_it_is_for(path: str):
    assert (TREE[path].help or "").endswith(".")


@EVERY_COMMAND
def test_every_option_and_argument_says_what_it_is_for(path: str):
    silent = [parameter.name for parameter in TREE[path].params if not getattr(parameter, "help", None)]
    assert silent == []


@EVERY_LEAF
def test_every_command_has_json(path: str):
    assert any("--json" in parameter.opts for parameter in TREE[path].params)


@pytest.mark.parametrize("path", ["", "clients", "settings", "settings api", "settings grant-types"])
def test_a_group_alone_shows_its_help(run: Run, path: str):
    ran = run(*path.split())
    assert "Usage:" in ran.out + ran.err
    assert ran.status == 2


def test_the_version_is_shown(run: Run):
    assert run("--version").out.startswith("app-connect 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nonsense"], id="an unknown command"),
        pytest.param(["init", "--nonsense"], id="an unknown option"),
        pytest.param(["init", "--port", "many"], id="no number"),
        pytest.param(["init", "--port", "0"], id="a number out of range"),
        pytest.param(["clients", "show"], id="an argument missing"),
        pytest.param(["clients", "show", "a", "b"], id="an argument too many"),
        pytest.param(["settings", "token-lifetime", "long"], id="no number of seconds"),
        pytest.param(["audit", "--limit", "0"], id="no events at all"),
        pytest.param(["serve", "--workers", "0"], id="no worker at all"),
    ],
)
def test_wrong_usage_ends_with_2_and_changes_nothing(run: Run, unchanged: None, arguments: list[str]):
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "Usage: " in ran.err


# -- --json -----------------------------------------------------------------------------------------------------------

WITHOUT_WORDPRESS = [
    ["init"],
    ["audit"],
    ["settings", "show"],
    ["settings", "api", "enable"],
    ["settings", "api", "disable"],
    ["settings", "grant-types", "enable", "client-credentials"],
    ["settings", "grant-types", "disable", "client-credentials"],
    ["settings", "token-lifetime", "600"],
    ["clients", "list"],
    ["clients", "show", BACKEND.id],
    ["clients", "edit", BACKEND.id, "--name", "Backend Service"],
    ["clients", "disable", BACKEND.id],
    ["clients", "enable", BACKEND.id],
    ["clients", "rotate-secret", BACKEND.id],
    ["clients", "revoke-tokens", BACKEND.id],
    ["explain", BACKEND.id, "GET", POSTS, "--no-wordpress"],
    ["activity", "refusals"],
    ["activity", "usage"],
    ["activity", "clients"],
    ["activity", "rules", BACKEND.id],
    ["keys", "list"],
    ["keys", "rotate"],
    ["sessions", "list"],
    ["admin-tokens", "create", "Deployment", "--scope", "clients:read"],
    ["admin-tokens", "list"],
]
EVERY_ONE_WITHOUT_WORDPRESS = pytest.mark.parametrize("arguments", WITHOUT_WORDPRESS, ids=" ".join)


@EVERY_ONE_WITHOUT_WORDPRESS
def test_with_json_it_prints_one_value_and_nothing_else(run: Run, store: SqlStore, arguments: list[str]):
    ran = run(*arguments, "--json")
    assert (ran.status, ran.err) == (0, "")
    assert isinstance(ran.json, dict | list)


@EVERY_ONE_WITHOUT_WORDPRESS
def test_without_json_it_prints_something_for_people(run: Run, store: SqlStore, arguments: list[str]):
    ran = run(*arguments)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.strip()
    assert not ran.out.startswith(("{", "["))


def test_with_json_an_error_is_one_value_on_standard_error(run: Run, unchanged: None):
    ran = run("clients", "show", "nobody", "--json")
    assert (ran.status, ran.out) == (1, "")
    (problem,) = json.loads(ran.err)["error"]["problems"]
    assert problem["problem"] == "There is no client 'nobody'."


def test_with_json_wrong_settings_are_one_value_with_all_of_them(run: Run, folder: Path):
    (folder / "app-connect.toml").write_text("port = 0\ncolor = 1\n")
    ran = run("settings", "show", "--json")
    assert (ran.status, ran.out) == (2, "")
    error = json.loads(ran.err)["error"]
    assert error["kind"] == "settings"
    assert len(error["problems"]) == 3
    assert all(sorted(problem) == ["field", "problem", "remedy"] for problem in error["problems"])


def test_with_json_wrong_usage_is_one_value_too(run: Run, store: SqlStore):
    """A script must not have to tell two kinds of errors apart by their looks."""
    ran = run("settings", "token-lifetime", "long", "--json")
    assert (ran.status, ran.out) == (2, "")
    assert json.loads(ran.err)["error"]["problems"]


# -- init -------------------------------------------------------------------------------------------------------------


def test_init_makes_settings_key_and_database(run: Run, folder: Path):
    ran = run("init", "--public-url", "https://api.example.com", "--port", "8443", "--json")
    assert ran.status == 0
    assert ran.json["made"] == [str(folder / "app-connect.toml"), str(folder / "app-connect.db"), "a signing key"]
    settings = load(folder / "app-connect.toml")
    assert (settings.public_url, settings.port) == ("https://api.example.com", 8443)


def test_nobody_else_can_read_what_init_makes(run: Run, folder: Path):
    run("init")
    modes = {file.stat().st_mode & 0o077 for file in folder.iterdir()}
    assert modes == {0}


def test_init_tells_what_to_back_up_and_what_comes_next(run: Run):
    out = run("init").out
    assert "app-connect.key" in out
    assert "app-connect connect https://" in out


def test_a_second_init_changes_nothing(run: Run, folder: Path):
    run("init")
    before = written(folder)
    ran = run("init", "--json")
    assert (ran.status, ran.json["made"]) == (0, [])
    assert written(folder) == before


def lose_database(folder: Path) -> None:
    for file in folder.glob("app-connect.db*"):
        file.unlink()


def before_the_signing_key(folder: Path) -> None:
    database = sqlite3.connect(folder / "app-connect.db")
    database.executescript("DELETE FROM signing_keys; DELETE FROM audit_events;")
    database.close()


def in_the_middle_of_the_database(folder: Path) -> None:
    lose_database(folder)
    (folder / "app-connect.db").touch()


def before_the_settings(folder: Path) -> None:
    lose_database(folder)
    (folder / "app-connect.toml").unlink()


def in_the_middle_of_the_settings(folder: Path) -> None:
    before_the_settings(folder)
    (folder / "app-connect.toml.partial").write_text("# App Conn")


@pytest.mark.parametrize(
    "undo",
    [
        in_the_middle_of_the_settings,
        before_the_settings,
        lose_database,
        in_the_middle_of_the_database,
        before_the_signing_key,
    ],
)
def test_init_finishes_what_a_killed_one_left(run: Run, folder: Path, undo: Callable[[Path], None]):
    run("init")
    key = (folder / "app-connect.key").read_text()
    undo(folder)
    assert run("init").status == 0
    assert len(open_store(load(folder / "app-connect.toml")).snapshot(now=0).key_ring.keys) == 1
    assert (folder / "app-connect.key").read_text() == key


def test_init_finishes_what_was_killed_while_it_wrote_the_key(run: Run, folder: Path):
    (folder / "app-connect.key.partial").write_text("MDEy")
    assert run("init").status == 0
    assert sorted(name for name in written(folder) if "partial" in name) == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("api.example.com", id="no scheme"),
        pytest.param("ftp://api.example.com", id="another scheme"),
        pytest.param("http://api.example.com", id="http beyond loopback"),
        pytest.param("https://api.example.com/", id="a slash"),
        pytest.param("https://api.example.com/wp-json", id="a path"),
        pytest.param("https://me@api.example.com", id="a user"),
        pytest.param("https://API.example.com", id="capitals"),
        pytest.param("https://", id="no host"),
        pytest.param("https://api.example.com:port", id="a port that is none"),
    ],
)
def test_init_refuses_a_public_address_that_is_none_and_makes_nothing(run: Run, folder: Path, url: str):
    ran = run("init", "--public-url", url)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert ran.err.startswith(f"Error: --public-url: {url!r} cannot be the public address. ")
    assert written(folder) == {}


def test_init_with_another_public_address_than_the_settings_says_so(run: Run, folder: Path):
    """Who gives an option wants it to count: nothing must look done that is not."""
    run("init", "--public-url", "https://api.example.com")
    ran = run("init", "--public-url", "https://other.example.com")
    assert ran.status == 1
    assert "https://api.example.com" in ran.err


def test_init_makes_no_new_key_where_the_old_one_is_missing(run: Run, folder: Path):
    """The database could never be read again."""
    run("init")
    (folder / "app-connect.key").unlink()
    before = written(folder)
    ran = run("init")
    assert ran.status == 2
    assert "Restore that file." in ran.err
    assert written(folder) == before


def test_init_makes_no_new_key_beside_a_database_that_has_another(run: Run, folder: Path):
    """Settings and key are gone, the database is there: a new key would only hide what is missing."""
    run("init")
    (folder / "app-connect.key").unlink()
    (folder / "app-connect.toml").unlink()
    ran = run("init")
    assert ran.status == 1
    assert not (folder / "app-connect.key").exists()


# -- settings files ---------------------------------------------------------------------------------------------------


def test_without_settings_a_command_says_how_to_make_them(run: Run, folder: Path):
    ran = run("clients", "list")
    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)
    assert str(folder / "app-connect.toml") in ran.err
    assert "Run `app-connect init`" in ran.err


def test_the_settings_file_can_be_named(run: Run, folder: Path):
    (folder / "elsewhere").mkdir()
    assert run("--settings", "elsewhere/own.toml", "init").status == 0
    assert run("--settings", "elsewhere/own.toml", "settings", "show").status == 0
    assert run("settings", "show").status == 2


def test_the_settings_file_can_be_named_by_the_environment(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    run("init")
    monkeypatch.setenv("APP_CONNECT_SETTINGS", str(folder / "app-connect.toml"))
    monkeypatch.chdir("/")
    assert run("settings", "show").status == 0


def test_every_wrong_setting_is_told_at_once_with_its_place_and_remedy(run: Run, store: SqlStore, folder: Path):
    with (folder / "app-connect.toml").open("a") as file:
        file.write('host = ""\nlog_level = "loud"\ncolor = "red"\nworkers = 0\n')
    ran = run("serve")
    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 4)
    assert all(line.startswith("Error: ") and str(folder / "app-connect.toml") in line for line in ran.errors)


def test_a_wrong_variable_of_the_environment_is_named(run: Run, store: SqlStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("APP_CONNECT_PORT", "none")
    ran = run("settings", "show")
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert ran.err.startswith("Error: APP_CONNECT_PORT in the environment: is 'none'.")


@pytest.mark.parametrize("command", [["clients", "list"], ["settings", "api", "enable"], ["serve"]], ids=" ".join)
def test_without_a_database_a_command_says_how_to_make_it_and_makes_none(
    run: Run, store: SqlStore, folder: Path, command: list[str]
):
    lose_database(folder)
    ran = run(*command)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "Run `app-connect init`" in ran.err
    assert list(folder.glob("*.db")) == []


def test_a_file_that_is_no_database_is_left_as_it_is(run: Run, store: SqlStore, folder: Path):
    lose_database(folder)
    (folder / "app-connect.db").write_bytes(b"My diary. " * 100)
    ran = run("clients", "list")
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert (folder / "app-connect.db").read_bytes() == b"My diary. " * 100


def test_another_encryption_key_is_told_without_showing_it(run: Run, unchanged_database: None, folder: Path):
    other = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
    (folder / "app-connect.key").write_text(other)
    ran = run("clients", "list")
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "encryption key" in ran.err
    assert other not in ran.err


@pytest.fixture
def unchanged_database(store: SqlStore) -> Iterator[None]:
    before = store.revision()
    yield
    assert store.revision() == before


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_shows_what_the_settings_page_of_the_guide_has(run: Run, store: SqlStore):
    assert run("settings", "show", "--json").json == {
        "api_enabled": True,
        "grant_types": ["client-credentials"],
        "token_lifetime_seconds": 3600,
    }


def test_the_api_can_be_switched_off_and_on(run: Run, store: SqlStore):
    assert run("settings", "api", "disable", "--json").json["api_enabled"] is False
    assert store.snapshot(now=0).switches.is_api_enabled is False
    assert run("settings", "api", "enable", "--json").json["api_enabled"] is True
    assert store.snapshot(now=0).switches.is_api_enabled is True


@pytest.mark.parametrize("name", ["client-credentials", "client_credentials", "Client Credentials"])
def test_a_grant_type_is_enabled_by_its_name_as_people_write_it(run: Run, store: SqlStore, name: str):
    """The guide, step 1."""
    run("settings", "grant-types", "disable", "client-credentials")
    assert run("settings", "grant-types", "enable", name).status == 0
    assert store.snapshot(now=0).switches.grant_types == frozenset(GrantType)


def test_a_grant_type_can_be_disabled(run: Run, store: SqlStore):
    run("settings", "grant-types", "disable", "client-credentials")
    assert store.snapshot(now=0).switches.grant_types == frozenset()


def test_an_unknown_grant_type_is_told_with_those_there_are(run: Run, unchanged: None):
    ran = run("settings", "grant-types", "enable", "password")
    assert (ran.status, ran.out) == (1, "")
    assert ran.errors == ["Error: GRANT_TYPE: 'password' is not a grant type. Choose: client-credentials."]


@pytest.mark.parametrize("seconds", ["60", "86400"])
def test_the_token_lifetime_can_be_changed(run: Run, store: SqlStore, seconds: str):
    assert run("settings", "token-lifetime", seconds).status == 0
    assert store.snapshot(now=0).switches.token_lifetime_seconds == int(seconds)


@pytest.mark.parametrize("seconds", ["0", "59", "86401"])
def test_a_token_lifetime_out_of_range_is_told_with_the_range(run: Run, unchanged: None, seconds: str):
    ran = run("settings", "token-lifetime", seconds)
    assert (ran.status, ran.out) == (1, "")
    assert ran.errors == [f"Error: Token Lifetime: {seconds} is out of range. Choose 60 to 86,400 seconds."]


# -- clients ----------------------------------------------------------------------------------------------------------


def test_a_client_is_shown_with_all_that_the_guide_configures(run: Run, store: SqlStore):
    shown = run("clients", "show", BACKEND.id, "--json").json
    assert (shown["name"], shown["grant_types"], shown["client_type"], shown["access_mode"]) == (
        BACKEND.id,
        ["client-credentials"],
        "confidential",
        "restricted",
    )
    assert shown["client_credentials_user"] == "author"
    assert f"GET {POSTS}" in shown["rest_route_allowlist"]


def test_the_labels_are_those_of_the_guide(run: Run, store: SqlStore):
    out = run("clients", "show", BACKEND.id).out
    labels = ("Name", "Grant Types", "Client Type", "Access Mode", "Client Credentials User", "REST Route Allowlist")
    assert [label for label in labels if label not in out] == []


def test_the_list_has_every_client(run: Run, store: SqlStore):
    assert [one["client_id"] for one in run("clients", "list", "--json").json] == [BACKEND.id, STRANGER.id]


def test_an_empty_list_says_what_a_client_is_and_how_to_add_one(run: Run):
    run("init")
    out = run("clients", "list").out
    assert "No clients yet." in out
    assert "app-connect clients add" in out


def test_a_client_is_found_by_its_name_in_any_case(run: Run, store: SqlStore):
    run("clients", "edit", BACKEND.id, "--name", "Backend Service")
    assert run("clients", "show", "backend service", "--json").json["client_id"] == BACKEND.id


@pytest.mark.parametrize(
    "command", ["show", "edit --name x", "disable", "enable", "delete --yes", "rotate-secret", "revoke-tokens"]
)
def test_an_unknown_client_is_told_with_those_there_are(run: Run, unchanged: None, command: str):
    name, *options = command.split()
    ran = run("clients", name, "nobody", *options)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert ran.err.startswith("Error: CLIENT: There is no client 'nobody'. Clients are: ")
    assert BACKEND.id in ran.err


def test_a_client_is_disabled_and_enabled(run: Run, store: SqlStore):
    run("clients", "disable", BACKEND.id)
    assert store.snapshot(now=0).clients[BACKEND.id].is_enabled is False
    run("clients", "enable", BACKEND.id)
    assert store.snapshot(now=0).clients[BACKEND.id].is_enabled is True


def test_rules_are_added_and_removed(run: Run, store: SqlStore):
    edited = run(
        "clients", "edit", BACKEND.id, "--allow", "GET /wp-json/wp/v2/pages", "--disallow", f"GET {POSTS}", "--json"
    )  # fmt: skip
    rules = edited.json["rest_route_allowlist"]
    assert ("GET /wp-json/wp/v2/pages" in rules, f"GET {POSTS}" in rules) == (True, False)


def test_rules_are_read_from_a_file_with_comments(run: Run, store: SqlStore, folder: Path):
    (folder / "rules.txt").write_text("# pages\nGET /wp-json/wp/v2/pages  # read\n\nPOST /wp-json/wp/v2/pages\n")
    edited = run("clients", "edit", BACKEND.id, "--allow-file", "rules.txt", "--json")
    assert edited.json["rest_route_allowlist"][-2:] == ["GET /wp-json/wp/v2/pages", "POST /wp-json/wp/v2/pages"]


def test_every_mistake_in_an_edit_is_told_at_once(run: Run, unchanged: None):
    ran = run(
        "clients", "edit", BACKEND.id,
        "--name", "", "--grant-types", "password", "--type", "public", "--access-mode", "open", "--allow", "posts",
        "--disallow", "GET /wp-json/none", "--token-lifetime", "5",
    )  # fmt: skip
    assert (ran.status, ran.out) == (1, "")
    assert [line.split(": ")[1] for line in ran.errors] == [
        "Name",
        "Grant Types",
        "Client Type",
        "Access Mode",
        "REST Route Allowlist",
        "--disallow",
        "Token Lifetime",
    ]


def test_a_wrong_rule_is_told_with_its_column_and_the_right_spelling(run: Run, unchanged: None):
    ran = run("clients", "edit", BACKEND.id, "--allow", "get wp/v2/posts")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "column 1" in ran.err
    assert "Write: GET /wp-json/wp/v2/posts" in ran.err


def test_an_edit_of_nothing_says_where_to_look(run: Run, unchanged: None):
    ran = run("clients", "edit", BACKEND.id)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "app-connect clients edit --help" in ran.err


@pytest.mark.parametrize("option", ["--allow-file", "--application-password-file"])
def test_a_file_that_is_not_there_is_named(run: Run, unchanged: None, option: str):
    ran = run("clients", "edit", BACKEND.id, option, "nowhere.txt")
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert ran.err.startswith(f"Error: {option}: nowhere.txt cannot be read")


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "the default", "no answer"])
def test_delete_asks_and_leaves_the_client_without_a_yes(run: Run, unchanged: None, answer: str):
    ran = run("clients", "delete", BACKEND.id, stdin=answer)
    assert (ran.status, ran.out.strip()) == (1, "")
    assert "It cannot be undone." in ran.err


def test_delete_goes_through_while_wordpress_is_away_and_says_what_is_left(run: Run, store: SqlStore):
    ran = run("clients", "delete", BACKEND.id, "--yes", "--json")
    assert (ran.status, ran.json["deleted"]) == (0, True)
    assert "could not be removed from WordPress yet" in ran.err
    assert list(store.snapshot(now=0).clients) == [STRANGER.id]


@pytest.mark.parametrize(
    ("overlap", "seconds"),
    [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7D", 604_800), ("90d", 7_776_000)],
)
def test_an_overlap_is_written_as_people_write_durations(run: Run, store: SqlStore, overlap: str, seconds: int):
    rotated = run("clients", "rotate-secret", BACKEND.id, "--overlap", overlap, "--json")
    assert rotated.json["old_secret_expires_in"] == seconds


@pytest.mark.parametrize("overlap", ["", "soon", "-1", "1.5h", "91d", "1w", "999999999999"])
def test_an_overlap_that_is_none_is_told(run: Run, unchanged: None, overlap: str):
    ran = run("clients", "rotate-secret", BACKEND.id, f"--overlap={overlap}")
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert ran.err.startswith("Error: --overlap: ")


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_new_secret_is_shown_once_and_says_so(run: Run, store: SqlStore):
    out = run("clients", "rotate-secret", BACKEND.id).out
    assert out.count("acs_") == 1
    assert "shown only now" in out


@pytest.mark.parametrize(
    "command",
    [["clients", "list"], ["clients", "show", BACKEND.id], ["settings", "show"], ["audit"], ["init"], ["status"]],
    ids=" ".join,
)
@pytest.mark.parametrize("json_option", [[], ["--json"]], ids=["for people", "as JSON"])
def test_no_secret_is_shown_again(run: Run, store: SqlStore, folder: Path, command: list[str], json_option: list[str]):
    new = run("clients", "rotate-secret", BACKEND.id, "--json").json["client_secret"]
    key = (folder / "app-connect.key").read_text().strip()
    ran = run(*command, *json_option)
    shown = ran.out + ran.err
    assert shown
    assert [secret for secret in (new, key, "adminpass", "PASSWORD-of-", "acs_") if secret in shown] == []


def test_no_secret_is_in_the_database_as_it_is(run: Run, store: SqlStore, folder: Path):
    new = run("clients", "rotate-secret", BACKEND.id, "--json").json["client_secret"]
    content = b"".join(file.read_bytes() for file in folder.glob("app-connect.db*"))
    assert BACKEND.id.encode() in content
    assert [secret for secret in (new, "adminpass", "PASSWORD-of-", "PRIVATE KEY") if secret.encode() in content] == []


# -- audit and status -------------------------------------------------------------------------------------------------


def test_every_change_is_in_the_audit_log_with_who_made_it(run: Run, store: SqlStore):
    run("clients", "disable", BACKEND.id)
    (event,) = run("audit", "--limit", "1", "--json").json
    assert (event["type"], event["subject"]) == (AuditEventType.CLIENT_DISABLED.value, BACKEND.id)
    assert event["actor"].startswith("cli:")


def test_the_newest_event_comes_first(run: Run, store: SqlStore):
    run("settings", "api", "disable")
    run("settings", "api", "enable")
    details = [event["details"] for event in run("audit", "--limit", "2", "--json").json]
    assert details == ["API enabled", "API disabled"]


def test_a_key_that_was_rotated_out_can_be_retired(run: Run, store: SqlStore):
    (old,) = run("keys", "list", "--json").json
    run("keys", "rotate")
    assert run("keys", "retire", old["key_id"], "--json").json["state"] == "retired"


@pytest.mark.parametrize(
    "key", ["-nCLSOjb4CPVNkMSsI9SowuORdR8ll5UO5hC5J4VsO4", "--oqpoq3tRFYHjnceAYAquJkthyy5BySGsT7Z9v"]
)
def test_a_key_s_id_may_begin_with_a_hyphen(run: Run, store: SqlStore, key: str):
    ran = run("keys", "retire", key)
    assert ran.errors == [f"Error: Key: There is no signing key {key!r}. See the list of keys."]


def test_an_administrator_token_is_shown_once_and_revoked_by_its_name(run: Run, store: SqlStore):
    made = run("admin-tokens", "create", "Deployment", "--scope", "clients:read", "--json").json["admin_token"]
    assert made not in run("admin-tokens", "list", "--json").out
    assert run("admin-tokens", "revoke", "deployment").out == "Revoked: Deployment.\n"
    assert run("admin-tokens", "list", "--json").json == []


def test_explain_ends_with_1_where_a_request_would_not_pass_and_names_the_missing_rule(run: Run, store: SqlStore):
    ran = run("explain", BACKEND.id, "GET", "/wp-json/wp/v2/pages", "--no-wordpress", "--json")
    assert (ran.status, ran.json["would_allow"]) == (1, "GET /wp-json/wp/v2/pages")


def test_explain_reads_the_body_of_a_batch(run: Run, store: SqlStore):
    run("clients", "edit", BACKEND.id, "--allow", "POST /wp-json/batch/v1")
    batch = {"requests": [{"method": "DELETE", "path": "/wp/v2/pages/5"}]}
    asked = ("explain", BACKEND.id, "POST", "/wp-json/batch/v1", "--body-file", "-", "--no-wordpress", "--json")
    ran = run(*asked, stdin=json.dumps(batch))
    assert (ran.status, ran.json["would_allow"]) == (1, "DELETE /wp-json/wp/v2/pages/5")
    assert ran.json["parts"] == ["DELETE /wp-json/wp/v2/pages/5"]


def test_reading_leaves_no_trace(run: Run, unchanged: None):
    assert [run(*command).status for command in (["audit"], ["clients", "list"], ["settings", "show"])] == [0, 0, 0]


def test_status_without_a_site_ends_with_1_and_says_how_to_connect(run: Run):
    run("init")
    ran = run("status", "--json")
    assert (ran.status, ran.json["site_ok"], ran.json["clients"]) == (1, False, {})
    assert "app-connect connect" in ran.json["site"]


def test_status_while_wordpress_is_away_ends_with_1_and_changes_nothing(run: Run, unchanged: None):
    ran = run("status", "--json")
    assert (ran.status, ran.json["site_ok"]) == (1, False)
    assert ran.json["clients"] == {BACKEND.id: "unknown", STRANGER.id: "unknown"}


# -- connect ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        pytest.param(["your-site.com"], "SITE_URL", id="no scheme"),
        pytest.param(["ftp://your-site.com"], "SITE_URL", id="another scheme"),
        pytest.param(["https://"], "SITE_URL", id="no host"),
        pytest.param(["https://your-site.com:port"], "SITE_URL", id="a port that is none"),
        pytest.param(["https://me:secret@your-site.com"], "SITE_URL", id="a user"),
        pytest.param(["https://your-site.com/?a=b"], "SITE_URL", id="a query"),
        pytest.param([SITE_URL, "--upstream", "10.0.0.1"], "--upstream", id="an upstream without a scheme"),
        pytest.param([SITE_URL, "--password-file", "-"], "--password-file", id="a password without a username"),
    ],
)
def test_connect_refuses_an_address_that_is_none_before_it_asks_anybody(
    run: Run, unchanged: None, arguments: list[str], field: str
):
    ran = run("connect", *arguments)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert ran.err.startswith(f"Error: {field}: ")
    assert "me:secret" not in ran.err


def test_disconnect_is_refused_while_clients_act_on_the_site(run: Run, unchanged: None):
    ran = run("disconnect")
    assert (ran.status, ran.out) == (1, "")
    assert ran.errors == ["Error: site: 2 clients act on it still. Delete them first."]


@pytest.mark.parametrize(
    "command", [["disconnect"], ["clients", "add", "--name", "x", "--user", "author"]], ids=" ".join
)
def test_what_needs_a_site_says_how_to_connect_one(run: Run, command: list[str]):
    run("init")
    ran = run(*command)
    assert (ran.status, ran.out, len(ran.errors)) == (1, "", 1)
    assert "or with `app-connect connect SITE_URL`." in ran.err


# -- serve: a process of its own --------------------------------------------------------------------------------------


def test_serve_on_a_port_in_use_says_so_and_what_to_do(initialized: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = subprocess.run(
            [COMMAND, "serve", "--port", port],
            cwd=initialized, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"Error: cannot listen on 127.0.0.1 port {port}: ")
    assert len(ran.stderr.splitlines()) == 1
    assert "--port" in ran.stderr


def test_serve_says_as_json_where_it_listens_and_stops_when_it_is_told(initialized: Path):
    port = free_port()
    with subprocess.Popen(
        [COMMAND, "serve", "--port", str(port), "--json"],
        cwd=initialized, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.terminate()
        process.wait(timeout=30)
    assert first["listening"] == f"http://127.0.0.1:{port}"
    assert first["public_url"] == "http://127.0.0.1:8080"
