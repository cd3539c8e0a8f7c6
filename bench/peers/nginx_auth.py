"""nginx with `auth_request` to a Python service that makes our whole decision: the usual way to build a gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

from bench.measuring import Peer
from bench.peers.auth_service import auth_service
from bench.peers.nginx import nginx, nginx_version
from bench.running import Bench
from demo.wordpress.servers import free_port

NAME: Final = "nginx auth_request + Python"

# A `location` that sets a header of its own inherits none, so each needs `Connection ""` again, or nginx opens a
# connection for each request.
_SERVER: Final = """
proxy_buffer_size 16k;
proxy_buffers 8 16k;
location / {
    auth_request /decide;
    auth_request_set $authorization $upstream_http_x_upstream_authorization;
    proxy_pass http://wordpress;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Authorization $authorization;
}
location = /decide {
    internal;
    proxy_pass http://decider;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Content-Length "";
    proxy_pass_request_body off;
    proxy_set_header X-Original-Method $request_method;
    proxy_set_header X-Original-URI $request_uri;
}
"""


@contextmanager
def nginx_auth(bench: Bench) -> Iterator[Peer]:
    """Run both before the stand-in, on one core."""
    port, folder = free_port(), bench.new_folder("nginx-auth")
    with auth_service(bench, folder) as (socket, service):
        outside = f"""
upstream wordpress {{ server 127.0.0.1:{bench.upstream.port}; keepalive 512; keepalive_requests 100000000; }}
upstream decider {{ server unix:{socket}; keepalive 512; keepalive_requests 100000000; }}
"""
        with nginx(folder, port, _SERVER, outside=outside) as pid:
            versions = f"{nginx_version()}, uvicorn {version('uvicorn')}, uvloop {version('uvloop')}"
            headers = (f"Authorization: Bearer {bench.deployment.token}",)
            yield Peer(NAME, f"http://127.0.0.1:{port}", (pid, service), headers, versions)
