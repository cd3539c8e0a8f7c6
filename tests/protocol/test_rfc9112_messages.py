"""RFC 9112, over raw sockets: where a message begins and ends, what is refused, and how long a client may take.

An echoing application in the place of ours tells what it was given.
"""

import asyncio
import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appconnect.http1 import Http1Protocol, Limits
from tests.gateways import eventually

HOST = b"Host: a\r\n"
CLOSE = b"Connection: close\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
LAST = b"GET /last HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"


def request(line: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    return line + b"\r\n" + HOST + b"".join(each + b"\r\n" for each in fields) + b"\r\n" + body


@dataclass
class Echo:
    """Answers each request with what it was; `/unread` without reading its body, `/big` with 8 MB."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", scope["raw_path"] != b"/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.append(scope["raw_path"])
                return
            body, more = body + message["body"], message.get("more_body", False)
        names = [name.decode() for name, _ in scope["headers"]]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        seen = {"method": scope["method"], "target": target.decode(), "body": body.decode("latin-1"), "names": names}
        self.seen.append(seen)
        content = b"x" * 8_000_000 if scope["raw_path"] == b"/big" else json.dumps(seen).encode()
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": content})


@dataclass
class Server:
    """The server while it runs."""

    echo: Echo
    address: tuple[str, int]
    connections: set[Any]

    def ask(self, *pieces: bytes, timeout: float = 10.0) -> bytes:
        """Everything that comes back on one connection until the server ends it."""
        self.echo.seen.clear()
        with socket.create_connection(self.address, timeout=timeout) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
            return read_all(connection)

    def statuses(self, *pieces: bytes) -> list[int]:
        """The statuses of the answers on one connection that the server ends."""
        return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.ask(*pieces))]


def read_all(connection: socket.socket) -> bytes:
    content = b""
    while chunk := connection.recv(1_000_000):
        content += chunk
    return content


@contextmanager
def serving(protocol: type[Http1Protocol]) -> Iterator[Server]:
    echo = Echo()
    config = uvicorn.Config(
        echo,
        http=protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_keep_alive=1,
    )
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    try:
        yield Server(echo, listening.getsockname(), server.server_state.connections)
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Http1Protocol) as running:
        yield running


class Hasty(Http1Protocol):
    """Every limit in time is a fraction of a second."""

    limits: ClassVar[Limits] = Limits(head_seconds=0.2, body_seconds=0.2, write_seconds=0.2, lingering_seconds=0.2)


@pytest.fixture(scope="module")
def hasty() -> Iterator[Server]:
    with serving(Hasty) as running:
        yield running


# -- §2, §3, §5: the head ---------------------------------------------------------------------------------------------

MALFORMED = {
    "a folded field (§5.2)": request(b"GET / HTTP/1.1", b"X: a\r\n b"),
    "line ends without CR (§2.2)": b"GET / HTTP/1.1\nHost: a\n\n",
    "a CR inside a value (§2.2)": request(b"GET / HTTP/1.1", b"X: a\rb"),
    "a NUL in a value (RFC 9110 §5.5)": request(b"GET / HTTP/1.1", b"X: a\0b"),
    "a space before the colon (§5.1)": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a field without a colon": request(b"GET / HTTP/1.1", b"X"),
    "a field without a name": request(b"GET / HTTP/1.1", b": x"),
    "a letter beyond ASCII in a name": request(b"GET / HTTP/1.1", b"X\xe9: a"),
    "a method in small letters (§3.1)": request(b"get / HTTP/1.1"),
    "a tab after the method (§3)": request(b"GET\t/ HTTP/1.1"),
    "a space in the target (§3.2)": request(b"GET /a b HTTP/1.1"),
    "a letter beyond ASCII in the target": request(b"GET /\xc3\xa9 HTTP/1.1"),
    "a fragment in the target (§3.2)": request(b"GET /a#b HTTP/1.1"),
    "an asterisk for another method than OPTIONS (§3.2.4)": request(b"GET * HTTP/1.1"),
    "a target without a slash": request(b"GET a HTTP/1.1"),
    "a name and password in the target": request(b"GET http://u:p@a/x HTTP/1.1"),
    "a target that begins with an asterisk": request(b"OPTIONS *@a/x HTTP/1.1"),
    "another scheme in the target": request(b"GET ftp://a/x HTTP/1.1"),
    "an unknown minor version": request(b"GET / HTTP/1.2"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_head_is_refused_and_ends_the_connection(server: Server, raw: bytes):
    answer = server.ask(raw)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "app_connect_malformed_request"
    assert server.echo.seen == []


@pytest.mark.parametrize("raw", [request(b"GET / HTTP/2.0"), request(b"GET / HTTP/0.9"), b"GET /\r\n\r\n"])
def test_another_version_of_http_is_refused(server: Server, raw: bytes):
    """RFC 9110 §15.6.6."""
    assert server.statuses(raw) == [505]


@pytest.mark.parametrize(
    ("target", "seen"),
    [(b"http://elsewhere/x?y=1", "/x?y=1"), (b"https://a", "/"), (b"//a/b", "//a/b"), (b"/a?b?c", "/a?b?c")],
)
def test_a_target_is_a_path_or_an_address(server: Server, target: bytes, seen: str):
    """§3.2.2: a server accepts the absolute form."""
    assert server.statuses(request(b"GET " + target + b" HTTP/1.1", b"Connection: close")) == [200]
    assert server.echo.seen[0]["target"] == seen


def test_empty_lines_before_a_request_are_ignored(server: Server):
    """§2.2."""
    assert server.statuses(b"\r\n\r\n" + LAST) == [200]


# -- §6: the body -----------------------------------------------------------------------------------------------------

FAULTY = {
    "two equal lengths": request(b"POST / HTTP/1.1", b"Content-Length: 5", b"Content-Length: 5", body=b"abcde"),
    "two lengths in one field": request(b"POST / HTTP/1.1", b"Content-Length: 5, 5", body=b"abcde"),
    "a length with a sign": request(b"POST / HTTP/1.1", b"Content-Length: +5", body=b"abcde"),
    "a length in hexadecimal": request(b"POST / HTTP/1.1", b"Content-Length: 0x5", body=b"abcde"),
    "an empty length": request(b"POST / HTTP/1.1", b"Content-Length:"),
    "a length beyond every number": request(b"POST / HTTP/1.1", b"Content-Length: 18446744073709551617"),
    "a length, then chunked": request(b"POST / HTTP/1.1", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "chunked, then a length": request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    "chunked twice": request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "chunked and another coding": request(
        b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"
    ),
    "chunked in HTTP/1.0 (§6.1)": request(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked behind a vertical tab": request(b"POST / HTTP/1.1", b"Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
}


@pytest.mark.parametrize("raw", FAULTY.values(), ids=FAULTY.keys())
def test_a_body_without_one_length_is_refused_and_ends_the_connection(server: Server, raw: bytes):
    """§6.3, §11.2: otherwise what one reader takes for a body is another's next request."""
    assert server.statuses(raw + LAST) == [400]
    assert server.echo.seen == []


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity", b"xchunked", b"gzip"])
def test_a_coding_that_is_not_understood_is_refused(server: Server, coding: bytes):
    """§6.1."""
    raw = request(b"POST / HTTP/1.1", b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n")
    assert server.statuses(raw + LAST) == [501]
    assert server.echo.seen == []


def test_codings_in_two_fields_are_a_list(server: Server):
    """RFC 9110 §5.3: two fields are one, so the last of them is not all."""
    raw = request(b"POST / HTTP/1.1", b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    assert server.statuses(raw + LAST) == [501]
    assert server.echo.seen == []


CHUNKS = {
    "a size with a space": b"1 \r\nx\r\n0\r\n\r\n",
    "a size with 0x": b"0x1\r\nx\r\n0\r\n\r\n",
    "a size that is negative": b"-1\r\nx\r\n0\r\n\r\n",
    "a size beyond every number": b"10000000000000001\r\nx",
    "a size that is no number": b"3\r\nabc\r\nzz\r\n",
    "line ends without CR": b"1\nx\n0\n\n",
    "a chunk longer than its size": b"1\r\nxy\r\n0\r\n\r\n",
    "no size": b"\r\nx\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS.keys())
def test_a_malformed_chunk_ends_the_request_and_the_connection(server: Server, body: bytes):
    """§7.1: the application is told that its client is gone, and never sees a whole request."""
    assert server.statuses(request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=body) + LAST) == [400]
    assert server.echo.seen == []


def test_an_extension_of_a_chunk_is_ignored(server: Server):
    """§7.1.1."""
    body = b"1;a=b\r\nx\r\n0;c\r\n\r\n"
    assert server.statuses(request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=body) + LAST) == [200, 200]
    assert server.echo.seen[0]["body"] == "x"


def test_a_trailer_is_no_header(server: Server):
    """RFC 9110 §6.5.1: it would come after everything that headers decide."""
    body = b"1\r\nx\r\n0\r\nX-HTTP-Method-Override: DELETE\r\nAuthorization: x\r\n\r\n"
    server.ask(request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=body) + LAST)
    assert server.echo.seen[0]["names"] == ["host", "transfer-encoding"]


def test_white_space_around_a_value_is_no_part_of_it(server: Server):
    """§5.1."""
    assert server.statuses(request(b"POST / HTTP/1.1", b"Content-Length:\t3 \t", body=b"abc") + LAST) == [200, 200]
    assert server.echo.seen[0]["body"] == "abc"


# -- RFC 9110 §7.8: Upgrade -------------------------------------------------------------------------------------------

BODIES = {
    "a length": (b"Content-Length: 3\r\n", b"abc"),
    "chunked": (b"Transfer-Encoding: chunked\r\n", b"2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n"),
}


@pytest.mark.parametrize(("framing", "body"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("cut", range(0, 140, 7))
def test_an_upgrade_is_ignored_and_its_body_arrives(server: Server, framing: bytes, body: bytes, cut: int):
    raw = b"POST /up HTTP/1.1\r\n" + HOST + UPGRADE + framing + b"\r\n" + body + LAST
    assert server.statuses(raw[:cut], raw[cut:]) == [200, 200]
    assert [(each["target"], each["body"]) for each in server.echo.seen] == [("/up", "abc"), ("/last", "")]


def test_an_upgrade_without_a_body_is_ignored(server: Server):
    assert server.statuses(b"GET /up HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n" + LAST) == [200, 200]


@pytest.mark.parametrize("line", [b"CONNECT a:80", b"CONNECT @a:80", b"CONNECT /wp-json/", b"OPTIONS *"])
@pytest.mark.parametrize("fields", [(), (b"Content-Length: 3",), (b"Transfer-Encoding: chunked",)])
def test_a_target_that_names_no_resource_is_refused(server: Server, line: bytes, fields: tuple[bytes, ...]):
    """RFC 9110 §9.3.6, §9.3.7: we are no tunnel; and whatever follows is not ours to read."""
    assert server.statuses(request(line + b" HTTP/1.1", *fields) + LAST) == [501]
    assert server.echo.seen == []


# -- §9: connections --------------------------------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(server: Server):
    """§9.3.2, many more of them than are read at a time."""
    raw = b"".join(request(b"GET /%d HTTP/1.1" % number) for number in range(2000)) + LAST
    assert len(server.statuses(raw)) == 2001
    assert [each["target"] for each in server.echo.seen[:3]] == ["/0", "/1", "/2"]


def test_what_follows_close_is_not_read(server: Server):
    """§9.6."""
    assert server.statuses(LAST + request(b"GET /after HTTP/1.1")) == [200]
    assert [each["target"] for each in server.echo.seen] == ["/last"]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(request(b"GET /first HTTP/1.0", b"Connection: keep-alive"), id="HTTP/1.0"),
        pytest.param(request(b"GET /first HTTP/1.1", b"Connection: Upgrade, close", b"Upgrade: h2c"), id="an upgrade"),
    ],
)
def test_a_request_behind_the_last_one_of_a_connection_is_not_carried_out(server: Server, first: bytes):
    """§9.6: nor where another begins behind it, whose end we wait for."""
    assert server.statuses(first + request(b"DELETE /second HTTP/1.1") + b"GET /third HT") == [200]
    assert [each["target"] for each in server.echo.seen] == ["/first"]


def test_garbage_behind_a_request_does_not_spoil_its_answer(server: Server):
    assert server.statuses(request(b"GET /first HTTP/1.1") + b"GARBAGE\r\n\r\n") == [200]
    assert [each["target"] for each in server.echo.seen] == ["/first"]


def test_a_small_body_that_nobody_reads_keeps_the_connection(server: Server):
    raw = request(b"POST /unread HTTP/1.1", b"Content-Length: 3", body=b"abc")
    assert server.statuses(raw[:-2], raw[-2:] + LAST) == [200, 200]


def test_a_large_body_that_nobody_reads_ends_it_and_the_answer_is_heard(server: Server):
    """§9.6: the answer says so, and is not lost in a reset."""
    answer = server.ask(request(b"POST /unread HTTP/1.1", b"Content-Length: 900000"), b"a" * 900_000)
    assert b"connection: close" in answer.partition(b"\r\n\r\n")[0]
    assert server.echo.seen[0]["target"] == "/unread"


def test_an_endless_body_that_nobody_reads_is_cut_off(server: Server):
    with socket.create_connection(server.address, timeout=10) as connection, pytest.raises(OSError):  # noqa: PT011, PT012
        connection.sendall(request(b"POST /unread HTTP/1.1", b"Transfer-Encoding: chunked"))
        for _ in range(2000):
            connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")


def test_a_client_that_waits_for_100_is_not_kept_waiting_for_its_body(server: Server):
    """RFC 9110 §10.1.1: whether it still sends it cannot be known, so the connection ends."""
    raw = request(b"POST /unread HTTP/1.1", b"Content-Length: 3", b"Expect: 100-continue")
    assert server.statuses(raw) == [200]


def test_a_client_of_http_1_0_is_not_told_to_go_on(server: Server):
    """RFC 9110 §10.1.1: it would take that for the answer."""
    raw = request(b"POST / HTTP/1.0", b"Content-Length: 3", b"Expect: 100-continue", body=b"abc")
    assert server.statuses(raw) == [200]


def test_a_body_that_is_read_is_asked_for(server: Server):
    raw = request(b"POST / HTTP/1.1", b"Content-Length: 3", b"Expect: 100-continue")
    assert server.statuses(raw, b"abc" + LAST) == [100, 200, 200]


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(request(b"GET /" + b"a" * 17_000 + b" HTTP/1.1"), 414, id="a long target"),
        pytest.param(request(b"GET /?" + b"a" * 17_000 + b" HTTP/1.1"), 414, id="a long query"),
        pytest.param(request(b"GET / HTTP/1.1", b"X: " + b"a" * 70_000), 431, id="a long field"),
        pytest.param(request(b"GET / HTTP/1.1", *[b"X: " + b"a" * 1000] * 90), 431, id="long fields"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 900_000, 431, id="a field without an end"),
        pytest.param(request(b"GET / HTTP/1.1", *[b"X: a"] * 100), 431, id="many fields"),
        pytest.param(
            request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=b"0\r\n" + b"X: a\r\n" * 101 + b"\r\n"),
            431,
            id="many fields in a trailer",
        ),
        pytest.param(
            request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=b"0\r\nX: " + b"a" * 900_000),
            431,
            id="a trailer without an end",
        ),
        pytest.param(
            request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", body=b"1;" + b"a" * 900_000),
            431,
            id="an extension without an end",
        ),
        pytest.param(b"\r\n" * 400_000, 431, id="empty lines without an end"),
    ],
)
def test_a_head_has_a_limit(server: Server, raw: bytes, status: int):
    """RFC 9110 §15.5.15, RFC 6585 §5."""
    assert server.statuses(raw) == [status]


def test_a_head_below_the_limits_is_accepted(server: Server):
    fields = [b"X-%d: " % number + b"a" * 500 for number in range(97)]
    assert server.statuses(request(b"GET /" + b"a" * 10_000 + b" HTTP/1.1", *fields, b"Connection: close")) == [200]


@pytest.mark.parametrize("sent", [b"GET", b"GET / HTTP/1.1\r\nHost: a\r\nX: "], ids=["a line", "a field"])
def test_a_head_that_does_not_end_in_time_is_refused(hasty: Server, sent: bytes):
    """RFC 9110 §15.5.9."""
    assert hasty.statuses(sent) == [408]


def test_a_head_that_trickles_is_refused(hasty: Server):
    with socket.create_connection(hasty.address, timeout=10) as connection:
        began = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011, PT012 - a reset or a broken pipe, whichever comes first
            connection.sendall(b"GET / HTTP/1.1\r\n")
            while time.monotonic() - began < 10:
                connection.sendall(b"X: a\r\n")
                time.sleep(0.02)


def test_a_connection_without_a_request_is_closed(hasty: Server):
    assert hasty.ask() == b""


def test_an_empty_line_does_not_hold_an_idle_connection(hasty: Server):
    with socket.create_connection(hasty.address, timeout=10) as connection:
        connection.sendall(request(b"GET / HTTP/1.1"))
        connection.recv(10_000)
        connection.sendall(b"\r\n")
        assert read_all(connection) == b""


def test_the_rest_of_a_body_that_nobody_read_does_not_hold_an_idle_connection(hasty: Server):
    with socket.create_connection(hasty.address, timeout=10) as connection:
        connection.sendall(request(b"POST /unread HTTP/1.1", b"Content-Length: 3", body=b"ab"))
        connection.recv(10_000)
        connection.sendall(b"c")
        assert read_all(connection) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_go_on_is_refused_and_the_application_told(hasty: Server, framing: bytes):
    hasty.echo.gone.clear()
    assert hasty.statuses(request(b"POST /slow HTTP/1.1", framing, body=b"1\r\n")) == [408]
    eventually(lambda: hasty.echo.gone == [b"/slow"])


def test_a_body_that_trickles_arrives(hasty: Server):
    with socket.create_connection(hasty.address, timeout=10) as connection:
        connection.sendall(request(b"POST / HTTP/1.1", b"Content-Length: 10", b"Connection: close"))
        for _ in range(10):
            connection.sendall(b"a")
            time.sleep(0.05)
        assert b"200 OK" in read_all(connection)


def test_an_answer_that_nobody_takes_is_given_up(hasty: Server):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(hasty.address)
        connection.sendall(request(b"GET /big HTTP/1.1"))
        eventually(lambda: len(hasty.connections) == 1)
        eventually(lambda: len(hasty.connections) == 0)


# -- no byte is both a body and a request -----------------------------------------------------------------------------


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """The target, the body and the bytes of a request."""
    target = "/" + draw(st.text("abc", max_size=3))
    smuggled = request(b"GET /smuggled HTTP/1.1").decode()
    body = draw(st.sampled_from(("", "x", smuggled, "0\r\n\r\n" + smuggled, "\r\n\r\n")))
    upgrade = draw(st.sampled_from((b"", UPGRADE)))
    head = f"POST {target} HTTP/1.1\r\n".encode() + HOST + upgrade
    if draw(st.booleans()):
        return target, body, head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body.encode())
    at = draw(st.integers(0, len(body)))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part.encode()) for part in (body[:at], body[at:]) if part)
    return target, body, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@given(st.lists(messages(), min_size=1, max_size=5), st.lists(st.integers(0, 1500), max_size=4))
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), database=None)
def test_requests_and_their_bodies_arrive_as_they_were_sent_however_they_are_cut(server, sent, cuts):
    raw = b"".join(each[2] for each in sent) + LAST
    places = sorted({0, *(cut for cut in cuts if cut < len(raw)), len(raw)})
    server.ask(*(raw[start:end] for start, end in itertools.pairwise(places)))
    expected = [*((target, body) for target, body, _ in sent), ("/last", "")]
    assert [(each["target"], each["body"]) for each in server.echo.seen] == expected


FRAMINGS = (
    b"Content-Length: %d",
    b"Content-Length : %d",
    b"Content-Length: +%d",
    b"Content-Length: %d, %d",
    b"Content-Length: %d\r\nContent-Length: %d",
    b"Content-Length: %d\r\nTransfer-Encoding: chunked",
    b"Content-Length: %d\nX: y",
    b"Content-Length: %d\r\n z",
    b"Transfer-Encoding: chunked\r\nContent-Length: %d",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: Chunked \t",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer_Encoding: chunked\r\nContent-Length: %d",
    b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: %d",
)
SIZES = (b"%x", b"%X", b"0%x", b"%x;a=b", b"+%x", b"0x%x", b"%x ", b"%x\t;a", b"%x;a\n", b"-%x", b"%xg", b"%x\r", b"")


@st.composite
def oddly_framed(draw: st.DrawFn) -> bytes:
    """A request whose body holds another, framed as one should not."""
    body = hidden = request(b"GET /smuggled HTTP/1.1")
    if draw(st.booleans()):
        size, end = draw(st.sampled_from(SIZES)), draw(st.sampled_from((b"\r\n", b"\n", b"\r")))
        body = (size % len(hidden) if size else b"") + end + hidden + end + b"0\r\n\r\n"
    framing = draw(st.sampled_from(FRAMINGS))
    fields = framing % ((len(body),) * framing.count(b"%d"))
    version, upgrade = draw(st.sampled_from((b"1.1", b"1.0"))), draw(st.sampled_from((b"", UPGRADE)))
    return b"POST /outer HTTP/%s\r\n%s%s%s\r\n\r\n" % (version, HOST, upgrade, fields) + body


@given(oddly_framed(), st.integers(0, 300))
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck), database=None)
def test_no_framing_lets_a_body_become_a_request(server, sent, cut):
    """§11.2. A connection that is reset has been refused as well: what counts is what the application saw."""
    with suppress(ConnectionResetError):
        server.ask(sent[:cut], sent[cut:] + LAST)
    assert [each["target"] for each in server.echo.seen] in ([], ["/outer"], ["/outer", "/last"])


# -- what an attacker tried -------------------------------------------------------------------------------------------


@contextmanager
def answering(application: Any, protocol: type[Http1Protocol]) -> Iterator[tuple[str, int]]:
    """Serve another application than the echo."""
    config = uvicorn.Config(application, http=protocol, loop="uvloop", ws="none", lifespan="off", log_config=None)
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        listening.close()


async def send_ok(send: Any, *pieces: bytes, fields: tuple[Any, ...] = ((b"content-length", b"2"),)) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(fields)})
    for number, piece in enumerate(pieces, start=1):
        await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})


def read_head(connection: socket.socket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(65_536)
    return content


def test_half_an_empty_line_behind_a_request_holds_no_connection(hasty: Server):
    with socket.create_connection(hasty.address, timeout=5) as connection:
        connection.sendall(request(b"GET / HTTP/1.1") + b"\r")
        read_head(connection)
        assert connection.recv(1000) == b"", "it ends when no request has come in time"


def test_an_answer_is_not_ended_by_an_empty_line_behind_its_request():
    """After an answer that came before its request's end, which is what the next wait was counted from."""

    is_begun = threading.Event()

    async def application(scope: Any, _receive: Any, send: Any) -> None:
        if scope["raw_path"] == b"/slow":
            is_begun.set()
            await asyncio.sleep(0.6)
        await send_ok(send, b"ok")

    with answering(application, Hasty) as address, socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request(b"POST /early HTTP/1.1", b"Content-Length: 3", body=b"a"))
        read_head(connection)
        connection.sendall(b"bc" + request(b"GET /slow HTTP/1.1"))
        assert is_begun.wait(5)
        connection.sendall(b"\r\n")
        assert b"200 OK" in read_all(connection)


def test_an_answer_without_a_length_to_http_1_0_has_no_chunks():
    """§6.1: it would take them for content; the end of the connection ends it."""

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send_ok(send, b"abc", b"def", fields=())

    with answering(application, Http1Protocol) as address, socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request(b"GET / HTTP/1.0"))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"abcdef"


def test_an_answer_without_a_length_to_http_1_0_that_breaks_off_ends_in_a_reset():
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await asyncio.sleep(0.1)

    with answering(application, Http1Protocol) as address, socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request(b"GET / HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            read_all(connection)


def test_an_answer_that_breaks_off_and_is_not_read_is_given_up():
    gone = threading.Event()

    class Narrow(Hasty):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        def connection_lost(self, exc: Exception | None) -> None:
            gone.set()
            super().connection_lost(exc)

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"60000")]})
        await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})

    with answering(application, Narrow) as address, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(address)
        connection.sendall(request(b"GET / HTTP/1.1"))
        assert gone.wait(10)
