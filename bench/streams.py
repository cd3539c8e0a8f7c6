"""Large bodies through a peer, one after the other or many at a chosen pace."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

from bench.measuring import NotMeasured, Peer

_PIECE_BYTES: Final = 1 << 18
_TIMEOUT_SECONDS: Final = 60


def download(peer: Peer, path: str, size: int) -> None:
    """Read an answer of so many bytes and keep none of it."""
    with closing(_connection(peer)) as connection:
        connection.request("GET", path, headers=_headers(peer))
        _require(peer, path, connection.getresponse(), size)


def upload(peer: Peer, path: str, size: int) -> None:
    """Send a body of so many bytes."""
    piece = b"x" * _PIECE_BYTES
    headers = {**_headers(peer), "Content-Length": str(size), "Content-Type": "image/jpeg"}
    with closing(_connection(peer)) as connection:
        connection.request("POST", path, (piece for _ in range(size // _PIECE_BYTES)), headers)
        _require(peer, path, connection.getresponse(), None)


@contextmanager
def streaming(peer: Peer, path: str, *, streams: int, bytes_per_second: float) -> Iterator[None]:
    """Read from the same path again and again, so many at a time and each at its pace, until the block ends.

    Raises:
        NotMeasured: One of them failed.

    """
    ended, failures = threading.Event(), list[str]()

    def stream() -> None:
        try:
            while not ended.is_set():
                _read_at_pace(peer, path, bytes_per_second, ended)
        except (OSError, http.client.HTTPException, NotMeasured) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=stream) for _ in range(streams)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if failures:
        raise NotMeasured(f"{peer.name}: a stream of {path} failed: {failures[0]}")


def _read_at_pace(peer: Peer, path: str, bytes_per_second: float, ended: threading.Event) -> None:
    with closing(_connection(peer)) as connection:
        connection.request("GET", path, headers=_headers(peer))
        answer = connection.getresponse()
        if answer.status != 200:
            raise NotMeasured(f"it got {answer.status}")
        began, done, buffer = time.monotonic(), 0, bytearray(_PIECE_BYTES)
        while not ended.is_set() and (count := answer.readinto(buffer)):
            done += count
            ended.wait(max(0.0, began + done / bytes_per_second - time.monotonic()))


def _connection(peer: Peer) -> http.client.HTTPConnection:
    parts = urlsplit(peer.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)


def _headers(peer: Peer) -> dict[str, str]:
    return dict(header.split(": ", 1) for header in peer.headers)


def _require(peer: Peer, path: str, answer: http.client.HTTPResponse, size: int | None) -> None:
    buffer, done = bytearray(_PIECE_BYTES), 0
    while count := answer.readinto(buffer):
        done += count
    if answer.status != 200 or (size is not None and done != size):
        raise NotMeasured(f"{peer.name}: {path} got {answer.status} and {done} bytes")
