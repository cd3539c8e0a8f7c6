"""The client library: access tokens for a backend service that uses httpx. It needs nothing else of this package.

All that a backend service writes is:

    auth = AppConnect("https://your-site.com", client_id, client_secret)
    with httpx.Client(base_url="https://your-site.com", auth=auth) as http:
        http.post("/wp-json/wp/v2/posts", json={"title": "Hello", "status": "publish"})
"""

import asyncio
import concurrent.futures
import ipaddress
import re
import threading
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx

TOKEN_PATH = "/wp-json/app-connect/v1/token"  # noqa: S105 a path, no secret
LONGEST_LIFE_SECONDS = 366 * 86_400  # App Connect stops at a day; more than a year is somebody's mistake
BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1, b64token
CHALLENGE_PART = re.compile(r'([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)|([\w-]+)')  # RFC 9110 §11.6.1
REMEDIES = {
    "invalid_client": "Check the client ID and the client secret: one may be mistyped, expired or replaced.",
    "unauthorized_client": "Ask the administrator to enable this client, and Client Credentials"
    " both globally and for this client.",
    "temporarily_unavailable": "Try again later.",
}


class TokenError(Exception):
    """The token endpoint gave no usable access token; the message says why and what to do.

    `error` and `description` are the endpoint's own (RFC 6749 §5.2); `error` is None where it named none.
    """

    def __init__(
        self, message: str, *, error: str | None = None, description: str = "", status_code: int | None = None
    ) -> None:
        super().__init__(message)
        self.error, self.description, self.status_code = error, description, status_code


@dataclass(frozen=True, slots=True, eq=False)
class _Token:
    value: str = field(repr=False)
    renew_at: float  # by the clock of its AppConnect
    granted_rest_routes: tuple[str, ...]


# One flow serves sync and async. It asks its driver: send this (and gets the response); read its body; wait for that.
_Fetch = concurrent.futures.Future[TokenError | None]
_Step = httpx.Request | httpx.Response | _Fetch


class AppConnect(httpx.Auth):
    """Adds an access token to each request to one site, for `httpx.Client` and `httpx.AsyncClient` (asyncio).

    Sharing: one instance may serve any number of clients, threads, tasks and event loops. While one request
    fetches the token (through its own client: same proxies, certificates, timeouts) the others wait for it, a
    thread by blocking, a task by awaiting, each as long as its `pool` timeout; then `httpx.PoolTimeout`. If the
    fetch ends in a `TokenError`, all raise it; if it was canceled or its connection failed, the next one fetches.

    Refused tokens: a 401 with `error="invalid_token"` gets a new token and one repetition, if the body is in memory
    (`json=`, `data=`, bytes, none). A streamed body, `files=` included, is spent by then, and reading each upload
    into memory just in case would cost more: its 401 is returned, and the next request has a new token. The same
    goes for a 401 after a redirect, since the request itself may have been carried out.

    Safety: only requests to the scheme, host and port of `site` get the token, and httpx drops it when a redirect
    leaves them (save from http://localhost to its https). A request that fetched the token has the token endpoint's
    answer in its `response.history`.
    """

    def __init__(
        self,
        site: str,
        client_id: str,
        client_secret: str,
        *,
        leeway_seconds: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise `ValueError` for a site that is neither https nor loopback, and for an unusable ID or secret.

        A token is renewed `leeway_seconds` before it expires, though never before four fifths of its life.
        """
        self._site = _parse_site(site)
        self._origin = _origin(self._site)
        for name, value in (("client ID", client_id), ("client secret", client_secret)):
            if not value or value != value.strip():
                raise ValueError(f"The {name} is empty or has spaces around it: copy it again from App Connect.")
        self._client_id = client_id
        # RFC 6749 §2.3.1: both halves are encoded, so that a colon or a percent sign in them survives.
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self._authorization = "Basic " + b64encode(pair.encode("ascii")).decode("ascii")
        self._leeway_seconds, self._clock = leeway_seconds, clock
        self._lock = threading.Lock()  # guards the two below for a moment, never across I/O
        self._token: _Token | None = None
        self._fetch: _Fetch | None = None

    def __repr__(self) -> str:
        return f"AppConnect({str(self._site)!r}, client_id={self._client_id!r})"

    @property
    def granted_rest_routes(self) -> tuple[str, ...]:
        """The route rules that came with the last token, such as `GET /wp-json/wp/v2/posts`; none before it."""
        return self._token.granted_rest_routes if self._token else ()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with closing(self._flow(request)) as flow, suppress(StopIteration):
            step, answer = next(flow), None
            while True:
                if isinstance(step, httpx.Request):
                    answer = yield step
                elif isinstance(step, httpx.Response):
                    step.read()
                else:
                    concurrent.futures.wait([step], _patience_seconds(request))
                step = flow.send(answer)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        with closing(self._flow(request)) as flow, suppress(StopIteration):
            step, answer = next(flow), None
            while True:
                if isinstance(step, httpx.Request):
                    answer = yield step
                elif isinstance(step, httpx.Response):
                    await step.aread()
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.wrap_future(step), _patience_seconds(request))
                step = flow.send(answer)

    def _flow(self, request: httpx.Request) -> Generator[_Step, Any, None]:
        if _origin(request.url) != self._origin:
            yield request
            return
        token = yield from self._usable_token(request)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response: httpx.Response = yield request
        if not _refuses_token(response) or _origin(response.request.url) != self._origin:
            return
        yield response  # its connection is free again before this waits for another
        with self._lock:
            if self._token is token:  # otherwise somebody has renewed it already
                self._token = replace(token, renew_at=float("-inf"))
        if response.request is request and isinstance(request.stream, httpx.ByteStream):
            token = yield from self._usable_token(request)
            request.headers["Authorization"] = f"Bearer {token.value}"
            yield request

    def _usable_token(self, request: httpx.Request) -> Generator[_Step, Any, _Token]:
        while True:
            now = self._clock()
            with self._lock:
                if self._token and now < self._token.renew_at:
                    return self._token
                fetch = self._fetch
                if is_own := fetch is None:
                    fetch = self._fetch = _Fetch()
                    fetch.set_running_or_notify_cancel()  # a waiter that is canceled must not cancel it for all
            if is_own:
                return (yield from self._fetch_token(fetch, request, now))
            yield fetch
            if not fetch.done():
                raise httpx.PoolTimeout("Another request is still fetching the access token.", request=request)
            if error := fetch.result():
                raise error

    def _fetch_token(self, fetch: _Fetch, request: httpx.Request, now: float) -> Generator[_Step, Any, _Token]:
        token = failure = None
        try:
            token_request = self._token_request(request)
            response: httpx.Response = yield token_request
            yield response
            token = _parse_token(response, token_request, now, self._leeway_seconds)
        except TokenError as error:
            failure = error
            raise
        finally:  # also when the driver closes this flow: the connection failed, or the task was canceled
            with self._lock:
                self._token, self._fetch = token or self._token, None
            fetch.set_result(failure)
        return token

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if "User-Agent" in request.headers:  # some firewalls refuse a request without one
            headers["User-Agent"] = request.headers["User-Agent"]
        return httpx.Request(
            "POST",
            self._site.copy_with(path=self._site.path.rstrip("/") + TOKEN_PATH),
            headers=headers,
            data={"grant_type": "client_credentials"},
            # httpx sets the client's limits on the requests that it builds; without them this would have none.
            extensions={"timeout": request.extensions.get("timeout", {})},
        )


def _patience_seconds(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("pool")
    return seconds


def _parse_site(text: str) -> httpx.URL:
    remedy = "write it as https://your-site.com"
    try:
        site = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"The site is no URL ({error}): {remedy}") from None
    if site.scheme not in {"http", "https"} or not site.host or site.userinfo or site.query or site.fragment:
        raise ValueError(f"The site needs a scheme and a host, and no user, query or fragment: {remedy}")
    if site.scheme == "http" and not _is_loopback(site.host):
        raise ValueError(f"http shows the secret to the network and is for loopback only: use https://{site.host}")
    return site


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port  # httpx leaves out a scheme's default port


def _refuses_token(response: httpx.Response) -> bool:
    """Whether this is RFC 6750 §3.1's `invalid_token`; other schemes may stand in the same header."""
    scheme = ""
    for name, value, word in CHALLENGE_PART.findall(response.headers.get("WWW-Authenticate", "")):
        scheme = word.lower() or scheme
        if (scheme, name.lower(), value.strip('"')) == ("bearer", "error", "invalid_token"):
            return response.status_code == 401
    return False


def _parse_token(response: httpx.Response, token_request: httpx.Request, now: float, leeway_seconds: float) -> _Token:
    """Read an answer of RFC 6749 §5.1 or §5.2, believing nothing; raise `TokenError`."""
    status = response.status_code
    if response.request is not token_request or response.is_redirect:
        # httpx left the secret behind when it followed, and a token from elsewhere is not our site's.
        raise TokenError("The token endpoint redirects: give AppConnect the site's final address.", status_code=status)
    try:
        content = response.json()
    except (ValueError, RecursionError):
        content = None
    match content:
        case {"error": str(error), **rest}:
            error, description = _printable(error), _printable(rest.get("error_description"))
            message = f"The token endpoint answered {error} (HTTP {status}). {description} {REMEDIES.get(error, '')}"
            raise TokenError(message.strip(), error=error, description=description, status_code=status)
        case {"token_type": str(kind), "access_token": str(value), "expires_in": int(life)} if status == 200:
            if kind.lower() != "bearer":
                problem = "token_type is not Bearer"
            elif not BEARER_TOKEN.fullmatch(value):
                problem = "access_token has characters that no token has"
            elif not 0 < life <= LONGEST_LIFE_SECONDS:
                problem = "expires_in is absurd"
            else:
                routes = content.get("granted_rest_routes")
                granted = tuple(map(str, routes)) if isinstance(routes, list) else ()
                return _Token(value, now + life - min(leeway_seconds, life / 5), granted)
        case _:
            problem = "no JSON object with token_type, access_token and a whole expires_in"
    remedy = "Try again later." if status >= 500 else "Does the site's address lead to App Connect?"
    raise TokenError(
        f"The token endpoint's answer (HTTP {status}) is unusable: {problem}. {remedy}", status_code=status
    )


def _printable(text: object) -> str:
    return "".join(filter(str.isprintable, text))[:300] if isinstance(text, str) else ""
