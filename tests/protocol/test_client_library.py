"""The client library over real sockets: redirects, a crowd of threads, a pool of one connection, streamed bodies.

MockTransport reads each body into memory, which makes it repeatable: only a socket tells how a stream fares.
"""

import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from appconnect.client import AppConnect, TokenError

TOKEN_PATH = "/wp-json/app-connect/v1/token"
CROWD = 20
DEADLINE_SECONDS = 20


@dataclass
class Seen:
    """What one server on loopback was asked, and where it sends each path."""

    url: str
    redirects: dict[str, str] = field(default_factory=dict)
    refused: set[str | None] = field(default_factory=set)
    gates: dict[str, threading.Barrier] = field(default_factory=dict)  # met on arrival, and again before the answer
    paths: list[str] = field(default_factory=list)
    credentials: list[str | None] = field(default_factory=list)

    @property
    def token_requests(self) -> int:
        return self.paths.count(TOKEN_PATH)


class RoomyServer(ThreadingHTTPServer):
    request_queue_size = 2 * CROWD  # a full queue would cost a crowd a second


@contextmanager
def running_server() -> Iterator[Seen]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.paths.append(self.path)
            seen.credentials.append(self.headers["Authorization"])
            if self.path in seen.gates:
                seen.gates[self.path].wait(DEADLINE_SECONDS)
                seen.gates[self.path].wait(DEADLINE_SECONDS)
            token = {"token_type": "Bearer", "access_token": f"token-{seen.token_requests}", "expires_in": 3600}
            is_refused = self.headers["Authorization"] in seen.refused
            location = seen.redirects.get(self.path)
            body = json.dumps(token).encode()
            self.send_response(307 if location else 401 if is_refused else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
            self.send_header("Location", location or "")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 the standard library's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = RoomyServer(("127.0.0.1", 0), Answering)
    seen = Seen(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Seen]:
    with running_server() as seen:
        yield seen


@pytest.fixture
def elsewhere() -> Iterator[Seen]:
    with running_server() as seen:
        yield seen


@pytest.fixture
def auth(site: Seen) -> AppConnect:
    return AppConnect(site.url, "backend", "s3cret")


def test_a_redirect_to_another_origin_is_followed_without_the_token(site: Seen, elsewhere: Seen, auth: AppConnect):
    site.redirects["/wp-json/"] = f"{elsewhere.url}/wp-json/"
    with httpx.Client(base_url=site.url, auth=auth, follow_redirects=True) as http:
        http.get("/wp-json/")
    assert site.credentials[-1] == "Bearer token-1"
    assert elsewhere.credentials == [None]


async def test_an_asynchronous_redirect_to_another_origin_is_followed_without_the_token(
    site: Seen, elsewhere: Seen, auth: AppConnect
):
    site.redirects["/wp-json/"] = f"{elsewhere.url}/wp-json/"
    async with httpx.AsyncClient(base_url=site.url, auth=auth, follow_redirects=True) as http:
        await http.get("/wp-json/")
    assert elsewhere.credentials == [None]


def test_a_401_from_another_origin_costs_no_token(site: Seen, elsewhere: Seen, auth: AppConnect):
    site.redirects["/wp-json/"] = f"{elsewhere.url}/wp-json/"
    elsewhere.refused = {None}
    with httpx.Client(base_url=site.url, auth=auth, follow_redirects=True) as http:
        assert http.get("/wp-json/").status_code == 401
        http.get("/wp-json/wp/v2/posts")
    assert site.token_requests == 1


def test_a_redirect_within_the_site_keeps_the_token(site: Seen, auth: AppConnect):
    site.redirects["/wp-json"] = f"{site.url}/wp-json/"
    with httpx.Client(base_url=site.url, auth=auth, follow_redirects=True) as http:
        http.get("/wp-json")
    assert site.credentials[-2:] == ["Bearer token-1", "Bearer token-1"]


def test_the_secret_does_not_follow_a_redirect_and_a_foreign_token_is_not_taken(
    site: Seen, elsewhere: Seen, auth: AppConnect
):
    site.redirects[TOKEN_PATH] = f"{elsewhere.url}{TOKEN_PATH}"
    with httpx.Client(base_url=site.url, auth=auth, follow_redirects=True) as http, pytest.raises(TokenError):
        http.get("/wp-json/")
    assert elsewhere.credentials == [None]


def test_a_crowd_of_threads_with_one_client_needs_one_token(site: Seen, auth: AppConnect):
    start = threading.Barrier(CROWD)

    def call(_: int) -> int:
        start.wait(DEADLINE_SECONDS)
        return http.get("/wp-json/").status_code

    limits = httpx.Limits(max_connections=CROWD)
    with httpx.Client(base_url=site.url, auth=auth, limits=limits) as http, ThreadPoolExecutor(CROWD) as threads:
        assert list(threads.map(call, range(CROWD))) == [200] * CROWD
    assert site.token_requests == 1


def test_a_refused_token_is_replaced_over_a_pool_of_one_connection(site: Seen, auth: AppConnect):
    site.refused = {"Bearer token-1"}
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=site.url, auth=auth, limits=limits) as http, http.stream("GET", "/wp-json/") as answer:
        assert answer.status_code == 200
    assert site.credentials[1:] == ["Bearer token-1", site.credentials[0], "Bearer token-2"]


async def test_a_refused_token_is_replaced_over_an_asynchronous_pool_of_one_connection(site: Seen, auth: AppConnect):
    site.refused = {"Bearer token-1"}
    limits = httpx.Limits(max_connections=1)
    http = httpx.AsyncClient(base_url=site.url, auth=auth, limits=limits)
    async with http, http.stream("GET", "/wp-json/") as answer:
        assert answer.status_code == 200
    assert site.credentials[-1] == "Bearer token-2"


def test_a_refused_request_does_not_hold_the_connection_that_the_fetch_of_another_needs(site: Seen):
    """The first is refused while the second renews: both get through a pool of one connection."""
    gate = site.gates["/first"] = threading.Barrier(2)
    site.refused = {"Bearer token-1"}
    second_asked = threading.Event()
    times = iter([0, 3600, 3600, 3600])

    def clock() -> float:
        now = next(times)
        if now:
            second_asked.set()
        return now

    auth = AppConnect(site.url, "backend", "s3cret", clock=clock)
    http = httpx.Client(base_url=site.url, auth=auth, limits=httpx.Limits(max_connections=1))
    with http, ThreadPoolExecutor(2) as threads:
        first = threads.submit(http.get, "/first")
        gate.wait(DEADLINE_SECONDS)
        second = threads.submit(http.get, "/second")
        assert second_asked.wait(DEADLINE_SECONDS)
        gate.wait(DEADLINE_SECONDS)
        site.gates.clear()
        assert [first.result().status_code, second.result().status_code] == [200, 200]


def generated() -> Iterator[bytes]:
    yield b"once"


async def generated_asynchronously() -> AsyncIterator[bytes]:
    yield b"once"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"content": generated(), "headers": {"Content-Length": "4"}}, id="generator"),
        pytest.param({"content": io.BytesIO(b"once")}, id="file"),
        pytest.param({"files": {"file": io.BytesIO(b"once")}}, id="multipart"),
    ],
)
def test_a_streamed_body_is_not_repeated_but_the_next_request_has_a_new_token(
    site: Seen, auth: AppConnect, body: dict[str, Any]
):
    site.refused = {"Bearer token-1"}
    with httpx.Client(base_url=site.url, auth=auth) as http:
        assert http.post("/wp-json/wp/v2/media", **body).status_code == 401
        assert http.get("/wp-json/wp/v2/media").status_code == 200
    assert site.paths == [TOKEN_PATH, "/wp-json/wp/v2/media"] * 2


async def test_an_asynchronously_streamed_body_is_not_repeated(site: Seen, auth: AppConnect):
    site.refused = {"Bearer token-1"}
    async with httpx.AsyncClient(base_url=site.url, auth=auth) as http:
        body = generated_asynchronously()
        answer = await http.post("/wp-json/wp/v2/media", content=body, headers={"Content-Length": "4"})
    assert answer.status_code == 401


def test_a_body_in_memory_is_repeated(site: Seen, auth: AppConnect):
    site.refused = {"Bearer token-1"}
    with httpx.Client(base_url=site.url, auth=auth) as http:
        assert http.post("/wp-json/wp/v2/posts", json={"title": "Hello"}).status_code == 200
