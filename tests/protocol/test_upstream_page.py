"""An answer that is not WordPress's REST API's: a page for people, which a backend service cannot read."""

import json

import pytest

from tests.protocol.conftest import PUBLIC_URL, SITE_URL, Recorder, Reply, Running, head, reply

HTML = ("Content-Type", "text/html; charset=iso-8859-1")
PAGE = b"<address>Apache/2.4.62 (Debian) Server at 10.0.0.7 Port 8080</address>"


def page(status: str, *headers: tuple[str, str], content_type: tuple[str, str] = HTML) -> Reply:
    return Reply((head(status, content_type, ("Content-Length", str(len(PAGE))), *headers) + PAGE,))


@pytest.mark.parametrize(
    "status",
    [
        "301 Moved Permanently",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "413 Content Too Large",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
        "599 Something",
    ],
)
async def test_a_page_of_the_web_server_becomes_an_error_of_its_status(
    gateway: Running, upstream: Recorder, token: str, status: str
):
    upstream.replies = [page(status)]
    answer = await gateway.get(token)
    error = answer.json()
    assert answer.status_code == error["data"]["status"] == int(status[:3])
    assert error["code"] == "app_connect_upstream_page"
    assert error["message"].startswith("The web server or a firewall before WordPress, not WordPress's REST API, ")
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_of_the_page_is_passed_on(gateway: Running, upstream: Recorder, token: str):
    """It names the machine behind us and its software."""
    upstream.replies = [page("500 Internal Server Error", ("X-Error", "10.0.0.7"), ("Content-Encoding", "identity"))]
    answer = await gateway.get(token)
    assert "10.0.0.7" not in str(answer.headers) + answer.text
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "field",
    [("Retry-After", "120"), ("Allow", "GET, HEAD"), ("WWW-Authenticate", 'Basic realm="staging"')],
    ids=lambda field: str(field[0]),
)
async def test_what_the_status_means_is_passed_on(
    gateway: Running, upstream: Recorder, token: str, field: tuple[str, str]
):
    """RFC 9110 §10.2.3, §10.2.1, §11.6.1."""
    upstream.replies = [page("503 Service Unavailable", field)]
    assert (await gateway.get(token)).headers[field[0]] == field[1]


async def test_a_redirect_still_says_where(gateway: Running, upstream: Recorder, token: str):
    """RFC 9110 §10.2.2: with the public address."""
    upstream.replies = [page("302 Found", ("Location", f"{SITE_URL}/wp-login.php"))]
    answer = await gateway.get(token)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{PUBLIC_URL}/wp-login.php")


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "Text/HTML;charset=utf-8", "application/xhtml+xml"],
)
async def test_a_page_is_html_however_it_is_spelled(
    gateway: Running, upstream: Recorder, token: str, content_type: str
):
    upstream.replies = [page("404 Not Found", content_type=("Content-Type", content_type))]
    assert (await gateway.get(token)).json()["code"] == "app_connect_upstream_page"


@pytest.mark.parametrize(
    "reply_",
    [
        pytest.param(page("200 OK"), id="it is no error"),
        pytest.param(page("404 Not Found", content_type=("Content-Type", "application/json")), id="it is JSON"),
        pytest.param(page("404 Not Found", content_type=("Content-Type", "text/plain")), id="it is plain text"),
        pytest.param(
            page("404 Not Found", ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link")),
            id="the REST server made it",
        ),
        pytest.param(
            page("500 Oops", ("X-Robots-Tag", "noindex"), ("X-Content-Type-Options", "nosniff")),
            id="the REST server made it, without CORS",
        ),
    ],
)
async def test_any_other_answer_is_passed_on_as_it_is(gateway: Running, upstream: Recorder, token: str, reply_: Reply):
    """`WP_REST_Server::serve_request` marks its answers before a route or a plugin writes anything."""
    upstream.replies = [reply_]
    assert (await gateway.get(token)).content == PAGE


async def test_not_modified_has_no_content_whatever_its_type(gateway: Running, upstream: Recorder, token: str):
    """RFC 9110 §15.4.5: a body would be read as the next answer on the connection."""
    upstream.replies = [Reply((head("304 Not Modified", HTML),))]
    answer = await gateway.exchange("GET", "/wp-json/wp/v2/posts", token=token)
    assert (answer.status, answer.body) == (304, b"")


async def test_the_connection_of_a_page_is_not_used_with_its_rest_unread(
    gateway: Running, upstream: Recorder, token: str
):
    upstream.replies = [page("404 Not Found"), reply(b'"next"')]
    await gateway.get(token)
    assert (await gateway.get(token)).content == b'"next"'


async def test_a_page_is_recognized_by_its_head_alone(gateway: Running, upstream: Recorder, token: str):
    upstream.replies = [Reply((head("404 Not Found", HTML, ("Content-Length", "99")),))]
    answer = await gateway.exchange("HEAD", "/wp-json/wp/v2/posts", token=token)
    assert (answer.status, json.loads(answer.body)["code"]) == (404, "app_connect_upstream_page")
