"""Bodies of any size pass through the gateway while they arrive: it holds little of them, and waits for one side alone.

A real gateway, and a server on threads in WordPress's place: sizes, silences and broken answers are what it is for.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from appconnect.control import switches
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteAddress
from tests.fault.streams import (
    GIB,
    MIB,
    Connection,
    Script,
    Upstream,
    answer,
    answer_head,
    asking,
    length,
)
from tests.gateways import DEADLINE_SECONDS, Gateway, Registered, initialize, serving
from tests.protocol.conftest import BACKEND, STRANGER, add

FEW_BYTES: Final = 32 * MIB
"""More than the kernel's buffers of two connections on loopback take."""
PAGE_BYTES: Final = 4096


@pytest.fixture(scope="module")
def listening_upstream() -> Iterator[Upstream]:
    upstream = Upstream(socket.create_server(("127.0.0.1", 0)))
    threading.Thread(target=upstream.accept, daemon=True).start()
    yield upstream
    upstream.listening.shutdown(socket.SHUT_RDWR)
    upstream.listening.close()


@pytest.fixture(scope="module")
def served(listening_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = initialize(tmp_path_factory.mktemp("streaming") / "gateway")
    with gateway.context.store.transaction() as transaction:
        url = listening_upstream.url
        transaction.save_site(SiteAddress(url, url, has_pretty_permalinks=True))
        for client in (BACKEND, STRANGER):
            add(transaction, client)
    switches.set_grant_type(gateway.context, GrantType.CLIENT_CREDENTIALS, is_enabled=True)
    with serving(gateway):
        yield gateway


@pytest.fixture(scope="module")
def token(served: Gateway) -> str:
    return served.token(Registered(*BACKEND.basic))


@pytest.fixture(scope="module")
def other_token(served: Gateway) -> str:
    return served.token(Registered(*STRANGER.basic))


@pytest.fixture
def upstream(listening_upstream: Upstream) -> Iterator[Upstream]:
    """With no connection left of the test before: nothing that it broke is met again."""
    yield listening_upstream
    listening_upstream.script = lambda _: None
    listening_upstream.end_connections()


# -- the worker's memory ----------------------------------------------------------------------------------------------


def another_is_answered(gateway: Gateway, token: str) -> bool:
    """Whether another client's request is answered, now."""
    with asking(gateway, token, path="/wp/v2/posts/1") as connection:
        return b" 200 " in connection.head() and connection.read(8) == 8


@dataclass
class Memory:
    """The resident memory of the worker, and the most that it was over its beginning."""

    process: int
    begin: int = field(init=False)
    most: int = 0

    def __post_init__(self) -> None:
        self.begin = self._resident()

    def watch(self) -> None:
        self.most = max(self.most, self._resident() - self.begin)

    def _resident(self) -> int:
        return int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * PAGE_BYTES


@pytest.fixture
def memory(served: Gateway) -> Memory:
    """Of the only process that works in the gateway's folder."""
    folder = served.folder.resolve()
    found = [int(one.name) for one in Path("/proc").glob("[0-9]*") if _works_in(one) == folder]
    assert len(found) == 1
    return Memory(found[0])


def _works_in(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_gibibyte_comes_down_in_little_memory(served: Gateway, upstream: Upstream, token: str, memory: Memory):
    def send(connection: Connection) -> None:
        connection.socket.sendall(answer_head(GIB))
        connection.send_zeros(GIB)

    upstream.script = send
    with asking(served, token) as client:
        client.head()
        assert client.read(GIB, memory.watch) == GIB
    assert memory.most < 64 * MIB


def test_a_gibibyte_goes_up_in_little_memory(served: Gateway, upstream: Upstream, token: str, memory: Memory):
    counts = list[int]()

    def receive(connection: Connection) -> None:
        counts.append(connection.read(GIB))
        connection.socket.sendall(answer(b"{}"))

    upstream.script = receive
    with asking(served, token, "POST", "/wp/v2/media", **length(GIB)) as client:
        client.send_zeros(GIB, memory.watch)
        assert b" 200 " in client.head()
    assert counts == [GIB]
    assert memory.most < 64 * MIB


# -- slowness ---------------------------------------------------------------------------------------------------------


def test_an_upload_does_not_pile_up_before_a_wordpress_that_does_not_read(
    served: Gateway, upstream: Upstream, token: str, memory: Memory
):
    size, reads, counts = 128 * MIB, threading.Event(), list[int]()

    def receive_later(connection: Connection) -> None:
        reads.wait(DEADLINE_SECONDS)
        counts.append(connection.read(size))
        connection.socket.sendall(answer(b"{}"))

    upstream.script = receive_later
    with asking(served, token, "POST", "/wp/v2/media", **length(size)) as client:
        count = client.send_until_it_stalls(size)
        memory.watch()
        reads.set()
        client.send_zeros(size - count)
        assert b" 200 " in client.head()
    assert count < FEW_BYTES
    assert memory.most < FEW_BYTES
    assert counts == [size]


def test_an_answer_does_not_pile_up_before_a_client_that_does_not_read(
    served: Gateway, upstream: Upstream, token: str, other_token: str, memory: Memory
):
    """And that client has no more of the worker than its connection: another is answered."""
    size, stalled, counts = 128 * MIB, threading.Event(), list[int]()

    def send(connection: Connection) -> None:
        connection.socket.sendall(answer_head(size))
        counts.append(connection.send_until_it_stalls(size))
        stalled.set()
        connection.send_zeros(size - counts[0])

    upstream.script = send
    with asking(served, token) as client:
        assert stalled.wait(DEADLINE_SECONDS)
        memory.watch()
        assert another_is_answered(served, other_token)
        client.head()
        assert client.read(size) == size
    assert counts[0] < FEW_BYTES
    assert memory.most < FEW_BYTES


@pytest.mark.parametrize("said", [b"", answer_head(8) + b"half"], ids=["before its answer", "in the middle of it"])
def test_a_wordpress_that_is_slow_for_one_client_is_not_so_for_another(
    served: Gateway, upstream: Upstream, token: str, other_token: str, said: bytes
):
    goes_on, reached = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        connection.socket.sendall(said)
        reached.set()
        goes_on.wait(DEADLINE_SECONDS)
        connection.socket.sendall((answer_head(8) + b"half" if not said else b"") + b"half")

    upstream.script = wait
    with asking(served, token) as client:
        assert reached.wait(DEADLINE_SECONDS)
        assert another_is_answered(served, other_token)
        goes_on.set()
        client.head()
        assert client.read(8) == 8


# -- the client goes away ---------------------------------------------------------------------------------------------


def uploads(connection: Connection) -> None:
    connection.send_zeros(MIB)


def listens(connection: Connection) -> None:
    connection.head()
    connection.read(MIB)


@pytest.mark.parametrize(
    ("method", "fields", "before", "said"),
    [
        pytest.param("POST", length(64 * MIB), uploads, b"", id="while it uploads"),
        pytest.param("GET", {}, lambda _: None, b"", id="while it waits"),
        pytest.param("GET", {}, listens, answer_head(64 * MIB) + bytes(2 * MIB), id="while it listens"),
    ],
)
def test_a_client_that_goes_away_stops_its_request(
    served: Gateway,
    upstream: Upstream,
    token: str,
    method: str,
    fields: dict[str, str],
    before: Callable[[Connection], None],
    said: bytes,
):
    """WordPress sees its connection end: PHP stops at its next output."""
    reached, cut = threading.Event(), threading.Event()

    def watch(connection: Connection) -> None:
        reached.set()
        connection.socket.sendall(said)
        connection.everything()
        cut.set()

    upstream.script = watch
    with asking(served, token, method, "/wp/v2/media" if method == "POST" else "/wp/v2/posts", **fields) as client:
        before(client)
        assert reached.wait(DEADLINE_SECONDS)
        assert not cut.is_set()
    assert cut.wait(DEADLINE_SECONDS)


# -- WordPress breaks off ---------------------------------------------------------------------------------------------


def ends(connection: Connection) -> None:
    connection.socket.shutdown(socket.SHUT_RDWR)


def resets(connection: Connection) -> None:
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


@pytest.mark.parametrize("breaks", [ends, resets])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(answer_head(2 * MIB) + bytes(MIB), id="a length"),
        pytest.param(answer_head(None) + b"100000\r\n" + bytes(MIB) + b"\r\n", id="chunks"),
    ],
)
def test_a_client_notices_that_its_answer_breaks_off(
    served: Gateway, upstream: Upstream, token: str, breaks: Script, said: bytes
):
    """Cut, and never ended as if it were whole: short of its length, or without the last chunk."""
    heard = threading.Event()

    def send_part(connection: Connection) -> None:
        connection.socket.sendall(said)
        heard.wait(DEADLINE_SECONDS)
        breaks(connection)

    upstream.script = send_part
    with asking(served, token) as client:
        client.head()
        assert client.read(MIB // 2) == MIB // 2
        heard.set()
        rest = client.everything()
    assert len(rest) < 2 * MIB - MIB // 2
    assert not rest.endswith(b"0\r\n\r\n")


def test_a_client_notices_that_a_chunk_is_broken(served: Gateway, upstream: Upstream, token: str):
    """RFC 9112 §7.1: whoever waits for the rest of such an answer would wait for ever."""
    heard = threading.Event()

    def send_nonsense(connection: Connection) -> None:
        connection.socket.sendall(answer_head(None) + b"4\r\nhalf\r\n")
        heard.wait(DEADLINE_SECONDS)
        connection.socket.sendall(b"no size\r\n")

    upstream.script = send_nonsense
    with asking(served, token) as client:
        client.head()
        assert client.read(9) == 9
        heard.set()
        assert client.everything() == b""


@pytest.mark.parametrize(
    "poison", [answer(b'"poison"'), b"HTTP/1.1 299 Poison\r\nX: "], ids=["an answer", "half a head"]
)
@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "when the connection is idle"])
def test_what_wordpress_sends_beyond_its_answer_reaches_nobody(
    served: Gateway, upstream: Upstream, token: str, other_token: str, poison: bytes, is_late: bool
):
    """RFC 9112 §9.2: bytes that nobody asked for must not become the answer to the next request."""
    is_idle, is_said = threading.Event(), threading.Event()

    def say_too_much(connection: Connection) -> None:
        if is_said.is_set():
            connection.socket.sendall(answer(b'"mine"'))
            return
        connection.socket.sendall(answer(b'"right"') + (b"" if is_late else poison))
        if is_late:
            is_idle.wait(DEADLINE_SECONDS)
            connection.socket.sendall(poison)
        is_said.set()

    upstream.script = say_too_much
    with asking(served, token, Connection="close") as client:
        assert client.everything().endswith(b'\r\n\r\n"right"')
    is_idle.set()
    assert is_said.wait(DEADLINE_SECONDS)
    for each in (other_token, token):
        with asking(served, each, Connection="close") as client:
            heard = client.everything()
            assert heard.startswith(b"HTTP/1.1 200 ")
            assert heard.endswith(b'\r\n\r\n"mine"')
