"""An nginx that stands for a very fast WordPress: files in place of PHP, with the headers of its REST API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appconnect.core.policy import ServiceUser
from bench.measuring import Peer
from bench.peers.nginx import nginx, nginx_version
from bench.processes import LOAD_CORE
from demo.wordpress.servers import free_port

SMALL: Final = "/wp-json/wp/v2/posts"
MIDDLE: Final = "/wp-json/wp/v2/pages"
LARGE: Final = "/wp-json/wp/v2/media"
HUGE: Final = "/wp-json/wp/v2/blocks"
DENIED: Final = "/wp-json/wp/v2/comments"
"""No client of the bench has a rule for it."""

SIZES: Final = {SMALL: 8 << 10, MIDDLE: 256 << 10, LARGE: 20 << 20, HUGE: 1 << 30}
"""How many bytes are answered at each path."""

USER: Final = ServiceUser(2, "author", frozenset(("author",)), frozenset(("edit_posts",)))
"""The service user, whom `users/me` shows to the check of a credential."""

_ME: Final = "/wp-json/wp/v2/users/me"
_UPLOADED: Final = "/uploaded"

_HEADERS: Final = """
add_header X-Robots-Tag noindex;
add_header Link '<https://wordpress.example/wp-json/>; rel="https://api.w.org/"';
add_header X-Content-Type-Options nosniff;
add_header Access-Control-Expose-Headers 'X-WP-Total, X-WP-TotalPages, Link';
add_header Access-Control-Allow-Headers 'Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type';
add_header X-WP-Total 1;
add_header X-WP-TotalPages 1;
add_header Allow 'GET, POST';
add_header Expires 'Wed, 11 Jan 1984 05:00:00 GMT';
add_header Cache-Control 'no-cache, must-revalidate, max-age=0';
"""
# A POST for a file is 405 to nginx; `mirror` has read the whole body before that is found out, as PHP-FPM would have.
_SERVER: Final = f"""
access_log off;
etag off;
if_modified_since off;
root "%(root)s";
client_body_buffer_size 32m;
{_HEADERS}
location / {{
    mirror /sink;
    mirror_request_body on;
    error_page 405 =200 {_UPLOADED};
}}
location = /sink {{ internal; return 204; }}
location = {_ME} {{ try_files /me =404; }}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the stand-in answers."""

    url: str
    pid: int

    @property
    def port(self) -> str:
        """The port in its address."""
        return self.url.rpartition(":")[2]

    @property
    def peer(self) -> Peer:
        """The stand-in itself, called directly."""
        return Peer("the stand-in directly", self.url, (self.pid,), (), nginx_version())


@contextmanager
def upstream(folder: Path) -> Iterator[Upstream]:
    """Run the stand-in on the core of the load."""
    root, port = folder / "root", free_port()
    for path, size in SIZES.items():
        _write(root / path.lstrip("/"), size)
    (root / "me").write_text(json.dumps(_user()))
    (root / _UPLOADED.lstrip("/")).write_text('{"id": 1}')
    with nginx(folder, port, _SERVER % {"root": root}, core=LOAD_CORE) as pid:
        yield Upstream(f"http://127.0.0.1:{port}", pid)


def _write(file: Path, size: int) -> None:
    """JSON of just this size: a list of one text, which for the largest is a hole that the disk need not hold."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as output:
        if size == SIZES[HUGE]:
            output.truncate(size)
        else:
            output.write(b'["' + b"x" * (size - 4) + b'"]')


def _user() -> dict[str, object]:
    """The service user as WordPress shows it."""
    capabilities = dict.fromkeys(USER.capabilities, True)
    return {"id": USER.id, "username": USER.login, "roles": [*USER.roles], "capabilities": capabilities}
