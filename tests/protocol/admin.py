"""The admin API in process, over a database of its own, as a program with an administrator token sees it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc.jwk import OKPKey

from appconnect.console.api import ROOT, admin_api
from appconnect.control import admin_tokens
from appconnect.control.context import Context
from appconnect.control_plane import clock, control_context, open_store
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.keys import SigningKey
from appconnect.core.sessions import Session
from appconnect.core.snapshot import SiteAddress
from appconnect.settings import Settings
from appconnect.store.sql_store import SqlStore
from appconnect.throttle import Throttle
from tests.protocol.conftest import SITE_URL, WordPress, basic

HOUR = 3_600
_PUBLIC = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"
OLD_KEY = SigningKey(OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": "A" * 43, "x": _PUBLIC}), clock() - HOUR)
"""A key that signs no more, and verifies."""
SESSION = Session("5e5510", 1, "admin", "Firefox", clock(), clock() + HOUR, clock(), clock(), clock())


class Users(WordPress):
    """A WordPress that also lists users, and makes some."""

    def _act(self, method: str, route: list[str], user: int | None) -> tuple[str, Any]:
        match method, route:
            case "GET", ["wp", "v2", "users"]:
                return "200 OK", list(self.users.values())
            case "POST", ["wp", "v2", "users"]:
                self.users[3] = {"id": 3, "username": "posts-bot", "roles": ["subscriber"], "capabilities": {}}
                return "201 Created", self.users[3]
            case "POST", ["wp", "v2", "users", "3", "application-passwords"]:
                self.passwords[basic("posts-bot", "new")] = 3
                return "201 Created", {"uuid": "u3", "password": "new"}
            case _:
                return super()._act(method, route, user)


@dataclass
class AdminApi:
    """The API; `caught_up` is at which revisions it had the worker load a new snapshot."""

    http: httpx.AsyncClient
    settings: Settings
    store: SqlStore
    caught_up: list[int] = field(default_factory=list)

    def context(self, actor: str = "test") -> Context:
        return control_context(self.settings, self.store, actor=actor)

    def token(self, *scopes: AdminScope, name: str = "Program", lifetime_seconds: int = 2 * HOUR) -> str:
        """A token with these scopes, or with all of them."""
        created = admin_tokens.create_token(
            self.context(), name=name, scopes=scopes or tuple(AdminScope), lifetime_seconds=lifetime_seconds, maker=None
        )
        return created.secret.reveal()

    async def call(self, method: str, path: str, token: str | None, **request: Any) -> httpx.Response:
        """One call; `path` is below the API's root."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        headers |= request.pop("headers", {})
        return await self.http.request(method, f"{ROOT}{path}", headers=headers, **request)


@asynccontextmanager
async def admin_api_over(settings: Settings, upstream_url: str) -> AsyncIterator[AdminApi]:
    """The API of a gateway that is connected to a WordPress at `upstream_url`."""
    store = open_store(settings)
    with store.transaction() as transaction:
        transaction.save_signing_key(OLD_KEY)
        transaction.save_site(SiteAddress(SITE_URL, upstream_url, has_pretty_permalinks=True))
    store.sessions.begin(SESSION, bytes(32), now=clock())
    made: list[AdminApi] = []

    async def catch_up() -> None:
        made[0].caught_up.append(await asyncio.to_thread(store.revision))

    app = admin_api(
        lambda actor: control_context(settings, store, actor=actor),
        catch_up=catch_up,
        throttle=Throttle(time.monotonic),
        settle_seconds=0.0,
    )
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as http:
        made.append(AdminApi(http, settings, store))
        yield made[0]


def problems(answer: httpx.Response) -> Sequence[tuple[str, str]]:
    """The field and the sentence of each problem, from an answer in the right format."""
    assert answer.headers["content-type"] == "application/problem+json"
    content = answer.json()
    assert content["status"] == answer.status_code
    return [(one["field"], one["problem"]) for one in content["problems"]]
