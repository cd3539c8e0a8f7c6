"""The only place that knows every room: settings → adapters → ASGI application."""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from appconnect import telemetry
from appconnect.activity import Recorder
from appconnect.asgi import Answer, Application, Receive, Scope, Send, json_answer, send_answer
from appconnect.console.api import PATH as API_PATH
from appconnect.console.api import admin_api
from appconnect.console.app import World, console
from appconnect.console.approved import Approved
from appconnect.console.pages import PAGES
from appconnect.control.context import Context
from appconnect.control.credentials import check_credential
from appconnect.control.routes import refresh_route_templates
from appconnect.control_plane import clock, control_context, open_store
from appconnect.gateway.credentials import CredentialHealth
from appconnect.gateway.gateway import Gateway
from appconnect.gateway.refusals import refusal
from appconnect.gateway.remembered import RememberedAccess
from appconnect.gateway.slots import Slots
from appconnect.oauth.endpoints import Endpoints
from appconnect.ports import Health, Upstream
from appconnect.settings import Settings
from appconnect.site.upstream import PooledUpstream
from appconnect.store.engine import StoreUnavailableError
from appconnect.store.feed import INTERVAL_SECONDS, Feed
from appconnect.store.flusher import Flusher
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import WrongKeyError
from appconnect.telemetry import RequestLog, logger
from appconnect.throttle import Throttle

if TYPE_CHECKING:
    from appconnect.core.snapshot import Snapshot

HEALTHZ: Final = "/app-connect/healthz"
RESTART_SECONDS: Final = 1.0
_OBJECTS_BETWEEN_COLLECTIONS: Final = 10_000
IMPATIENCE_SECONDS: Final = 10.0
"""For the gateway's own checks: a request waits for one, and so does a worker that is to stop."""
ROUTES_INTERVAL_SECONDS: Final = 600.0
"""How often, while clients are at work, the site is asked whether its plugins have brought other routes."""
_OWN: Final = ("/app-connect", "/wp-json/app-connect/", "/.well-known/")
"""How every path begins at which the gateway itself answers."""
READYZ: Final = "/app-connect/readyz"
NOTICE_SECONDS: Final = 2 * INTERVAL_SECONDS
"""In which every other worker notices a change, too."""


@dataclass(slots=True)
class _Running:
    """What exists while a worker serves."""

    feed: Feed
    flusher: Flusher
    upstream: Upstream
    gateway: Gateway
    endpoints: Endpoints
    approved: Approved
    console: Application
    admin_api: Application


class App:
    """The ASGI application of one worker. Its parts are made when the server starts it, inside the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: _Running | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        assert self._running is not None
        await self._route(scope["path"], self._running)(scope, receive, send)

    def _route(self, path: str, running: _Running) -> Application:
        if not path.startswith(_OWN):
            return running.gateway
        if running.endpoints.serves(path.removesuffix("/")):
            return running.endpoints
        if path.startswith("/wp-json/app-connect/"):
            return partial(_answer_with, _NOT_FOUND)
        if path == "/app-connect" or path.startswith("/app-connect/"):
            return self._own(path, running)
        return running.gateway

    def _own(self, path: str, running: _Running) -> Application:
        if path == HEALTHZ:
            return partial(_answer_with, json_answer(200, {"status": "ok"}))
        if path == READYZ:
            return partial(_answer_with, _readiness(running.feed.snapshot))
        if running.approved.serves(path):
            return running.approved
        return running.admin_api if path.startswith(API_PATH + "/") else running.console

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        telemetry.configure(self._settings.log_level)
        async with self._serving(await self._build_or_end()):
            _leave_in_peace()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _build_or_end(self) -> _Running:
        """Build what serves. Without database, key or certificates this worker ends, and the supervisor tries again.

        It ends with status 1: any failure that uvicorn sees makes it stop the other workers too, and they still serve.
        """
        try:
            return self._build()
        except (StoreUnavailableError, WrongKeyError, OSError) as error:
            logger("app").error("this worker cannot start", error=str(error))
            await asyncio.sleep(RESTART_SECONDS)
            os._exit(1)

    @contextlib.asynccontextmanager
    async def _serving(self, running: _Running) -> AsyncIterator[None]:
        self._running = running
        watching = asyncio.create_task(running.feed.watch())
        flushing = asyncio.create_task(running.flusher.run())
        try:
            yield
        finally:
            async with contextlib.AsyncExitStack() as ending:  # the last one in is the first: what fails stops no other
                ending.push_async_callback(_end, flushing)
                ending.callback(running.flusher.close)
                ending.push_async_callback(running.upstream.close)
                ending.push_async_callback(running.gateway.credentials.close)
                ending.push_async_callback(_end, watching)
                watching.cancel()

    def _build(self) -> _Running:
        settings, store = self._settings, open_store(self._settings)
        feed, recorder = Feed(store, clock), Recorder()
        upstream = _upstream(settings)
        credentials = self._credential_health(store, feed, recorder)
        gateway = Gateway(
            current=lambda: feed.snapshot,
            upstream=upstream,
            clock=clock,
            remembered=RememberedAccess(),
            slots=Slots(settings.max_in_flight_per_client, settings.max_wait_seconds),
            credentials=credentials,
            recorder=recorder,
            untokened=settings.untokened,
            log=logger("gateway"),
            request_log=RequestLog("gateway"),
        )
        endpoints = Endpoints(
            current=lambda: feed.snapshot,
            catch_up=feed.tick,
            store=store,
            clock=clock,
            new_token_id=lambda: os.urandom(16).hex(),
            throttle=Throttle(time.monotonic),
            recorder=recorder,
        )
        flusher = Flusher(recorder.take, store.activities, clock)
        approved = Approved(lambda: self._context(store))
        return _Running(feed, flusher, upstream, gateway, endpoints, approved, *self._build_console(store, feed))

    def _context(self, store: SqlStore) -> Context:
        """The control plane as the gateway itself acts in it: a request waits for it, so it does not wait long."""
        return control_context(self._settings, store, actor="gateway", read_timeout_seconds=IMPATIENCE_SECONDS)

    def _credential_health(self, store: SqlStore, feed: Feed, recorder: Recorder) -> CredentialHealth:
        next_look = time.monotonic() + ROUTES_INTERVAL_SECONDS

        async def check(client_id: str) -> Health:
            nonlocal next_look
            health = await asyncio.to_thread(lambda: check_credential(self._context(store), client_id))
            recorder.checked(client_id, health, clock())
            if time.monotonic() > next_look:
                next_look = time.monotonic() + ROUTES_INTERVAL_SECONDS
                await asyncio.to_thread(lambda: refresh_route_templates(self._context(store)))
            await feed.tick()
            return health

        credentials = CredentialHealth(check, time.monotonic)
        feed.subscribe(credentials.note)
        return credentials

    def _build_console(self, store: SqlStore, feed: Feed) -> tuple[Application, Application]:
        def context(actor: str) -> Context:
            return control_context(self._settings, store, actor=actor)

        world = World(
            context=context,
            impatient_context=lambda: self._context(store),
            catch_up=feed.tick,
            current=lambda: feed.snapshot,
            monotonic=time.monotonic,
            throttle=Throttle(time.monotonic),
            public_url=self._settings.public_url,
        )
        settle_seconds = NOTICE_SECONDS if self._settings.workers > 1 else 0.0
        throttle = Throttle(time.monotonic)
        api = admin_api(context, catch_up=feed.tick, throttle=throttle, settle_seconds=settle_seconds)
        return console(world, PAGES), api


def _upstream(settings: Settings) -> Upstream:
    kind: Callable[..., Upstream] = PooledUpstream
    if settings.upstream_client == "aiohttp":
        from appconnect.site.aiohttp_upstream import AiohttpUpstream  # noqa: PLC0415 - it takes a worker 10 MB

        kind = AiohttpUpstream
    return kind(
        ca_file=settings.upstream_ca_file,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        answer_timeout_seconds=settings.upstream_answer_timeout_seconds,
    )


def _leave_in_peace() -> None:
    """What exists now stays: the collector of cycles need not look at it each time, and a request leaves no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


async def _end(task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await task


_NOT_FOUND = refusal(404, "rest_no_route", "There is nothing at this address.")


def _readiness(snapshot: "Snapshot") -> Answer:
    content = {"status": "ready", "revision": snapshot.revision}
    if snapshot.site is None:
        return json_answer(503, {**content, "status": "not connected", "remedy": "Run `app-connect connect SITE_URL`."})
    return json_answer(200, content)


async def _answer_with(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send_answer(send, answer)
