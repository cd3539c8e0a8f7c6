"""nginx that proxies and decides nothing: what one core can carry at most."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.measuring import Peer
from bench.peers.nginx import nginx, nginx_version
from bench.processes import PEER_CORE
from bench.running import Bench
from demo.wordpress.servers import free_port

NAME: Final = "nginx proxying alone"
TUNED_NAME: Final = "nginx proxying alone, tuned"

_LOCATION: Final = """
proxy_http_version 1.1;
proxy_set_header Connection "";
location / { proxy_pass http://wordpress; }
"""
# Measured here over its defaults: 1.9 times as much of 256 KB answers, three times as much of uploads, which otherwise
# go through a file.
_TUNING: Final = """
proxy_buffering off;
proxy_buffer_size 64k;
proxy_buffers 8 64k;
proxy_request_buffering off;
client_body_buffer_size 256k;
"""


@contextmanager
def nginx_proxy(bench: Bench) -> Iterator[Peer]:
    """Run it before the stand-in, with its defaults but for keep-alive."""
    with _proxy(bench, NAME, _LOCATION) as peer:
        yield peer


@contextmanager
def nginx_proxy_tuned(bench: Bench) -> Iterator[Peer]:
    """Run it with the buffers that are the best for large bodies."""
    with _proxy(bench, TUNED_NAME, _TUNING + _LOCATION) as peer:
        yield peer


@contextmanager
def before_wordpress(bench: Bench, authority: str) -> Iterator[Peer]:
    """Run it on any core before the site that answers at `authority` and is known by it."""
    host = f"proxy_set_header Host {authority};"
    with _proxy(bench, NAME, host + _LOCATION, authority=authority, core=None) as peer:
        yield peer


@contextmanager
def _proxy(
    bench: Bench, name: str, server: str, *, authority: str | None = None, core: int | None = PEER_CORE
) -> Iterator[Peer]:
    port, folder = free_port(), bench.new_folder("nginx-proxy")
    there = authority or f"127.0.0.1:{bench.upstream.port}"
    upstream = f"server {there}; keepalive 512; keepalive_requests 100000000;"
    with nginx(folder, port, server, outside=f"upstream wordpress {{ {upstream} }}", core=core) as pid:
        yield Peer(name, f"http://127.0.0.1:{port}", (pid,), (), nginx_version())
