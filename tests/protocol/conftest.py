"""App Connect in process: the ASGI application of one worker, over a database of its own, before a recording server.

The cast: `backend` is a client that acts as the WordPress user `author`; `stranger` is another client of the site.
The recording server stands for WordPress where a real one cannot show what is asked: exact bytes, and faults.
"""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from joserfc.jwk import OKPKey

from appconnect.app import App
from appconnect.asgi import DISCONNECT
from appconnect.control.context import Context
from appconnect.control_plane import clock, control_context, open_store
from appconnect.core.clients import Client, ClientSecretHash, GrantType, hash_secret
from appconnect.core.keys import SigningKey
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.request import Pair
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches
from appconnect.core.tokens import Claims, issue
from appconnect.ports import ApplicationPassword, PasswordState, Transaction
from appconnect.settings import Settings
from appconnect.store.engine import open_engine
from appconnect.store.migrate import migrate
from appconnect.store.sql_store import SqlStore

PUBLIC_URL: Final = "https://api.example.com"
SITE_URL: Final = "https://wordpress.example"
RESOURCE: Final = f"{PUBLIC_URL}/wp-json"
ROOT: Final = "/wp-json/app-connect/v1"
TOKEN, REVOKE, INTROSPECT, JWKS = f"{ROOT}/token", f"{ROOT}/revoke", f"{ROOT}/introspect", f"{ROOT}/jwks"
POSTS: Final = "/wp-json/wp/v2/posts"
DEADLINE_SECONDS: Final = 20.0
ENCRYPTION_KEY: Final = base64.urlsafe_b64encode(b"k" * 32).decode()


# -- the cast ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Registered:
    """A client as its developer knows it."""

    id: str
    secret: str

    @property
    def basic(self) -> tuple[str, str]:
        return self.id, self.secret


BACKEND: Final = Registered("ac_backend", "acs_secret-of-backend")
STRANGER: Final = Registered("ac_stranger", "acs_secret-of-stranger")
AUTHOR: Final = ServiceUser(2, "author", frozenset(("author",)), frozenset(("edit_posts", "publish_posts")))
ALLOWLIST: Final = (
    *(f"{method} /wp-json/wp/v2/posts" for method in ("GET", "POST", "OPTIONS")),
    *(f"{method} /wp-json/wp/v2/posts/*" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    "POST /wp-json/wp/v2/media",
)
ADMIN_PASSWORD: Final = ApplicationPassword("a0", 1, "admin", None, PasswordState.IN_USE, "u0", Secret("adminpass"))


def policy(client: Registered, *rules: str, user: ServiceUser = AUTHOR) -> Policy:
    return Policy(client.id, user, AccessMode.RESTRICTED, tuple(map(RouteRule.parse, rules)))


def add(transaction: Transaction, registered: Registered) -> None:
    """Put a client in, with the application password `PASSWORD-of-ID` of its service user."""
    granted = policy(registered, *ALLOWLIST)
    secret = ClientSecretHash(hash_secret(registered.secret), clock())
    client = Client(registered.id, registered.id, frozenset(GrantType), True, (secret,), granted.hash, clock())
    transaction.save_client(client, granted, now=clock())
    password = Secret(upstream_password(registered))
    transaction.save_application_password(
        ApplicationPassword(f"of-{registered.id}", 2, "author", registered.id, PasswordState.IN_USE, "u1", password)
    )


def upstream_password(client: Registered) -> str:
    return f"PASSWORD-of-{client.id}"


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


# -- a database -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a signing key and the cast, Client Credentials enabled; each test gets a copy."""
    settings = settings_in(tmp_path_factory.mktemp("template"))
    engine = open_engine(settings.database_path)
    settings.database_path.touch()
    migrate(engine)
    engine.dispose()
    with open_store(settings).transaction() as transaction:
        transaction.save_signing_key(SigningKey(OKPKey.generate_key("Ed25519", private=True), clock() - 60))
        transaction.save_switches(SiteSwitches(True, frozenset(GrantType), 3600))
        transaction.save_application_password(ADMIN_PASSWORD)
        add(transaction, BACKEND)
        add(transaction, STRANGER)
    return settings.database_path


def settings_in(folder: Path) -> Settings:
    return Settings(
        public_url=PUBLIC_URL,
        database_url=f"sqlite:///{folder / 'app-connect.db'}",
        encryption_key=Secret(ENCRYPTION_KEY),
    )


@pytest.fixture
def settings(tmp_path: Path, database_template: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv(
        "SSL_CERT_FILE", os.devnull
    )  # nothing here speaks TLS, and the system's list takes 60 ms to load
    for file in database_template.parent.glob("app-connect.db*"):
        shutil.copy(file, tmp_path)
    return settings_in(tmp_path)


# -- the recording server ---------------------------------------------------------------------------------------------

LOGGED_IN: Final = ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private")
"""What WordPress sends to a logged-in user; its absence looks anonymous."""


@dataclass(frozen=True)
class Reply:
    """Played back step by step: bytes go over the wire, an event is waited for; then perhaps the connection ends."""

    steps: Sequence[bytes | asyncio.Event] = ()
    closes: bool = False


SILENCE: Final = Reply()
HANGING_UP: Final = Reply(closes=True)


def head(status: str, *headers: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


def reply(body: bytes = b"[]", *headers: tuple[str, str], status: str = "200 OK", is_anonymous: bool = False) -> Reply:
    """A whole answer of WordPress's: JSON, to a logged-in user unless `is_anonymous`."""
    usual = (("Content-Type", "application/json; charset=UTF-8"), ("Content-Length", str(len(body))))
    session = () if is_anonymous or any(name == "Cache-Control" for name, _ in headers) else (LOGGED_IN,)
    return Reply((head(status, *usual, *session, *headers) + body,))


class Headed:
    """Something with headers, their names in small letters."""

    headers: tuple[Pair, ...]

    def values(self, name: str) -> list[bytes]:
        return [value for other, value in self.headers if other == name.encode()]

    @property
    def names(self) -> list[str]:
        return sorted(name.decode() for name, _ in self.headers)


@dataclass(frozen=True)
class Recorded(Headed):
    """A request as it arrived: the first line, the headers with names in small letters, the body without framing."""

    line: str
    headers: tuple[Pair, ...]
    body: bytes
    connection: int

    @property
    def credential(self) -> str:
        return b"".join(self.values("authorization")).decode()


class WordPress:
    """What WordPress answers the control plane: who a credential is, and application passwords made and removed."""

    def __init__(self) -> None:
        self.users = {1: _user(1, "admin", "administrator", "manage_options", "list_users", "edit_users")}
        self.users[2] = _user(2, "author", *AUTHOR.roles, *AUTHOR.capabilities)
        self.passwords = {basic("admin", "adminpass"): 1}
        self.passwords |= {basic("author", upstream_password(client)): 2 for client in (BACKEND, STRANGER)}
        self.makes_passwords = True
        self.is_away = False
        self.gate: asyncio.Event | None = None  # who asks waits for it
        self.asked: list[str] = []

    @property
    def checks(self) -> int:
        """How often the credential of a service user was looked at."""
        return self.asked.count("GET /wp-json/wp/v2/users/me?context=edit as author")

    def lose(self, client: Registered) -> None:
        """Somebody revoked the client's application password in WordPress."""
        del self.passwords[basic("author", upstream_password(client))]

    async def answer(self, recorded: Recorded) -> Reply:
        method, target, _ = recorded.line.split(" ")
        shown = recorded.credential
        login = base64.b64decode(shown.removeprefix("Basic ")).decode().partition(":")[0] or "nobody"
        self.asked.append(f"{method} {target} as {login}")
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            return HANGING_UP
        route = target.removeprefix("/wp-json").partition("?")[0].split("/")[1:]
        status, content = self._act(method, route, self.passwords.get(shown))
        return reply(json.dumps(content).encode(), status=status)

    def _act(self, method: str, route: list[str], user: int | None) -> tuple[str, Any]:
        new = f"new{len(self.asked)}"
        done: tuple[str, Any] = ("200 OK", {"deleted": True})
        match method, route:
            case "GET", [""]:
                done = "200 OK", {"namespaces": ["wp/v2"], "routes": {}, "home": SITE_URL, "authentication": _OFFERED}
            case "GET", ["wp", "v2", "users", "me"] if user:
                done = "200 OK", self.users[user]
            case "GET", ["wp", "v2", "users", wanted] if user == 1 and wanted.isdigit():
                done = "200 OK", self.users[int(wanted)]
            case "POST", ["wp", "v2", "users", "2", "application-passwords"] if user == 1 and self.makes_passwords:
                self.passwords[basic("author", new)] = 2
                done = "201 Created", {"uuid": "u2", "password": new}
            case "GET", [*_, "application-passwords"] if user == 1:
                done = "200 OK", []
            case "DELETE", [*_, "application-passwords", _] if user == 1:
                pass
            case _ if user:
                done = "403 Forbidden", {"code": "rest_forbidden", "message": "No.", "data": {}}
            case _:
                done = "401 Unauthorized", {"code": "rest_not_logged_in", "message": "No.", "data": {}}
        return done


_OFFERED: Final = {"application-passwords": {"endpoints": {"authorization": f"{SITE_URL}/authorize"}}}


def _user(id_: int, login: str, role: str, *capabilities: str) -> dict[str, Any]:
    held = dict.fromkeys(capabilities, True)
    return {"id": id_, "username": login, "roles": [role], "capabilities": held}


@dataclass
class Recorder:
    """A server on loopback. Clients' requests get the `replies` in turn and then `otherwise`; ours ask `wordpress`."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    otherwise: Reply = field(default_factory=reply)
    requests: list[Recorded] = field(default_factory=list)
    begun_bodies: list[bytearray] = field(default_factory=list)  # what has come so far of each body
    hung_up: int = 0  # connections that the gateway ended before it had an answer
    wordpress: WordPress = field(default_factory=WordPress)
    _connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._connections += 1
        number, is_answered = self._connections, True
        try:
            while True:
                first = await reader.readuntil(b"\r\n\r\n")
                is_answered = False
                chosen = await self._choose(await self._read(first, reader, number))
                for step in chosen.steps:
                    await (step.wait() if isinstance(step, asyncio.Event) else _write(writer, step))
                is_answered = bool(chosen.steps)
                if chosen.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up += not is_answered
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _choose(self, recorded: Recorded) -> Reply:
        if recorded.values("user-agent") == [b"App-Connect"]:
            return await self.wordpress.answer(recorded)
        self.requests.append(recorded)
        return self.replies.pop(0) if self.replies else self.otherwise

    async def _read(self, first: bytes, reader: asyncio.StreamReader, connection: int) -> Recorded:
        line, *lines = first[:-4].split(b"\r\n")
        pairs = [text.split(b": ", 1) for text in lines]
        headers = tuple((name.lower(), value) for name, value in pairs)
        body = bytearray()
        self.begun_bodies.append(body)
        async for chunk in _body(reader, dict(headers)):
            body += chunk
        return Recorded(line.decode(), headers, bytes(body), connection)


async def _write(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()


async def _body(reader: asyncio.StreamReader, headers: dict[bytes, bytes]) -> AsyncIterator[bytes]:
    if headers.get(b"transfer-encoding") == b"chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    elif length := int(headers.get(b"content-length", 0)):
        yield await reader.readexactly(length)


@pytest.fixture
async def upstream() -> AsyncIterator[Recorder]:
    recorder, is_closed = Recorder(), asyncio.Event()
    connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_closed.is_set():
            writer.close()
        else:
            connections[writer] = asyncio.create_task(recorder.serve(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield recorder
    server.close()
    is_closed.set()
    for writer, task in connections.items():
        task.cancel()
        writer.close()  # for a task that had not begun
    await asyncio.gather(*connections.values(), return_exceptions=True)


# -- the application --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard(Headed):
    """An answer as the HTTP server would get it; `is_whole` tells whether it was ended."""

    status: int
    headers: tuple[Pair, ...]
    body: bytes
    is_whole: bool

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass(frozen=True)
class Running:
    """The application while it serves."""

    app: App
    settings: Settings
    store: SqlStore
    http: httpx.AsyncClient

    @property
    def context(self) -> Context:
        """The control plane, as the command line would use it."""
        return control_context(self.settings, self.store, actor="test")

    async def request_token(self, client: Registered = BACKEND, **parameters: str) -> httpx.Response:
        return await self.http.post(TOKEN, auth=client.basic, data={"grant_type": "client_credentials", **parameters})

    async def token(self, client: Registered = BACKEND) -> str:
        return str((await self.request_token(client)).json()["access_token"])

    async def get(self, token: str, path: str = POSTS) -> httpx.Response:
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    def forge(self, **differing: Any) -> str:
        """A token signed with the site's own key, right but for what differs."""
        snapshot = self.store.snapshot(now=clock())
        client, now = snapshot.clients[BACKEND.id], clock()
        right = Claims(PUBLIC_URL, RESOURCE, "author", client.id, "forged", now, now + 3600, client.policy_hash)
        return issue(replace(right, **differing), snapshot.key_ring)

    async def change(self, action: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do what an administrator does in another process; return when the feed's next tick has seen it."""
        done = await asyncio.to_thread(action, self.context, *arguments, **options)
        revision = self.store.revision()
        await eventually(lambda: self._has_reached(revision))
        return done

    async def _has_reached(self, revision: int) -> bool:
        return bool((await self.http.get("/app-connect/readyz")).json()["revision"] >= revision)

    async def exchange(
        self,
        method: str,
        target: str,
        *headers: tuple[str, str],
        token: str | None = None,
        body: AsyncIterator[bytes] | None = None,
        leaves: asyncio.Event | None = None,
        is_cut_off: bool = False,
        hears: Callable[[Any], None] = lambda _: None,
    ) -> Heard:
        """One request as the HTTP server hands it over, nothing normalized.

        The client goes when `leaves` is set: after its whole request, or where `is_cut_off` before its end. It `hears`
        each message as it comes.
        """
        path, _, query = target.partition("?")
        leaving: list[asyncio.Future[None]] = []
        shown = [("authorization", f"Bearer {token}")] if token else []
        scope = {
            "type": "http",
            "method": method,
            "path": httpx.URL(PUBLIC_URL + path).path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(n.encode(), v.encode()) for n, v in (("host", "api.example.com"), *shown, *headers)],
            "client": ("192.0.2.1", 4711),
            "extensions": {DISCONNECT: lambda on_gone: leaving.append(asyncio.ensure_future(when_gone(on_gone)))},
        }
        gone, content = leaves or asyncio.Event(), body or pieces()

        async def when_gone(on_gone: Callable[[], object]) -> None:
            await gone.wait()
            on_gone()
            answering.cancel()

        ended, sent = list[bool](), list[dict[str, Any]]()

        async def receive() -> dict[str, Any]:
            async for chunk in content:
                return {"type": "http.request", "body": chunk, "more_body": True}
            if not ended and not is_cut_off:
                ended.append(True)
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            hears(message)

        answering = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            await answering
        finally:
            for waiting in leaving:
                waiting.cancel()
        start: dict[str, Any] = sent[0] if sent else {"status": 0, "headers": ()}
        answered = b"".join(message["body"] for message in sent[1:])
        is_whole = len(sent) > 1 and not sent[-1].get("more_body", False)
        return Heard(start["status"], tuple(start["headers"]), answered, is_whole)


async def pieces(*content: bytes | asyncio.Event) -> AsyncIterator[bytes]:
    """A body that arrives piece by piece, not before an event in between."""
    for piece in content:
        if isinstance(piece, asyncio.Event):
            await piece.wait()
        else:
            yield piece


@asynccontextmanager
async def running(settings: Settings, upstream_url: str, **site: Any) -> AsyncIterator[Running]:
    """Start the application of a worker, connected to a WordPress at `upstream_url`, and stop it."""
    store = open_store(settings)
    address = SiteAddress(SITE_URL, upstream_url, has_pretty_permalinks=True)
    with store.transaction() as transaction:
        transaction.save_site(replace(address, **site))
    async with serving(App(settings)) as app:
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
            yield Running(app, settings, store, http)


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[App]:
    """Drive the application through its lifespan, as the HTTP server does."""
    to_app, from_app = asyncio.Queue[Any](), asyncio.Queue[Any]()
    lifespan = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert await _first(from_app.get(), lifespan) == {"type": "lifespan.startup.complete"}
    yield app
    await to_app.put({"type": "lifespan.shutdown"})
    await lifespan


async def _first(wanted: Awaitable[Any], lifespan: asyncio.Task[None]) -> Any:
    """The first message, or the exception that came instead of it."""
    message = asyncio.ensure_future(wanted)
    await asyncio.wait((message, lifespan), return_when=asyncio.FIRST_COMPLETED)
    return await (message if message.done() else lifespan)


@pytest.fixture
async def gateway(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    async with running(settings, upstream.url) as application:
        yield application


@pytest.fixture
async def token(gateway: Running) -> str:
    return await gateway.token()


async def eventually(check: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Poll until `check` is true; fail when it does not become so in a generous time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (await found if isinstance(found := check(), Awaitable) else found):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
