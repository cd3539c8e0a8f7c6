"""`app-connect --gateway`: the same commands against a gateway elsewhere, with the same words and the same ends."""

import io
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from appconnect.cli import commands, opening
from appconnect.control import admin_tokens
from appconnect.control_plane import open_store
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteAddress, SiteSwitches
from appconnect.store import feed
from tests.gateways import Gateway, initialize, serving
from tests.protocol.conftest import ADMIN_PASSWORD, BACKEND, POSTS, SITE_URL, STRANGER, add

HOUR = 3_600
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


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with two clients, which is served."""
    made = initialize(tmp_path_factory.mktemp("remote") / "gateway")
    with open_store(made.settings).transaction() as transaction:
        transaction.save_site(CONNECTED)
        transaction.save_switches(SiteSwitches(True, frozenset(GrantType), 3600))
        transaction.save_application_password(ADMIN_PASSWORD)
        add(transaction, BACKEND)
        add(transaction, STRANGER)
    with serving(made):
        yield made


@pytest.fixture(scope="module")
def token_file(gateway: Gateway) -> Path:
    """A file with a token that may do everything."""
    return write_token(gateway, "Everything", *AdminScope)


def write_token(gateway: Gateway, name: str, *scopes: AdminScope) -> Path:
    created = admin_tokens.create_token(
        gateway.context, name=name, scopes=scopes, lifetime_seconds=24 * HOUR, maker=None
    )
    file = gateway.folder.parent / f"{name}.token"
    file.write_text(created.secret.reveal() + "\n")
    return file


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `app-connect` in a folder with nothing in it."""
    for name in [name for name in os.environ if name.startswith("APP_CONNECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(feed, "INTERVAL_SECONDS", 0.0)

    def run(*arguments: str, folder: Path = tmp_path, stdin: str = "") -> Ran:
        monkeypatch.chdir(folder)
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
def here(run: Run, gateway: Gateway) -> Run:
    """Run a command at the gateway itself."""
    return lambda *arguments, **options: run(*arguments, folder=gateway.folder, **options)


@pytest.fixture
def afar(run: Run, gateway: Gateway, token_file: Path) -> Run:
    """Run a command somewhere else, for the gateway."""
    return lambda *arguments, **options: run(
        "--gateway", gateway.url, "--token-file", str(token_file), *arguments, **options
    )


# -- the same ---------------------------------------------------------------------------------------------------------

READING = [
    ["settings", "show"],
    ["clients", "list"],
    ["clients", "list", "--search", "nobody"],
    ["clients", "show", BACKEND.id],
    ["status"],
    ["keys", "list"],
    ["sessions", "list"],
    ["audit", "--limit", "3"],
    ["activity", "refusals"],
    ["activity", "usage", "--days", "2"],
    ["activity", "clients"],
    ["activity", "rules", BACKEND.id],
    ["explain", BACKEND.id, "GET", "/wp-json/wp/v2/posts"],
    ["explain", BACKEND.id, "GET", "/wp-json/wp/v2/users", "--no-wordpress"],
]
WRONG = [
    ["clients", "show", "nobody"],
    ["clients", "delete", "nobody", "--yes"],
    ["clients", "edit", BACKEND.id],
    ["clients", "edit", BACKEND.id, "--allow", "GET", "--token-lifetime", "5", "--access-mode", "god"],
    ["clients", "add", "--name", "New", "--user", "author"],
    ["clients", "rotate-secret", BACKEND.id, "--overlap", "91d"],
    ["clients", "rotate-secret", BACKEND.id, "--overlap", "soon"],
    ["settings", "token-lifetime", "5"],
    ["settings", "grant-types", "enable", "password"],
    ["disconnect"],
    ["keys", "retire", "nonsense"],
    ["sessions", "end", "nonsense"],
    ["admin-tokens", "create", "Wrong", "--scope", "nonsense", "--lifetime", "2h"],
    ["admin-tokens", "revoke", "nobody"],
    ["explain", "nobody", "GET", "/wp-json/"],
]
WITH_AND_WITHOUT_JSON = pytest.mark.parametrize("more", [[], ["--json"]], ids=["for people", "as JSON"])


@WITH_AND_WITHOUT_JSON
@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_what_is_read_is_the_same_from_afar(here: Run, afar: Run, arguments: list[str], more: list[str]):
    assert afar(*arguments, *more) == here(*arguments, *more)


@WITH_AND_WITHOUT_JSON
@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_an_error_is_the_same_from_afar(here: Run, afar: Run, arguments: list[str], more: list[str]):
    ran = here(*arguments, *more)
    assert afar(*arguments, *more) == ran
    assert (ran.status, ran.out) == (1, "")


def test_what_is_changed_from_afar_is_changed_there(here: Run, afar: Run):
    assert afar("clients", "edit", STRANGER.id, "--allow", f"HEAD {POSTS}").status == 0
    assert f"HEAD {POSTS}" in here("clients", "show", STRANGER.id, "--json").json["rest_route_allowlist"]
    assert afar("clients", "edit", STRANGER.id, "--disallow", f"HEAD {POSTS}").status == 0
    assert f"HEAD {POSTS}" not in here("clients", "show", STRANGER.id, "--json").json["rest_route_allowlist"]


def test_a_client_is_disabled_and_enabled_from_afar(here: Run, afar: Run):
    assert afar("clients", "disable", STRANGER.id, "--json").json["enabled"] is False
    assert here("clients", "show", STRANGER.id, "--json").json["enabled"] is False
    assert afar("clients", "enable", STRANGER.id, "--json").json["enabled"] is True


def test_a_new_secret_comes_from_afar_once(afar: Run):
    rotated = afar("clients", "rotate-secret", STRANGER.id, "--json").json
    assert rotated["client_secret"].startswith("acs_")
    assert rotated["client_secret"] not in afar("clients", "show", STRANGER.id, "--json").out


def test_a_client_is_found_from_afar_whatever_its_name(afar: Run):
    name = "../a b/ü?#%2F."
    assert afar("clients", "edit", STRANGER.id, "--name", name).status == 0
    assert afar("clients", "show", name, "--json").json["client_id"] == STRANGER.id


def test_a_change_from_afar_is_audited_with_the_name_of_the_token(here: Run, afar: Run):
    afar("settings", "token-lifetime", "3600")
    assert here("audit", "--limit", "1", "--json").json[0]["actor"] == "api:Everything"


def test_tokens_are_made_listed_and_revoked_from_afar(afar: Run):
    made = afar("admin-tokens", "create", "Child", "--scope", "clients:read", "--lifetime", "2h", "--json").json
    listed = afar("admin-tokens", "list", "--json").json
    assert [one["name"] for one in listed if one["created_by"] == "api:Everything"] == ["Child"]
    assert made["admin_token"] not in json.dumps(listed)
    assert afar("admin-tokens", "revoke", "Child", "--json").json == {"revoked": ["Child"]}


def test_a_long_list_comes_whole(here: Run, afar: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("appconnect.cli.performing.MAX_PAGE", 1)
    assert [one["client_id"] for one in afar("clients", "list", "--json").json] == [BACKEND.id, STRANGER.id]
    assert len(afar("audit", "--limit", "2", "--json").json) == 2
    assert here("clients", "list") == afar("clients", "list")


# -- which gateway, and with which token ------------------------------------------------------------------------------


def test_gateway_and_token_can_be_named_by_the_environment(
    run: Run, gateway: Gateway, token_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("APP_CONNECT_GATEWAY", gateway.url)
    monkeypatch.setenv("APP_CONNECT_TOKEN_FILE", str(token_file))
    assert run("clients", "list").status == 0


def test_the_token_itself_can_stand_in_the_environment(
    run: Run, gateway: Gateway, token_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("APP_CONNECT_TOKEN", token_file.read_text())
    assert run("--gateway", gateway.url, "clients", "list").status == 0


def test_these_variables_are_no_wrong_settings(here: Run, monkeypatch: pytest.MonkeyPatch):
    """An operator may have them in the shell in which `serve` is started."""
    monkeypatch.setenv("APP_CONNECT_TOKEN", "aca_any")
    assert here("clients", "list").status == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["--gateway", "http://api.example.com"], "Use https", id="http beyond loopback"),
        pytest.param(["--gateway", "api.example.com"], "Write https://", id="no scheme"),
        pytest.param(["--gateway", "https://api.example.com/app-connect"], "Write only scheme", id="a path"),
        pytest.param(["--gateway", "https://me:secret@api.example.com"], "Write only scheme", id="a user"),
        pytest.param(["--token-file", "there.token"], "--gateway", id="a token without a gateway"),
        pytest.param(["--gateway", "https://api.example.com"], "--token-file", id="no token"),
        pytest.param(
            ["--gateway", "https://api.example.com", "--token-file", "no.token"], "no.token", id="no such file"
        ),
        pytest.param(["--gateway", "https://api.example.com", "--token-file", "empty"], "empty", id="an empty file"),
    ],
)
def test_wrong_options_end_with_2_before_anybody_is_asked(run: Run, tmp_path: Path, arguments: list[str], problem: str):
    (tmp_path / "empty").touch()
    ran = run(*arguments, "clients", "list")
    assert (ran.status, ran.out) == (2, "")
    assert problem in ran.err


@pytest.mark.parametrize("command", [["init"], ["serve"], ["connect", "https://example.com"]], ids=str)
def test_what_works_only_at_the_gateway_says_so(afar: Run, tmp_path: Path, command: list[str]):
    ran = afar(*command)
    assert (ran.status, ran.out) == (1, "")
    assert "This command works only at the gateway itself." in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_token_without_the_scope_is_told_which_one_it_needs(run: Run, gateway: Gateway):
    file = write_token(gateway, "Reader", AdminScope.CLIENTS_READ)
    ran = run("--gateway", gateway.url, "--token-file", str(file), "clients", "disable", BACKEND.id)
    assert (ran.status, ran.out) == (1, "")
    assert "clients:write" in ran.err


def test_a_token_that_does_not_count_is_told(run: Run, gateway: Gateway, tmp_path: Path):
    (tmp_path / "wrong.token").write_text("aca_nonsense")
    ran = run("--gateway", gateway.url, "--token-file", "wrong.token", "clients", "list")
    assert (ran.status, ran.out) == (1, "")
    assert "The token is not valid, has expired, or was revoked." in ran.err


# -- who answers there ------------------------------------------------------------------------------------------------


@dataclass
class Elsewhere:
    """A server that is no gateway, and what it was asked."""

    url: str
    asked: list[tuple[str, str | None]]
    answer: tuple[int, dict[str, str], bytes]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    yield from _serve(None)


AUTHORITY = trustme.CA()


@pytest.fixture
def elsewhere_with_tls() -> Iterator[Elsewhere]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    yield from _serve(context)


def _serve(tls: ssl.SSLContext | None) -> Iterator[Elsewhere]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there.asked.append((self.path, self.headers["Authorization"]))
            status, headers, body = there.answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answering)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    there = Elsewhere(f"{scheme}://127.0.0.1:{server.server_port}", [], (200, {}, b'{"items": [], "next": null}'))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(run: Run, token_file: Path) -> Callable[..., Ran]:
    return lambda url, *more: run("--gateway", url, "--token-file", str(token_file), *more, "clients", "list")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(ask: Callable[..., Ran], elsewhere: Elsewhere, gateway: Gateway, status: int):
    """The token is for one address."""
    elsewhere.answer = (status, {"Location": f"{gateway.url}/app-connect/api/v1/clients"}, b"")
    ran = ask(elsewhere.url)
    assert (ran.status, ran.out) == (1, "")
    assert "it sends us elsewhere" in ran.err
    assert len(elsewhere.asked) == 1


OTHER_PROBLEM = b'{"kind": "wordpress", "problems": [{"field": "asleep", "problem": "", "remedy": ""}]}'


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, {}, b"<html>"), id="a page"),
        pytest.param((200, {}, b"[]"), id="other JSON"),
        pytest.param((200, {}, b'{"items": [{}], "next": null}'), id="items of another kind"),
        pytest.param((404, {}, b"Not found"), id="an error in words"),
        pytest.param((500, {}, b"{}"), id="an error in other JSON"),
        pytest.param(
            (401, {}, b'{"kind": "wordpress", "problems": [{"field": "x", "problem": "", "remedy": ""}]}'), id="x"
        ),
        pytest.param((401, {}, b'{"kind": "input", "problems": 1}'), id="an error of another kind"),
    ],
)
def test_an_answer_of_somebody_else_is_told(
    ask: Callable[..., Ran], elsewhere: Elsewhere, answer: tuple[int, dict[str, str], bytes]
):
    elsewhere.answer = answer
    ran = ask(elsewhere.url)
    assert (ran.status, ran.out) == (1, "")
    assert "is not understood" in ran.err


def test_where_nobody_answers_it_is_told(ask: Callable[..., Ran]):
    ran = ask("http://127.0.0.1:9")
    assert (ran.status, ran.out) == (1, "")
    assert "http://127.0.0.1:9 does not answer." in ran.err


def test_a_certificate_of_nobody_known_gets_no_token(ask: Callable[..., Ran], elsewhere_with_tls: Elsewhere):
    ran = ask(elsewhere_with_tls.url)
    assert (ran.status, ran.out) == (1, "")
    assert "is not trusted" in ran.err
    assert "--ca-file" in ran.err
    assert elsewhere_with_tls.asked == []


def test_a_private_authority_can_be_named(ask: Callable[..., Ran], elsewhere_with_tls: Elsewhere, tmp_path: Path):
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert ask(elsewhere_with_tls.url, "--ca-file", str(tmp_path / "ca.pem")).status == 0
    assert len(elsewhere_with_tls.asked) == 1


def test_an_authority_that_is_none_is_told(ask: Callable[..., Ran], elsewhere_with_tls: Elsewhere, tmp_path: Path):
    (tmp_path / "ca.pem").write_text("nonsense")
    ran = ask(elsewhere_with_tls.url, "--ca-file", str(tmp_path / "ca.pem"))
    assert (ran.status, ran.out) == (1, "")
    assert "ca.pem cannot be used" in ran.err


def test_no_proxy_of_the_environment_sees_the_token(
    ask: Callable[..., Ran], elsewhere: Elsewhere, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", elsewhere.url)
    monkeypatch.setenv("http_proxy", elsewhere.url)
    assert ask(gateway.url).status == 0
    assert elsewhere.asked == []
