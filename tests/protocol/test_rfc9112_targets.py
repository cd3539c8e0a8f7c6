"""RFC 9112 §3.2 before WordPress: no target leads to another server than the site's."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn

from appconnect.http1 import Http1Protocol
from appconnect.settings import Settings
from tests.protocol.conftest import Recorder, eventually, running

Address = tuple[str, int]


@pytest.fixture
async def before_all(settings: Settings, upstream: Recorder) -> AsyncIterator[Address]:
    """The address of a gateway before the whole site, behind our server."""
    async with running(replace(settings, untokened="pass"), upstream.url) as gateway:
        config = uvicorn.Config(gateway.app, http=Http1Protocol, lifespan="off", log_config=None)
        server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await eventually(lambda: server.started)
        yield listening.getsockname()
        server.should_exit = True
        await task


async def ask(address: Address, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(line + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("line", [b"CONNECT %s", b"CONNECT @%s", b"CONNECT @%s/x", b"GET @%s/x", b"OPTIONS *@%s/x"])
async def test_no_target_leads_to_another_server(before_all: Address, upstream: Recorder, line: bytes):
    """Put behind the site's address, `@elsewhere` would make that the name of a user."""
    called = []

    async def elsewhere(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(line)
        writer.close()

    async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as server:
        address = b"127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        answer = await ask(before_all, line.replace(b"%s", address))
    assert (called, upstream.requests) == ([], [])
    assert answer[9:12] in (b"400", b"501")


async def test_the_whole_server_is_no_target(before_all: Address, upstream: Recorder):
    """RFC 9110 §9.3.7."""
    assert (await ask(before_all, b"OPTIONS *")).startswith(b"HTTP/1.1 501 ")
    assert upstream.requests == []


async def test_an_address_as_target_leads_to_the_site(before_all: Address, upstream: Recorder):
    """§3.2.2."""
    assert (await ask(before_all, b"GET http://elsewhere.example/x?y")).startswith(b"HTTP/1.1 200 ")
    assert [each.line for each in upstream.requests] == ["GET /x?y HTTP/1.1"]
