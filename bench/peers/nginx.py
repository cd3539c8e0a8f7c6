"""nginx as the stand-in for WordPress and the peers use it: one worker, keep-alive without an end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import PEER_CORE, pinned
from bench.serving import answers, said_by, served
from demo.wordpress.debian import program


@contextmanager
def nginx(folder: Path, port: int, server: str, *, outside: str = "", core: int | None = PEER_CORE) -> Iterator[int]:
    """Run nginx on a port with `server` in its server block and `outside` beside it; gives its process ID.

    Where `core` is None, it runs on any.
    """
    configuration = folder / "nginx.conf"
    configuration.write_text(_text(folder, port, server, outside))
    command = [program("nginx"), "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
    started = command if core is None else pinned(*command, core=core)
    with served(started, folder / "nginx.out", is_ready=lambda: answers(f"http://127.0.0.1:{port}/ready")) as pid:
        yield pid


def nginx_version() -> str:
    """What is installed."""
    return said_by(program("nginx"), "-v").removeprefix("nginx version: ")


def _text(folder: Path, port: int, server: str, outside: str) -> str:
    return f"""
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 1;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log" warn;
events {{ worker_connections 4096; }}
http {{
    default_type "application/json; charset=UTF-8";
    access_log "{folder}/access.log";
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_max_body_size 2g;
    {outside}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /ready {{ return 204; }}
        {server}
    }}
}}
"""
