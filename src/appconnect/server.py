"""The server process: nothing but the application and uvicorn, so that a worker stays small.

`app-connect serve` replaces its own process, which has loaded much that no worker needs, by this module.
"""

import contextlib
import json
import os
import pickle
import socket
import sys
from typing import Final

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

from appconnect.app import App
from appconnect.http1 import Http1Protocol
from appconnect.settings import Settings

KEEP_ALIVE_SECONDS: Final = 60
GRACEFUL_SECONDS: Final = 10
BACKLOG: Final = 1024
UNSENT_BYTES: Final = 131_072
"""What the kernel keeps of an answer for a client that takes it slowly: more would hide from us whether it does."""


def run(settings: Settings, console_link: str, as_json: bool) -> None:
    """Listen and serve until stopped; with several workers, restart one that dies."""
    config = uvicorn.Config(
        App(settings),
        workers=settings.workers,
        loop="uvloop",
        http=Http1Protocol,
        ws="none",
        lifespan="on",
        proxy_headers=False,  # the address that counts is the peer's
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    listening = _listen(settings.host, settings.port)
    print(_greeting(settings, console_link, as_json=as_json), flush=True)  # noqa: T201 - what the command `serve` says
    with contextlib.suppress(KeyboardInterrupt):
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listening])
        else:
            Multiprocess(config, sockets=[listening]).run()


def _greeting(settings: Settings, console_link: str, *, as_json: bool) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    if as_json:
        said = {"listening": address, "public_url": settings.public_url, "workers": settings.workers}
        return json.dumps({**said, "console": console_link})
    lines = [f"App Connect listens on {address} for {settings.public_url}. Stop it with Ctrl-C."]
    if console_link.endswith("/"):
        lines.append(f"The console is at {console_link}")
    else:
        lines.append(f"To set it up in a browser, open this link, which works once, within a day:\n  {console_link}")
    return "\n".join(lines)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        sys.exit(f"Error: cannot listen on {host} port {port}: {error.strerror}. Choose others with --host and --port.")
    with contextlib.suppress(AttributeError, OSError):  # where there is no such option
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return listening


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[1]), "rb") as stream:
        run(*pickle.load(stream))  # noqa: S301 - written by `start`
