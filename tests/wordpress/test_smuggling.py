"""A request inside a request's body never reaches WordPress: not on the client's connection, not on the pooled one."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.wordpress.conftest import Guarded

RULE = "POST /wp-json/wp/v2/posts"


def exchange(url: str, request: bytes, *, is_left_open: bool = False) -> bytes:
    """Send raw bytes, say no more, and read until the server has nothing more to say."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(request)
        if not is_left_open:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.fixture(scope="module")
def bearer(guarded: Guarded) -> bytes:
    client = guarded.gateway.add_client("Smuggler", "author", RULE)
    return f"Authorization: Bearer {guarded.gateway.token(client)}".encode()


UPGRADE = b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n"  # as Java's own client sends over plain http
BODY = b"title=Upgraded"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 14", BODY),
        (b"Transfer-Encoding: chunked", b"e\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunked"],
)
def test_a_body_behind_an_upgrade_reaches_wordpress_whole(guarded, bearer, framing, body):
    """RFC 9110 §7.8: the upgrade is ignored, and the body is this request's and no other's."""
    head = b"POST /wp-json/wp/v2/posts HTTP/1.1\r\nHost: a\r\n" + UPGRADE
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    request = head + form + bearer + b"\r\n" + framing + b"\r\n\r\n" + body
    answer = exchange(guarded.gateway.url, request, is_left_open=True)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b'"raw":"Upgraded"' in answer


def test_a_token_is_issued_behind_an_upgrade(guarded):
    client = guarded.gateway.add_client("Java", "author", RULE)
    form = f"grant_type=client_credentials&client_id={client.client_id}&client_secret={client.client_secret}".encode()
    head = b"POST /wp-json/app-connect/v1/token HTTP/1.1\r\nHost: a\r\n" + UPGRADE
    fields = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(form)
    assert b"access_token" in exchange(guarded.gateway.url, head + fields + form, is_left_open=True)


def test_an_upgrade_without_a_body_is_ignored(guarded):
    answer = exchange(
        guarded.gateway.url,
        b"GET /app-connect/healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_after_a_body_that_never_comes_the_next_clients_request_is_its_own(guarded, bearer):
    head = b"POST /wp-json/wp/v2/posts HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
    exchange(guarded.gateway.url, head + bearer + b"\r\nContent-Length: 300\r\n\r\n")
    answer = httpx.post(
        f"{guarded.gateway.url}/wp-json/wp/v2/posts",
        headers={"Authorization": bearer.decode().removeprefix("Authorization: ")},
        json={"title": "My own"},
    )
    assert (answer.status_code, answer.json()["title"]["raw"]) == (201, "My own")
