"""The client library, over httpx's MockTransport: what it sends, what it keeps, what it shares, what it refuses."""

import asyncio
import pickle
import threading
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appconnect.client import AppConnect, TokenError

SITE = "https://your-site.com"
POSTS = f"{SITE}/wp-json/wp/v2/posts"
TOKEN_PATH = "/wp-json/app-connect/v1/token"
DEADLINE_SECONDS = 20
CROWD = 20
REFUSAL = 'Bearer realm="App Connect", error="invalid_token", error_description="expired"'

Call = Callable[..., httpx.Response]


class Clock:
    """Stands still, and can tell when it was asked `crowd` times, which each request does before it needs a token."""

    def __init__(self, crowd: int = 0) -> None:
        self.now = 1000.0
        self.crowd = crowd
        self.asked = 0
        self.everyone_asked = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            self.asked += 1
            if self.asked == self.crowd:
                self.everyone_asked.set()
        return self.now


class Site:
    """Issues token-1, token-2, …; answers 401 to those in `refused`, and tells the caller's token to the others."""

    def __init__(self, refused: tuple[str, ...] = (), lifetime: int = 3600, challenge: str = REFUSAL) -> None:
        self.refused = set(refused)
        self.lifetime = lifetime
        self.challenge = challenge
        self.token_requests: list[httpx.Request] = []
        self.calls: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(TOKEN_PATH):
            self.token_requests.append(request)
            return self.token()
        self.calls.append(request)
        used = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if used in self.refused:
            return httpx.Response(401, headers={"WWW-Authenticate": self.challenge}, json={"code": "refused"})
        return httpx.Response(200, text=used)

    def token(self) -> httpx.Response:
        return httpx.Response(200, json=token_answer(f"token-{len(self.token_requests)}", expires_in=self.lifetime))


def token_answer(value: str = "token-1", **changes: Any) -> dict[str, Any]:
    routes = ["GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts"]
    answer = {"token_type": "Bearer", "access_token": value, "expires_in": 3600, "granted_rest_routes": routes}
    return answer | changes


def made(site: str = SITE, **options: Any) -> AppConnect:
    return AppConnect(site, **({"client_id": "backend", "client_secret": "s3cret"} | options))


def call_blocking(auth: AppConnect, site: Any, method: str = "GET", url: str = POSTS, **options: Any) -> httpx.Response:
    with httpx.Client(auth=auth, transport=httpx.MockTransport(site)) as http:
        return http.request(method, url, **options)


async def call_awaiting(
    auth: AppConnect, site: Any, method: str = "GET", url: str = POSTS, **options: Any
) -> httpx.Response:
    async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(site)) as http:
        return await http.request(method, url, **options)


def call_in_a_loop_of_its_own(*arguments: Any, **options: Any) -> httpx.Response:
    return asyncio.run(call_awaiting(*arguments, **options))


@pytest.fixture(params=[call_blocking, call_in_a_loop_of_its_own], ids=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest) -> Call:
    wanted: Call = request.param
    return wanted


def problem_of(answer: httpx.Response) -> TokenError:
    with pytest.raises(TokenError) as caught:
        call_blocking(made(), lambda _: answer)
    return caught.value


# --- The token request -------------------------------------------------------------------------------------------


def test_a_request_carries_a_token_that_was_asked_for_with_basic_credentials(call: Call):
    """RFC 6749 §4.4.2."""
    site = Site()
    answer = call(made(), site, "POST", json={"title": "Hello"})
    asked = site.token_requests[0]
    assert answer.text == "token-1"
    assert (asked.method, str(asked.url)) == ("POST", f"{SITE}{TOKEN_PATH}")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"]}
    assert asked.headers["Authorization"] == "Basic YmFja2VuZDpzM2NyZXQ="  # backend:s3cret


unusual = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip())


@settings(deadline=None)  # no test is timed
@given(client_id=unusual, client_secret=unusual)
def test_any_credentials_survive_the_basic_scheme(client_id: str, client_secret: str):
    """RFC 6749 §2.3.1: each half is form-encoded before they are joined by a colon."""
    site = Site()
    call_blocking(made(client_id=client_id, client_secret=client_secret), site)
    sent = b64decode(site.token_requests[0].headers["Authorization"].removeprefix("Basic ")).decode("ascii")
    assert [unquote_plus(half) for half in sent.split(":")] == [client_id, client_secret]


def test_the_token_endpoint_of_a_site_in_a_folder_is_in_that_folder(call: Call):
    site = Site()
    call(made("https://your-site.com/blog/"), site, url="https://your-site.com/blog/wp-json/wp/v2/posts")
    assert site.token_requests[0].url.path == f"/blog{TOKEN_PATH}"


def test_the_token_request_has_the_time_limits_and_the_user_agent_of_the_request_that_needs_it(call: Call):
    site = Site()
    limits = httpx.Timeout(7, connect=3)
    call(made(), site, timeout=limits, headers={"User-Agent": "newsroom/1.0"})
    assert site.token_requests[0].extensions["timeout"] == limits.as_dict()
    assert site.token_requests[0].headers["User-Agent"] == "newsroom/1.0"


def test_the_token_request_has_none_of_the_headers_and_cookies_of_the_request_that_needs_it(call: Call):
    site = Site()
    call(made(), site, headers={"X-Mine": "1", "Cookie": "a=b"})
    assert site.token_requests[0].headers.keys().isdisjoint({"x-mine", "cookie"})


# --- Keeping and renewing ----------------------------------------------------------------------------------------


def test_a_token_is_kept_for_the_next_request(call: Call):
    site, auth = Site(), made()
    call(auth, site)
    assert call(auth, site).text == "token-1"
    assert len(site.token_requests) == 1


def test_a_token_is_shared_by_blocking_and_asynchronous_clients():
    site, auth = Site(), made()
    call_blocking(auth, site)
    assert call_in_a_loop_of_its_own(auth, site).text == "token-1"


@pytest.mark.parametrize(
    ("lifetime", "age", "used"),
    [
        pytest.param(3600, 3539, "token-1", id="an hour, before the leeway"),
        pytest.param(3600, 3540, "token-2", id="an hour, within the leeway"),
        pytest.param(60, 47, "token-1", id="a minute, in its first four fifths"),
        pytest.param(60, 48, "token-2", id="a minute, in its last fifth"),
        pytest.param(1, 0.7, "token-1", id="one second, in its first four fifths"),
    ],
)
def test_a_token_is_renewed_shortly_before_it_expires(lifetime: int, age: float, used: str):
    site, clock = Site(lifetime=lifetime), Clock()
    auth = made(clock=clock, leeway_seconds=60)
    call_blocking(auth, site)
    clock.now += age
    assert call_blocking(auth, site).text == used


def test_the_life_of_a_token_is_counted_from_when_it_was_asked_for():
    clock = Clock()
    site = Site(lifetime=100)

    def slow_site(request: httpx.Request) -> httpx.Response:
        clock.now += 50
        return site(request)

    auth = made(clock=clock, leeway_seconds=10)
    call_blocking(auth, slow_site)
    assert call_blocking(auth, site).text == "token-2"


def test_the_routes_of_the_last_token_can_be_read():
    auth = made()
    assert not auth.granted_rest_routes
    call_blocking(auth, Site())
    assert auth.granted_rest_routes == ("GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts")


def test_the_routes_cannot_be_set():
    with pytest.raises(AttributeError):
        made().granted_rest_routes = ("GET /wp-json/**",)  # type: ignore[misc]


def test_a_token_without_routes_is_usable():
    auth = made()
    call_blocking(auth, lambda _: httpx.Response(200, json=token_answer(granted_rest_routes=None)))
    assert auth.granted_rest_routes == ()


# --- A refused token ---------------------------------------------------------------------------------------------


def test_a_refused_token_is_replaced_and_the_request_repeated_with_its_body(call: Call):
    site = Site(refused=("token-1",))
    answer = call(made(), site, "POST", json={"title": "Hello"})
    assert answer.text == "token-2"
    assert [sent.content for sent in site.calls] == [b'{"title":"Hello"}'] * 2


def test_a_request_is_repeated_once_only(call: Call):
    site = Site(refused=("token-1", "token-2", "token-3"))
    assert call(made(), site).status_code == 401
    assert (len(site.calls), len(site.token_requests)) == (2, 2)


def test_a_token_that_another_request_has_renewed_meanwhile_is_used_instead_of_a_third():
    site, auth = Site(), made()
    call_blocking(auth, site)
    site.refused = {"token-1"}

    def overtaken_site(request: httpx.Request) -> httpx.Response:
        answer = site(request)
        call_blocking(auth, site)
        return answer

    assert call_blocking(auth, overtaken_site).text == "token-2"
    assert len(site.token_requests) == 2


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param('Bearer error="invalid_token"', id="alone"),
        pytest.param("bearer error=invalid_token", id="without quotes, lower case"),
        pytest.param('Bearer realm="a, \\"b\\"", error="invalid_token"', id="after a realm with quotes"),
        pytest.param('Basic realm="site", Bearer error="invalid_token"', id="after another scheme"),
        pytest.param('Negotiate dG9rZW4=, Bearer error="invalid_token"', id="after a scheme with a token68"),
        pytest.param('Bearer error="invalid_token", Basic realm="site"', id="before another scheme"),
    ],
)
def test_a_challenge_says_that_the_token_is_refused(challenge: str):
    assert call_blocking(made(), Site(refused=("token-1",), challenge=challenge)).text == "token-2"


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param("", id="no challenge: WordPress's own 401"),
        pytest.param("Bearer", id="no error"),
        pytest.param('Bearer error="insufficient_scope"', id="another error"),
        pytest.param('Bearer error_description="error=invalid_token"', id="in the description"),
        pytest.param('Basic realm="Bearer error=\\"invalid_token\\""', id="in a realm"),
        pytest.param('Bearer realm="a", DPoP error="invalid_token"', id="of another scheme"),
    ],
)
def test_any_other_401_is_returned_as_it_is(challenge: str):
    site = Site(refused=("token-1",), challenge=challenge)
    assert call_blocking(made(), site).json() == {"code": "refused"}
    assert (len(site.calls), len(site.token_requests)) == (1, 1)


def test_the_same_words_with_another_status_are_returned_as_they_are():
    answer = httpx.Response(403, headers={"WWW-Authenticate": REFUSAL}, json=token_answer())
    auth = made()
    call_blocking(auth, Site())
    assert call_blocking(auth, lambda _: answer).status_code == 403


def test_a_request_that_was_redirected_is_not_repeated():
    """The first hop may have made the post already; only the second refused the token."""
    site = Site(refused=("token-1",))

    def redirecting_site(request: httpx.Request) -> httpx.Response:
        moved = httpx.Response(303, headers={"Location": "/wp-json/wp/v2/posts/7"})
        return moved if (request.method, request.url.path) == ("POST", "/wp-json/wp/v2/posts") else site(request)

    assert call_blocking(made(), redirecting_site, "POST", follow_redirects=True).status_code == 401
    assert len(site.calls) == 1


# --- Where the token goes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://elsewhere.example/wp-json/", id="another host"),
        pytest.param("https://www.your-site.com/wp-json/", id="a subdomain"),
        pytest.param("https://your-site.com:8443/wp-json/", id="another port"),
        pytest.param("http://your-site.com/wp-json/", id="another scheme"),
        pytest.param("http://your-site.com:443/wp-json/", id="another scheme on the same port"),
        pytest.param("https://your-site.com.elsewhere.example/wp-json/", id="a longer host"),
        pytest.param("https://your-site.com@elsewhere.example/wp-json/", id="the host as a user"),
    ],
)
def test_another_origin_gets_no_token_and_needs_none(call: Call, url: str):
    site = Site()
    call(made(), site, url=url)
    assert "Authorization" not in site.calls[0].headers
    assert site.token_requests == []


@pytest.mark.parametrize(
    ("site_url", "url"),
    [
        pytest.param("https://your-site.com:443", POSTS, id="default port written out"),
        pytest.param("HTTPS://Your-Site.COM/", POSTS, id="upper case"),
        pytest.param("https://bücher.example", "https://xn--bcher-kva.example/wp-json/", id="international name"),
        pytest.param("http://[::1]:8000", "http://[::1]:8000/wp-json/", id="IPv6 loopback"),
    ],
)
def test_another_spelling_of_the_same_origin_gets_the_token(site_url: str, url: str):
    assert call_blocking(made(site_url), Site(), url=url).text == "token-1"


# --- What it cannot be made with ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "site",
    [
        "http://your-site.com",
        "http://localhost.example.com",
        "http://128.0.0.1",
        "http://127.0.0.1.example.com",
        "http://[::2]",
        "http://10.0.0.5",
    ],
)
def test_a_site_over_http_is_refused_with_its_remedy(site: str):
    with pytest.raises(ValueError, match="loopback only: use https://"):
        made(site)


@pytest.mark.parametrize("site", ["http://localhost", "http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:80"])
def test_a_site_on_loopback_may_use_http(site: str):
    assert site in repr(made(site)).replace("[::1]", "[::1]:80").replace(":80:80", ":80")


@pytest.mark.parametrize(
    "site",
    [
        pytest.param("your-site.com", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("", id="nothing"),
        pytest.param("ftp://your-site.com", id="another scheme"),
        pytest.param("https://your-site.com/?rest_route=/", id="a query"),
        pytest.param("https://your-site.com:port", id="no URL"),
    ],
)
def test_what_is_no_site_address_is_refused_with_its_remedy(site: str):
    with pytest.raises(ValueError, match=r"write it as https://your-site\.com"):
        made(site)


def test_a_password_in_the_site_address_is_refused_without_repeating_it():
    with pytest.raises(ValueError, match="no user") as caught:
        made("https://admin:hunter2@your-site.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "  ", "value\n", " value"], ids=["empty", "blank", "newline", "space"])
def test_an_empty_or_badly_copied_id_or_secret_is_refused_by_its_name(value: str):
    with pytest.raises(ValueError, match="client ID is empty or has spaces around it"):
        made(client_id=value)
    with pytest.raises(ValueError, match="client secret is empty or has spaces around it"):
        made(client_secret=value)


def test_neither_secret_nor_token_is_printed():
    auth = made(client_secret="s3cret")
    call_blocking(auth, Site())
    assert repr(auth) == "AppConnect('https://your-site.com', client_id='backend')"
    assert "token-1" not in repr(vars(auth))


# --- Token errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("invalid_client", "Check the client ID and the client secret"),
        ("unauthorized_client", "Ask the administrator to enable this client"),
        ("temporarily_unavailable", "Try again later"),
    ],
)
def test_an_oauth_error_says_what_to_do(call: Call, code: str, remedy: str):
    """RFC 6749 §5.2."""
    answer = httpx.Response(400, json={"error": code, "error_description": "Because."})
    with pytest.raises(TokenError, match=f"{code}.*400.*Because.*{remedy}") as caught:
        call(made(), lambda _: answer)
    assert (caught.value.error, caught.value.description, caught.value.status_code) == (code, "Because.", 400)
    assert "s3cret" not in str(caught.value)


def test_an_oauth_error_that_we_do_not_know_is_told_with_its_description():
    problem = problem_of(httpx.Response(400, json={"error": "invalid_scope", "error_description": "No scopes."}))
    assert str(problem) == "The token endpoint answered invalid_scope (HTTP 400). No scopes."


def test_an_error_description_is_cut_to_one_printable_line():
    problem = problem_of(httpx.Response(400, json={"error": "x\n", "error_description": "a\x1b[31m\r\n" + "b" * 999}))
    assert problem.error == "x"
    assert problem.description == "a[31m" + "b" * 295


UNUSABLE = {
    "not JSON": httpx.Response(200, text="<html>Hello</html>"),
    "not UTF-8": httpx.Response(200, content=b'{"\xff": 1}'),
    "nested deeply": httpx.Response(200, content=b"[" * 100_000),
    "empty": httpx.Response(200),
    "a list": httpx.Response(200, json=["token"]),
    "an error that is no text": httpx.Response(400, json={"error": 7}),
    "no access_token": httpx.Response(200, json={"token_type": "Bearer", "expires_in": 3600}),
    "access_token null": httpx.Response(200, json=token_answer(access_token=None)),
    "access_token empty": httpx.Response(200, json=token_answer(access_token="")),
    "access_token with a newline": httpx.Response(200, json=token_answer(access_token="a\r\nX-Injected: 1")),
    "access_token not ASCII": httpx.Response(200, json=token_answer(access_token="é")),
    "token_type missing": httpx.Response(200, json={"access_token": "a", "expires_in": 3600}),
    "token_type mac": httpx.Response(200, json=token_answer(token_type="mac")),
    "expires_in missing": httpx.Response(200, json={"access_token": "a", "token_type": "Bearer"}),
    "expires_in zero": httpx.Response(200, json=token_answer(expires_in=0)),
    "expires_in negative": httpx.Response(200, json=token_answer(expires_in=-1)),
    "expires_in a century": httpx.Response(200, json=token_answer(expires_in=100 * 365 * 86_400)),
    "expires_in text": httpx.Response(200, json=token_answer(expires_in="soon")),
    "expires_in not a number": httpx.Response(
        200, content=b'{"token_type":"Bearer","access_token":"a","expires_in":NaN}'
    ),
    "a token with status 404": httpx.Response(404, json=token_answer()),
    "WordPress without App Connect": httpx.Response(404, json={"code": "rest_no_route", "data": {"status": 404}}),
}


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_answer_is_a_token_error_that_doubts_the_address(answer: httpx.Response):
    problem = problem_of(answer)
    assert str(problem).startswith(f"The token endpoint's answer (HTTP {answer.status_code}) is unusable: ")
    assert str(problem).endswith("Does the site's address lead to App Connect?")
    assert (problem.error, problem.status_code) == (None, answer.status_code)


def test_a_server_error_says_to_try_again_later():
    assert str(problem_of(httpx.Response(502, text="Bad Gateway"))).endswith("Try again later.")


def test_the_token_type_is_read_without_regard_to_case():
    """RFC 6749 §5.1."""
    auth = made()
    call_blocking(auth, lambda _: httpx.Response(200, json=token_answer(token_type="bearer")))
    assert auth.granted_rest_routes


def test_a_redirect_of_the_token_endpoint_is_a_token_error(call: Call):
    moved = httpx.Response(301, headers={"Location": "https://www.your-site.com/"})
    with pytest.raises(TokenError, match="redirects: give AppConnect the site's final address"):
        call(made(), lambda _: moved)


def test_after_a_token_error_the_next_request_asks_again(call: Call):
    auth = made()
    with pytest.raises(TokenError):
        call(auth, lambda _: httpx.Response(503))
    assert call(auth, Site()).text == "token-1"


def test_after_a_lost_connection_the_next_request_asks_again(call: Call):
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    auth = made()
    with pytest.raises(httpx.ConnectError):
        call(auth, unreachable)
    assert call(auth, Site()).text == "token-1"


def test_a_token_error_can_cross_to_another_process():
    error = TokenError("Why.", error="invalid_client", description="Because.", status_code=401)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)  # noqa: S301 our own bytes


# --- Sharing one fetch -------------------------------------------------------------------------------------------


def test_threads_that_need_a_token_at_once_share_one_fetch():
    clock, site = Clock(crowd=CROWD), Site()

    def patient_site(request: httpx.Request) -> httpx.Response:
        assert clock.everyone_asked.wait(DEADLINE_SECONDS)
        return site(request)

    auth = made(clock=clock)
    with ThreadPoolExecutor(CROWD) as threads:
        answers = list(threads.map(lambda _: call_blocking(auth, patient_site), range(CROWD)))
    assert {answer.text for answer in answers} == {"token-1"}
    assert len(site.token_requests) == 1


class AsyncSite(Site):
    """Lets the token answer wait until every task has asked."""

    def __init__(self, clock: Clock, **options: Any) -> None:
        super().__init__(**options)
        self.clock = clock
        self.fetch_began = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:  # type: ignore[override]
        answer = super().__call__(request)
        if request.url.path == TOKEN_PATH:
            self.fetch_began.set()
            async with asyncio.timeout(DEADLINE_SECONDS):
                await asyncio.to_thread(self.clock.everyone_asked.wait, DEADLINE_SECONDS)
        return answer


async def test_tasks_that_need_a_token_at_once_share_one_fetch():
    clock = Clock(crowd=CROWD)
    site, auth = AsyncSite(clock), made(clock=clock)
    answers = await asyncio.gather(*(call_awaiting(auth, site) for _ in range(CROWD)))
    assert {answer.text for answer in answers} == {"token-1"}
    assert len(site.token_requests) == 1


async def test_tasks_whose_token_is_refused_at_once_share_one_new_one():
    everyone_called = asyncio.Barrier(CROWD)
    site, auth = Site(), made()
    await call_awaiting(auth, site)
    site.refused = {"token-1"}

    async def refusing_site(request: httpx.Request) -> httpx.Response:
        answer = site(request)
        if answer.status_code == 401:
            await everyone_called.wait()
        return answer

    answers = await asyncio.gather(*(call_awaiting(auth, refusing_site) for _ in range(CROWD)))
    assert {answer.text for answer in answers} == {"token-2"}
    assert len(site.token_requests) == 2


async def test_a_task_that_waits_for_a_thread_does_not_stop_the_event_loop():
    """The site answers only when this loop has let both ask, and itself has gone on to say so."""
    clock, site, loop_went_on = Clock(crowd=2), Site(), threading.Event()

    def patient_site(request: httpx.Request) -> httpx.Response:
        assert loop_went_on.wait(DEADLINE_SECONDS)
        return site(request)

    auth = made(clock=clock)
    thread = asyncio.create_task(asyncio.to_thread(call_blocking, auth, patient_site))
    await eventually(lambda: clock.asked == 1)
    task = asyncio.create_task(call_awaiting(auth, site))
    await eventually(clock.everyone_asked.is_set)
    loop_went_on.set()
    assert [answer.text for answer in await asyncio.gather(thread, task)] == ["token-1", "token-1"]


async def eventually(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not check():  # noqa: ASYNC110 a clock in a thread has no event of this loop
            await asyncio.sleep(0)


async def test_a_token_error_is_shared_by_all_who_waited():
    clock = Clock(crowd=CROWD)
    site, auth = AsyncSite(clock, lifetime=0), made(clock=clock)
    outcomes = await asyncio.gather(*(call_awaiting(auth, site) for _ in range(CROWD)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {TokenError}
    assert len(site.token_requests) == 1


async def test_when_the_fetching_task_is_canceled_the_next_one_fetches():
    clock = Clock(crowd=3)
    site, auth = AsyncSite(clock), made(clock=clock)
    fetching = asyncio.create_task(call_awaiting(auth, site))
    await site.fetch_began.wait()
    waiting = asyncio.create_task(call_awaiting(auth, site))
    await eventually(lambda: clock.asked == 2)
    fetching.cancel()
    assert (await waiting).text == "token-2"
    assert fetching.cancelled()


async def test_a_canceled_waiter_leaves_the_fetch_to_the_others():
    clock = Clock(crowd=3)
    site, auth = AsyncSite(clock), made(clock=clock)
    fetching = asyncio.create_task(call_awaiting(auth, site))
    await site.fetch_began.wait()
    leaving = asyncio.create_task(call_awaiting(auth, site))
    await eventually(lambda: clock.asked == 2)
    leaving.cancel()
    staying = asyncio.create_task(call_awaiting(auth, site))
    assert [answer.text for answer in await asyncio.gather(fetching, staying)] == ["token-1", "token-1"]
    assert leaving.cancelled()


async def test_when_the_fetch_loses_its_connection_the_next_one_fetches():
    clock, site = Clock(crowd=2), Site()

    async def unreliable_site(request: httpx.Request) -> httpx.Response:
        await asyncio.to_thread(clock.everyone_asked.wait, DEADLINE_SECONDS)
        raise httpx.ConnectError("refused", request=request)

    auth = made(clock=clock)
    outcomes = await asyncio.gather(
        call_awaiting(auth, unreliable_site), call_awaiting(auth, site), return_exceptions=True
    )
    assert isinstance(outcomes[0], httpx.ConnectError)
    assert isinstance(outcomes[1], httpx.Response)
    assert outcomes[1].text == "token-1"


@pytest.mark.parametrize("waiting", [call_blocking, call_in_a_loop_of_its_own], ids=["Client", "AsyncClient"])
def test_nobody_waits_for_the_fetch_of_another_longer_than_the_pool_timeout(waiting: Call):
    fetch_began, waiter_left, site = threading.Event(), threading.Event(), Site()

    def slow_site(request: httpx.Request) -> httpx.Response:
        fetch_began.set()
        assert waiter_left.wait(DEADLINE_SECONDS)
        return site(request)

    auth = made()
    with ThreadPoolExecutor(1) as threads:
        fetching = threads.submit(call_blocking, auth, slow_site)
        assert fetch_began.wait(DEADLINE_SECONDS)
        with pytest.raises(httpx.PoolTimeout, match="still fetching the access token"):
            waiting(auth, site, timeout=httpx.Timeout(5, pool=0))
        waiter_left.set()
        assert fetching.result().text == "token-1"


async def test_one_instance_serves_one_event_loop_after_another():
    site, clock = Site(), Clock()
    auth = made(clock=clock)
    await asyncio.to_thread(call_in_a_loop_of_its_own, auth, site)
    clock.now += 3600
    assert (await call_awaiting(auth, site)).text == "token-2"
