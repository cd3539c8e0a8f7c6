"""The console as one ASGI application: who visits, which page, and what becomes of what the page gives back."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar, assert_never
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from appconnect.asgi import Application
from appconnect.console.guard import SAFE_METHODS, Guard
from appconnect.console.passing import Left, from_cookie, packed, to_cookie, unpacked
from appconnect.console.proofs import Proofs, TooManyProofs
from appconnect.console.rendering import STATIC, Renderer, Static
from appconnect.console.site_card import SiteCards
from appconnect.console.web import (
    MAX_FORM_BYTES,
    PENDING_SECONDS,
    PREFIX,
    Away,
    Download,
    Form,
    Gone,
    Notice,
    PageRoute,
    Result,
    Shown,
    Visit,
)
from appconnect.control.context import CONSOLE, BusyError, Context, InputError, NotFoundError
from appconnect.control.sessions import find_session
from appconnect.core.sessions import SESSION_SECONDS, Session
from appconnect.core.snapshot import Snapshot
from appconnect.ports import UpstreamError
from appconnect.telemetry import logger
from appconnect.throttle import Throttle, TooManyFailures

MAX_THREADS: Final = 8
"""Pages wait for the database and for WordPress: in threads of their own, so that no client waits for them."""
NOTICE_SECONDS: Final = 60
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class World:
    """What the console needs of the worker that it runs in.

    `context` is for an actor; the impatient one asks WordPress what every page waits for, and does not wait long.
    """

    context: Callable[[str], Context]
    impatient_context: Callable[[], Context]
    catch_up: Callable[[], Awaitable[None]]
    current: Callable[[], Snapshot]
    monotonic: Callable[[], float]
    throttle: Throttle
    public_url: str


def console(world: World, pages: Sequence[PageRoute]) -> Application:
    """The console of these pages, behind its guard."""
    return Guard(_Console(world, pages).application(), world.public_url)


@dataclass(slots=True)
class _Console:
    world: World
    pages: Sequence[PageRoute]
    static: Static = field(default_factory=Static)
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="console")
    )
    proofs: Proofs = field(default_factory=Proofs)
    renderer: Renderer = field(init=False)
    cards: SiteCards = field(init=False)

    def __post_init__(self) -> None:
        self.renderer = Renderer(self.static)
        self.cards = SiteCards(self.world.impatient_context, self.world.monotonic)

    def application(self) -> Starlette:
        routes = [Route(STATIC + "/{digest}/{name}", self.static.serve)]
        for page in self.pages:
            methods = [name for name, function in (("GET", page.get), ("POST", page.post)) if function is not None]
            routes.append(Route(PREFIX + page.path, partial(self._answer, page), methods=methods))
        handlers = {
            HTTPException: self._http_error,
            InputError: self._input_error,
            UpstreamError: self._upstream_error,
        }
        application = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
        application.router.redirect_slashes = False  # it would redirect to the address behind a TLS terminator
        return application

    # -- one request --------------------------------------------------------------------------------------------------

    async def _answer(self, page: PageRoute, request: Request) -> Response:
        try:
            return await self._visited(page, request)
        except (HTTPException, InputError, UpstreamError):
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody reads
        except Exception as error:  # noqa: BLE001 - a page that fails must not show why, nor take its worker along
            # By its pattern: the address of the one-time link must not stand in a log.
            logger("console").error("page failed", page=PREFIX + page.path, exc_info=error)
            text = "The page could not be made. If you were changing something, look whether it was done."
            return await self._error(
                request, 500, "Something went wrong here", text, "The gateway's log says what it was."
            )

    async def _visited(self, page: PageRoute, request: Request) -> Response:
        session = await self._session(request)
        if not page.is_public and (way := _way_in(page, session, request)) is not None:
            return self._sent(way, session, request)
        is_act = request.method not in SAFE_METHODS
        form = Form.parse(await _body(request)) if is_act else Form()
        if session is not None:
            await self.world.catch_up()
        visit, notices = await self._run(lambda: self._visit(request, session, form))
        function = page.post if is_act else page.get
        assert function is not None
        address = request.client.host if request.client else "unknown"
        try:
            async with self.proofs.place(address) if page.is_proof else contextlib.nullcontext():
                result = await self._run(lambda: function(visit))
            if isinstance(result, Gone) and result.is_failed_proof:
                await self.world.throttle.after_failure(f"console {address}", address)
        except (TooManyProofs, TooManyFailures):
            raise HTTPException(429, "Too many sign-ins are under way. Wait a minute, then begin again.") from None
        if is_act:
            await self.world.catch_up()
        response = await self._respond(result, visit, page.section, notices)
        if self._cookie("notice") in request.cookies and isinstance(result, Shown):
            self._set_cookie(response, "notice", "", 0)
        return response

    def _sent(self, way: str, session: Session | None, request: Request) -> Response:
        """On the way in; whoever was in before learns what happened."""
        if request.headers.get("hx-request") == "true":  # a part of a page: the whole of it has to go
            answer = Response(headers={"hx-redirect": PREFIX + way})
        else:
            answer = RedirectResponse(PREFIX + way, 303)
        if session is None and self._cookie("session") in request.cookies:
            notices = to_cookie(self.world.context(CONSOLE), (_SESSION_ENDED,))
            self._set_cookie(answer, "notice", notices, NOTICE_SECONDS)
        return answer

    async def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(self._cookie("session"))
        if not token:
            return None
        return await self._run(lambda: find_session(self.world.context(CONSOLE), token))

    def _visit(self, request: Request, session: Session | None, form: Form) -> tuple[Visit, tuple[Notice, ...]]:
        context = self.world.context(f"{CONSOLE}:{session.login}" if session and session.login else CONSOLE)
        snapshot = self.world.current()
        is_whole = request.method == "GET" and request.headers.get("hx-request") != "true"
        passing = self._passing(context, request, session) if is_whole else Left()
        visit = Visit(
            request,
            session,
            context,
            snapshot,
            self.cards.card(snapshot.site),
            form,
            request.cookies.get(self._cookie("pending"), ""),
            passing.secret,
        )
        return visit, passing.notices

    def _passing(self, context: Context, request: Request, session: Session | None) -> Left:
        """What the page before has left for this one; another page that comes in between leaves it alone."""
        if session is None:
            return Left(from_cookie(context, request.cookies.get(self._cookie("notice"), "")))
        left = context.store.sessions.take_notice(session.id, request.url.path.removeprefix(PREFIX))
        return unpacked(left) if left is not None else Left()

    async def _respond(self, result: Result, visit: Visit, section: str, notices: tuple[Notice, ...]) -> Response:
        match result:
            case Shown():
                return self.renderer.page(result, visit, section, notices)
            case Gone():
                return await self._run(lambda: self._gone(result, visit))
            case Away(url, pending):
                response = RedirectResponse(url, 303)
                self._set_cookie(response, "pending", pending, PENDING_SECONDS)
                return response
            case Download(name, media_type, pieces):
                headers = {"content-disposition": f'attachment; filename="{name}"'}
                return StreamingResponse(pieces, media_type=media_type, headers=headers)
            case _:
                assert_never(result)

    def _gone(self, gone: Gone, visit: Visit) -> Response:
        response = RedirectResponse(PREFIX + gone.path, 303)
        session = gone.begun.session if gone.begun else visit.session
        if gone.begun is not None:
            self._set_cookie(response, "session", gone.begun.token, SESSION_SECONDS)
            self._set_cookie(response, "pending", "", 0)
        elif gone.ends_session:
            self._set_cookie(response, "session", "", 0)
        if gone.ends_session or session is None:
            self._set_cookie(response, "notice", to_cookie(visit.context, gone.notices), NOTICE_SECONDS)
        elif gone.notices or gone.secret:
            visit.context.store.sessions.leave_notice(session.id, gone.path.partition("?")[0], packed(gone))
        return response

    # -- cookies and threads ------------------------------------------------------------------------------------------

    def _cookie(self, name: str) -> str:
        return f"{'__Secure-' if self._is_https else ''}app-connect-{name}"

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Below our own path only: the rest of the host may be the site's."""
        response.set_cookie(
            self._cookie(name),
            value,
            max_age=seconds,
            path=PREFIX,
            secure=self._is_https,
            httponly=True,
            samesite="lax",
        )

    @property
    def _is_https(self) -> bool:
        return self.world.public_url.startswith("https://")

    async def _run(self, function: Callable[[], _Found]) -> _Found:
        return await asyncio.get_running_loop().run_in_executor(self.threads, function)

    # -- errors -------------------------------------------------------------------------------------------------------

    async def _http_error(self, request: Request, error: HTTPException) -> Response:
        title = _TITLES.get(error.status_code, "This cannot be done")
        return await self._error(request, error.status_code, title, _TEXTS.get(error.detail, error.detail), "")

    async def _input_error(self, request: Request, error: InputError) -> Response:
        status = 404 if isinstance(error, NotFoundError) else 409 if isinstance(error, BusyError) else 400
        first = error.problems[0]
        return await self._error(request, status, "This cannot be done", first.problem, first.remedy)

    async def _upstream_error(self, request: Request, error: UpstreamError) -> Response:
        return await self._error(request, 502, "WordPress did not do its part", error.facts, error.remedy)

    async def _error(self, request: Request, status: int, title: str, text: str, remedy: str) -> Response:
        values = {"page_title": title, "text": text, "remedy": remedy}
        return self.renderer.page(Shown("error.html", values, status), await self._lost(request), "", ())

    async def _lost(self, request: Request) -> Visit | None:
        """The visit of an administrator for whom nothing else could be shown, so that the way on is."""
        with contextlib.suppress(Exception):  # what went wrong may be what is asked for here
            session = await self._session(request)
            if session is not None and session.is_administrator:
                return await self._run(lambda: self._visited_by(request, session))
        return None

    def _visited_by(self, request: Request, session: Session) -> Visit:
        snapshot = self.world.current()
        return Visit(request, session, self.world.context(CONSOLE), snapshot, self.cards.card(snapshot.site))


_SESSION_ENDED: Final = Notice("info", "Your session has ended. Sign in again; what you had not saved is lost.")
_TITLES: Final = {
    404: "There is nothing at this address",
    405: "This address does not do that",
    413: "This form is too long",
    415: "This is not a form",
    429: "Not so fast",
}
_TEXTS: Final = {
    "Not Found": "The address may be mistyped, or what it showed may have been deleted.",
    "Method Not Allowed": "Open the page that has the button for it, and press it there.",
}
"""For those that name only their status."""


def _way_in(page: PageRoute, session: Session | None, request: Request) -> str | None:
    """Where somebody has to go first: to sign in, or to finish what the one-time link began."""
    if session is not None and (session.is_administrator or page.is_for_setup):
        return None
    if session is not None:
        return "/setup"
    own = request.url.path.removeprefix(PREFIX)
    is_worth_returning = page.get is not None and own not in ("", "/")
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/sign-in?next={quote(own + query, safe='')}" if is_worth_returning else "/sign-in"


async def _body(request: Request) -> bytes:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in ("application/x-www-form-urlencoded", ""):
        raise HTTPException(415, "Forms are sent as application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"A form may have {MAX_FORM_BYTES:,} bytes.")
    return bytes(body)
