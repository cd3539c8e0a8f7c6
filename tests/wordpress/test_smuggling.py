"""A request inside a request's body never reaches WordPress: not on the client's connection, not on the pooled one."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.wordpress.conftest import Guarded

RULE = "POST /wp-json/wp/v2/posts"


def exchange(url: str, request: bytes) -> bytes:
    """Send raw bytes and read until the server has nothing more to say."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.fixture(scope="module")
def bearer(guarded: Guarded) -> bytes:
    client = guarded.gateway.add_client("Smuggler", "author", RULE)
    return f"Authorization: Bearer {guarded.gateway.token(client)}".encode()


@pytest.mark.parametrize("framing", [b"Content-Length: 300", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_a_body_that_the_parser_takes_for_another_protocol_is_refused(guarded, bearer, framing):
    """RFC 9110 §7.8. WordPress would wait for 300 bytes and find them in the next client's request."""
    head = b"POST /wp-json/wp/v2/posts HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
    answer = exchange(guarded.gateway.url, head + bearer + b"\r\n" + framing + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"app_connect_upgrade" in answer


def test_the_token_endpoint_says_so_too(guarded):
    """As Java's own client does over plain http unless it is told to speak HTTP/1.1."""
    head = b"POST /wp-json/app-connect/v1/token HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    answer = exchange(guarded.gateway.url, head + b"Content-Length: 29\r\n\r\ngrant_type=client_credentials")
    assert b"without Upgrade" in answer


def test_an_upgrade_without_a_body_is_ignored(guarded):
    answer = exchange(
        guarded.gateway.url,
        b"GET /app-connect/healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_after_an_attempt_the_next_clients_request_is_its_own(guarded, bearer):
    head = b"POST /wp-json/wp/v2/posts HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
    exchange(guarded.gateway.url, head + bearer + b"\r\nContent-Length: 300\r\n\r\n")
    answer = httpx.post(
        f"{guarded.gateway.url}/wp-json/wp/v2/posts",
        headers={"Authorization": bearer.decode().removeprefix("Authorization: ")},
        json={"title": "My own"},
    )
    assert (answer.status_code, answer.json()["title"]["raw"]) == (201, "My own")
