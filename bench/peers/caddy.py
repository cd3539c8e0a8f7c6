"""Caddy with `forward_auth` to the same Python service as nginx has."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.measuring import Peer
from bench.peers.auth_service import auth_service
from bench.processes import pinned
from bench.running import Bench
from bench.serving import answers, served
from demo.wordpress.servers import free_port

PROGRAM: Final = Path(sys.executable).with_name("caddyserver")
NAME: Final = "Caddy forward_auth + Python"

# `forward_auth` says X-Forwarded-Method and X-Forwarded-Uri; the service reads what nginx says.
_CADDYFILE: Final = """
{
	admin off
	auto_https off
	persist_config off
}
http://127.0.0.1:%(port)s {
	respond /ready 204
	forward_auth unix/%(socket)s {
		uri /decide
		header_up X-Original-Method {method}
		header_up X-Original-URI {uri}
		copy_headers X-Upstream-Authorization>Authorization
		transport http {
			keepalive_idle_conns_per_host 512
		}
	}
	reverse_proxy 127.0.0.1:%(upstream_port)s {
		transport http {
			keepalive_idle_conns_per_host 512
		}
	}
}
"""


@contextmanager
def caddy(bench: Bench) -> Iterator[Peer]:
    """Run both before the stand-in, on one core."""
    port, folder = free_port(), bench.new_folder("caddy")
    with auth_service(bench, folder) as (socket, service):
        configuration = folder / "Caddyfile"
        configuration.write_text(_CADDYFILE % {"port": port, "socket": socket, "upstream_port": bench.upstream.port})
        environment = ("env", "GOMAXPROCS=1", f"HOME={folder}")
        command = pinned(*environment, PROGRAM, "run", "--adapter", "caddyfile", "--config", configuration)
        url = f"http://127.0.0.1:{port}"
        with served(command, folder / "caddy.log", is_ready=lambda: answers(f"{url}/ready")) as pid:
            versions = f"Caddy {version('caddyserver')}, uvicorn {version('uvicorn')}"
            yield Peer(NAME, url, (pid, service), (f"Authorization: Bearer {bench.deployment.token}",), versions)
