"""A certificate authority made for the run, and a TLS terminator (nginx) before a server on loopback."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from demo.wordpress.debian import program
from demo.wordpress.servers import free_port
from tests.gateways import eventually

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ proxy_pass {behind}; proxy_set_header Host $http_host; proxy_http_version 1.1; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; `file` is what its friends trust."""

    made: trustme.CA
    file: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(parents=True)
        authority = cls(trustme.CA(), folder / "authority.pem")
        authority.made.cert_pem.write_to_path(str(authority.file))
        return authority

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


@contextmanager
def terminating_tls(behind: str, authority: Authority, folder: Path) -> Iterator[str]:
    """nginx on a free port with a certificate for localhost; its https address."""
    folder.mkdir(parents=True)
    port = free_port()
    certificate = authority.made.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(folder / "chain.pem"), append=True)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, behind=behind))
    process = subprocess.Popen([program("nginx"), "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")])
    try:
        eventually((folder / "nginx.pid").exists)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
