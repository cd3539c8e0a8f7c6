"""The admin API: every operation as JSON over HTTP, for programs with an administrator token.

    admin_api(context, catch_up=feed.tick, throttle=Throttle(time.monotonic), settle_seconds=0.5) -> ASGI application

It answers everything below `/app-connect/api`; it matches the whole path as it was sent, so it may be mounted or called
as it is. There are no cookies here, so nothing that a browser adds by itself opens anything.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote

from appconnect.asgi import Answer, Application, BodyTooLarge, ClientGone, Receive, Scope, Send, read_body, send_answer
from appconnect.asgi import json_answer as plain_json
from appconnect.console import openapi
from appconnect.console.problems import (
    SECURITY,
    Problem,
    insufficient_scope,
    of_input,
    of_upstream,
    problem,
    unauthorized,
)
from appconnect.control.admin_tokens import known_token
from appconnect.control.context import Context, InputError
from appconnect.control.operations.operation import AnyOperation, Caller, from_json, from_texts, to_json
from appconnect.control.operations.table import OPERATIONS
from appconnect.core.admin_tokens import AdminToken
from appconnect.ports import UpstreamError
from appconnect.telemetry import logger
from appconnect.throttle import Throttle, TooManyFailures

PATH: Final = "/app-connect/api"
ROOT: Final = f"{PATH}/v1"
DOCUMENT: Final = f"{ROOT}/openapi.json"
MAX_BODY_BYTES: Final = 256 * 1024
MAX_THREADS: Final = 4
"""Operations wait for the database and for WordPress: in threads of their own, so that no request waits for them."""
_Result = TypeVar("_Result")


def admin_api(
    context: Callable[[str], Context],
    *,
    catch_up: Callable[[], Awaitable[None]],
    throttle: Throttle,
    settle_seconds: float,
) -> Application:
    """The ASGI application. `context` makes one for an actor; `catch_up` loads this worker's snapshot anew.

    After a change, the answer is held back for `settle_seconds`, in which the other workers notice it.
    """
    return _AdminApi(context, catch_up, throttle, settle_seconds)


@dataclass(frozen=True, slots=True)
class _AdminApi:
    context: Callable[[str], Context]
    catch_up: Callable[[], Awaitable[None]]
    throttle: Throttle
    settle_seconds: float
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="admin-api")
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Problem as error:
            answer = error.answer
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the program is told, and the operator finds it in the log
            logger("console.api").error("failed", error=f"{type(error).__name__}: {error}", exc_info=True)
            text, remedy = "It could not be done now.", "Try again. If it stays so, see the gateway's log."
            answer = problem(500, "gateway", text, remedy, kind="other").answer
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        token = await self._authenticate(scope)
        if _path(scope) == DOCUMENT:
            if scope["method"] != "GET":
                raise _method_not_allowed(["GET"])
            return _json(200, await self._in_thread(openapi.document))
        operation, places = _operation(scope["method"], _path(scope))
        if operation.scope not in token.scopes:
            raise insufficient_scope(operation.name, operation.scope)
        given = await _given(operation, places, scope, receive)
        return await self._perform(operation, given, Caller(self.context(token.actor), token))

    async def _authenticate(self, scope: Scope) -> AdminToken:
        """RFC 6750 §2.1: in the `Authorization` header, once, and nowhere else."""
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if not shown:
            raise unauthorized("A token is needed.", _HOW, is_presented=False)
        kind, _, text = shown[0].decode("latin-1").partition(" ")
        is_single = len(shown) == 1 and kind.lower() == "bearer"
        token = await self._in_thread(known_token, self.context("api"), text.strip(" ")) if is_single else None
        if token is None:
            await self._slow_down(scope)
            raise unauthorized("The token is not valid, has expired, or was revoked.", _HOW, is_presented=True)
        return token

    async def _slow_down(self, scope: Scope) -> None:
        address = scope["client"][0] if scope.get("client") else "unknown"
        try:
            await self.throttle.after_failure(f"admin {address}", address)
        except TooManyFailures:
            text = "Too many wrong tokens came from this address."
            raise problem(429, "token", text, "Wait a little.", (b"retry-after", b"2"), kind="other") from None

    async def _perform(self, operation: AnyOperation, given: Any, caller: Caller) -> Answer:
        store = caller.context.store
        try:
            before = await self._in_thread(store.revision)
            result = await self._in_thread(operation.run, caller, given)
        except InputError as error:
            raise of_input(error, operation) from error
        except UpstreamError as error:
            raise of_upstream(error) from error
        if await self._in_thread(store.revision) != before:
            await self.catch_up()
            await asyncio.sleep(self.settle_seconds)
        return _json(operation.status, to_json(result))

    async def _in_thread(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)


_HOW: Final = "Send `Authorization: Bearer` and a token made with `app-connect admin-tokens create`."


# -- steps ------------------------------------------------------------------------------------------------------------


def _path(scope: Scope) -> str:
    """As it was sent: an encoded slash in a client's name is no separator."""
    return str(scope["raw_path"].decode("latin-1"))


def _operation(method: str, path: str) -> tuple[AnyOperation, dict[str, str]]:
    """The operation at a path, and what stands in its places."""
    segments = path.removeprefix(ROOT).split("/")
    there = {one.method: (one, places) for one in OPERATIONS if (places := _places(one, segments)) is not None}
    if not path.startswith(ROOT + "/") or not there:
        raise problem(404, "path", "There is nothing at this address.", f"{DOCUMENT} lists what there is.")
    if (chosen := next((there[one] for one in there if one == method), None)) is None:
        raise _method_not_allowed(list(there))
    return chosen


def _places(operation: AnyOperation, segments: list[str]) -> dict[str, str] | None:
    """What stands in the places of an operation's path, where that is the path."""
    wanted, places = operation.path.split("/"), dict[str, str]()
    if len(wanted) != len(segments):
        return None
    for pattern, segment in zip(wanted, segments, strict=True):
        if pattern.startswith("{") and segment:
            places[pattern[1:-1]] = unquote(segment, errors="replace")
        elif pattern != segment:
            return None
    return places


def _method_not_allowed(allowed: list[str]) -> Problem:
    named = ", ".join(sorted(allowed))
    return problem(405, "method", "This address does not take it.", f"Use {named}.", (b"allow", named.encode()))


async def _given(operation: AnyOperation, places: Mapping[str, str], scope: Scope, receive: Receive) -> Any:
    """What the operation is given: the path's places, and the query of a GET or else the body."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")
    content = {} if operation.method == "GET" else _object(scope, await _body(receive))
    beside = dict(query)
    twice = [name for name in (*places, *beside) if name in content or (name in places and name in beside)]
    try:
        if twice or len(query) != len(beside):
            raise InputError.of(", ".join(twice) or "query", "is given twice.", "Give it once.")
        if operation.method == "GET":
            return from_texts(operation.takes, {**beside, **places})
        if beside:
            raise InputError.of("query", "is not read here.", "Send it as JSON in the body.")
        return from_json(operation.takes, {**content, **places})
    except InputError as error:
        wrong = of_input(error, operation).answer
        raise Problem(wrong) from error


async def _body(receive: Receive) -> bytes:
    try:
        return await read_body(receive, max_bytes=MAX_BODY_BYTES)
    except BodyTooLarge:
        text = f"It is longer than {MAX_BODY_BYTES} bytes."
        raise problem(413, "body", text, "Send less.", (b"connection", b"close")) from None


def _object(scope: Scope, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    if [one.partition(b";")[0].strip().lower() for one in types] != [b"application/json"]:
        raise problem(415, "Content-Type", "Only JSON is read.", "Send `Content-Type: application/json`.")
    try:
        content = json.loads(body, object_pairs_hook=_no_repetition)
    except (ValueError, RecursionError) as error:
        raise problem(400, "body", f"It is not JSON: {error}.", "Correct it.") from error
    if not isinstance(content, dict):
        raise problem(400, "body", "It is not a JSON object.", "Send an object with the fields by name.")
    return content


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice means one thing to us and another to whoever checks before us."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return content


def _json(status: int, content: Any) -> Answer:
    answer = plain_json(status, content)
    return Answer(status, (*answer.headers, *SECURITY), answer.body)
