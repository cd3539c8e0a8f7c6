"""Two ends of a stream over real sockets: a server on threads in WordPress's place, and a client at its own pace."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from tests.gateways import DEADLINE_SECONDS, Gateway
from tests.protocol.conftest import AUTHOR

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
STALLED_SECONDS: Final = 1.0
"""Without a byte being taken for so long, a stream stands still."""
ZEROS: Final = memoryview(bytes(MIB))
LOGGED_IN: Final = b"Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private\r\n"


# -- what stands for WordPress ----------------------------------------------------------------------------------------


@dataclass
class Connection:
    """One side of a connection, with what has come beyond the head."""

    socket: socket.socket
    rest: bytes = b""

    def head(self) -> bytes:
        """The next head; empty where the other side has gone."""
        while b"\r\n\r\n" not in self.rest:
            more = self.socket.recv(64 * KIB)
            if not more:
                return b""
            self.rest += more
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head

    def read(self, size: int, watch: Callable[[], None] = lambda: None) -> int:
        """Read and forget `size` bytes, or as many as come before the end; the number of them."""
        taken, self.rest = self.rest[:size], self.rest[size:]
        count, buffer = len(taken), bytearray(MIB)
        while count < size:
            got = self.socket.recv_into(buffer, min(MIB, size - count))
            if not got:
                break
            count += got
            watch()
        return count

    def send_zeros(self, size: int, watch: Callable[[], None] = lambda: None) -> None:
        for _ in range(size // MIB):
            self.socket.sendall(ZEROS)
            watch()

    def send_until_it_stalls(self, size: int) -> int:
        """Send zeros until nobody takes them; how many went."""
        self.socket.settimeout(STALLED_SECONDS)
        count = 0
        try:
            while count < size:
                count += self.socket.send(ZEROS[: min(MIB, size - count)])
        except TimeoutError:
            pass
        self.socket.settimeout(DEADLINE_SECONDS)
        return count

    def everything(self) -> bytes:
        """Whatever comes until the other side ends the connection, in whichever way."""
        content = bytearray(self.rest)
        with suppress(ConnectionError):
            while more := self.socket.recv(MIB):
                content += more
        return bytes(content)


Script = Callable[[Connection], object]


@dataclass
class Upstream:
    """Serves each connection on a thread of its own: the check of a credential itself, all else by the `script`."""

    listening: socket.socket
    script: Script = lambda _: None
    connections: list[tuple[socket.socket, threading.Thread]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def accept(self) -> None:
        while True:
            try:
                accepted, _ = self.listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(accepted,), daemon=True)
            thread.start()
            self.connections.append((accepted, thread))

    def end_connections(self) -> None:
        """End every connection, and wait until the threads that have them have closed them.

        No other thread may close a socket that one reads from: its number is given to the next one at once, and the
        read then keeps that one open.
        """
        while self.connections:
            connection, thread = self.connections.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()

    def serve(self, accepted: socket.socket) -> None:
        connection = Connection(accepted)
        accepted.settimeout(DEADLINE_SECONDS)
        with closing(accepted):
            try:
                while head := connection.head():
                    if b"\r\nUser-Agent: App-Connect" in head or b"\r\nuser-agent: App-Connect" in head:
                        accepted.sendall(answer(ME))
                    elif b"/wp/v2/posts/1?" in head:  # the other request of a test that has one under way
                        accepted.sendall(answer(b'{"id":1}'))
                    else:
                        self.script(connection)
            except OSError:
                return


ME: Final = (
    f'{{"id": {AUTHOR.id}, "username": "{AUTHOR.login}", "roles": ["author"],'
    f' "capabilities": {{"edit_posts": true, "publish_posts": true}}}}'
).encode()


def answer_head(length: int | None) -> bytes:
    framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + LOGGED_IN + framing + b"\r\n\r\n"


def answer(body: bytes) -> bytes:
    return answer_head(len(body)) + body


# -- the client -------------------------------------------------------------------------------------------------------


@contextmanager
def asking(
    gateway: Gateway, token: str, method: str = "GET", path: str = "/wp/v2/posts", **headers: str
) -> Iterator[Connection]:
    """A connection on which a request's head was sent."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    fields = {"Host": f"{host}:{port}", "Authorization": f"Bearer {token}", **headers}
    lines = [f"{method} /wp-json{path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items()), "", ""]
    with socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS) as connected:
        connected.sendall("\r\n".join(lines).encode())
        yield Connection(connected)


def length(size: int) -> dict[str, str]:
    return {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
