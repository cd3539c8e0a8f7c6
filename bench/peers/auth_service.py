"""The Python service behind nginx and Caddy: uvicorn, and our own core as the decision.

Run as a program it serves; `auth_service` starts it. It answers 204 with the upstream's `Authorization`, or 401 or 403
without a body, for with one nginx would drop the connection each time.
"""

import argparse
import base64
import sys
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from appconnect.asgi import Receive, Scope, Send
from appconnect.control_plane import clock, open_store
from appconnect.core.canonical import canonicalize
from appconnect.core.decision import Allow, decide
from appconnect.core.headers import Fields, Request
from appconnect.core.request import Refused
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import InvalidToken
from appconnect.gateway.remembered import RememberedAccess
from appconnect.settings import load

if TYPE_CHECKING:
    from bench.running import Bench

_BEARER: Final = b"Bearer "


class Decider:
    """An ASGI application that decides about the request which two headers describe."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot, self._remembered = snapshot, RememberedAccess()
        self._authorization = {
            client_id: b"Basic " + base64.b64encode(f"{one.login}:{one.password.reveal()}".encode())
            for client_id, one in snapshot.credentials.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        del receive
        status, headers = self._decide(scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _decide(self, scope: MutableMapping[str, Any]) -> tuple[int, list[tuple[bytes, bytes]]]:
        headers = dict(scope["headers"])
        shown = headers.get(b"authorization", b"")
        path, _, query = headers[b"x-original-uri"].partition(b"?")
        request = Request(headers[b"x-original-method"].decode(), path, query, Fields(scope["headers"]))
        try:
            token = shown.removeprefix(_BEARER).decode("ascii")
            access = self._remembered.open(token, self._snapshot, now=clock())
            decision = decide(canonicalize(request), access.granted, access.current, self._snapshot.templates)
        except InvalidToken:
            return 401, [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
        except Refused:
            return 403, [(b"content-length", b"0")]
        if not isinstance(decision, Allow):
            return 403, [(b"content-length", b"0")]
        return 204, [(b"x-upstream-authorization", self._authorization[access.client.id])]


@contextmanager
def auth_service(bench: "Bench", folder: Path) -> Iterator[tuple[Path, int]]:
    """Run the service with the bench's gateway as its source; gives its socket and its process ID."""
    from bench.processes import pinned  # noqa: PLC0415 - the service itself needs none of the bench
    from bench.serving import listens_at, served  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="bench-") as short:  # a socket's path has at most 107 bytes
        socket = Path(short) / "decider"
        command = pinned(sys.executable, "-m", "bench.peers.auth_service", bench.deployment.settings_file, socket)
        with served(command, folder / "auth-service.log", is_ready=lambda: listens_at(socket)) as pid:
            yield socket, pid


def main() -> None:
    """Serve on a Unix socket."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("socket")
    options = parser.parse_args()
    snapshot = open_store(load(options.settings)).snapshot(now=clock())
    uvicorn.run(
        Decider(snapshot),
        uds=options.socket,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        backlog=4096,
        timeout_keep_alive=3600,
    )


if __name__ == "__main__":
    main()
