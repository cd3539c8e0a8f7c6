"""Real WordPress on each kind of web server, with the recorder in it, a gateway before it, and a cast of clients."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from demo.wordpress.classic import classic_site
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, apache_mod_php, builtin, nginx_fpm
from demo.wordpress.site import ADMIN, Site, create_application_password, create_users
from tests.attack.oracle import Noted, Permission
from tests.attack.wire import Answer, Wire
from tests.gateways import Gateway, Registered, initialize, serving
from tests.wordpress.conftest import CAST

RECORDER = (Path(__file__).parent / "recorder.php").read_text()
PLUGINS = {"recorder.php": RECORDER}

POSTS = "/wp-json/wp/v2/posts"
RULES: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "lister": ("author", (f"GET {POSTS}",), False),
    "writer": ("author", (f"GET {POSTS}", *(f"{m} {POSTS}/*" for m in ("GET", "POST", "PUT", "DELETE"))), False),
    "one_post": ("author", (f"GET {POSTS}/<mine>", f"POST {POSTS}/<mine>", f"PUT {POSTS}/<mine>"), False),
    "batcher": ("author", ("POST /wp-json/batch/v1", f"POST {POSTS}", f"PUT {POSTS}/*", f"PUT {POSTS}/<mine>"), False),
    "wild": ("admin", ("POST /wp-json/**", "DELETE /wp-json/wp/v2/*/*"), False),
    "embedder": ("author", (f"GET {POSTS}",), False),
    "full": ("admin", (), True),
    "powerful": ("admin", ("POST /wp-json/wp/v2/users/*/application-passwords", "POST /wp-json/wp/v2/users"), True),
}
"""Client → the user that it acts as, its rules, and whether it has full access."""


@dataclass(slots=True)
class Attacked:
    """One stack under attack."""

    site: RunningSite
    gateway: Gateway
    clients: dict[str, Registered]
    tokens: dict[str, str]
    names: dict[str, str]
    wire: Wire
    read_bytes: int = 0

    def filled(self, text: str, client: str) -> str:
        """`<mine>` and its like replaced by what they stand for."""
        token = self.tokens.get(client, "")
        return _fill(text, {**self.names, "token": token, "bearer": f"Authorization: Bearer {token}"})

    def permission(self, client: str) -> Permission:
        """What the client may do, by the oracle."""
        user, rules, is_full = RULES[client]
        return Permission(user, tuple(self.filled(rule, client) for rule in rules), is_full)

    def ask(self, raw: bytes, method: str) -> tuple[Answer, list[Noted]]:
        """Send a request, and see what WordPress did for it."""
        answer = self.wire.ask(raw, method)
        return answer, self.noted()

    def noted(self) -> list[Noted]:
        """What was noted since the last time."""
        file = self.site.site.content / "noted"
        if not file.exists():
            return []
        with file.open("rb") as stream:
            stream.seek(self.read_bytes)
            new = stream.read()
        self.read_bytes += len(new)
        return [Noted.read(line) for line in new.decode().splitlines()]


@contextmanager
def _built(folder: Path, serve: Callable[[Site], AbstractContextManager[RunningSite]]) -> Iterator[RunningSite]:
    site = create_site(folder / "site", Release.V6_7_ALPHA, plugins=PLUGINS)
    create_users(site, *CAST)
    with serve(site) as running:
        yield running


@contextmanager
def _classic(_: Path) -> Iterator[RunningSite]:
    with classic_site(plugins=PLUGINS) as site:
        create_users(site, *CAST)
        with apache_mod_php(site) as running:
            yield running


STACKS: dict[str, Callable[[Path], AbstractContextManager[RunningSite]]] = {
    "nginx and PHP-FPM": lambda folder: _built(folder, nginx_fpm),
    "PHP's own server": lambda folder: _built(folder, builtin),
    "Apache and mod_php": _classic,
}


@contextmanager
def attacked(name: str, folder: Path) -> Iterator[Attacked]:
    """Bring a stack up, connect a gateway, register the cast and fetch its tokens."""
    with STACKS[name](folder) as running:
        gateway = initialize(folder / "gateway")
        password = create_application_password(running.site, ADMIN)
        gateway.connect(running.home, password.login, password.password)
        with serving(gateway):
            parts = urlsplit(gateway.url)
            wire = Wire(str(parts.hostname), parts.port or 80)
            attack = Attacked(running, gateway, {}, {}, _names(running), wire)
            for client, (user, rules, is_full) in RULES.items():
                attack.clients[client] = gateway.add_client(
                    client,
                    user,
                    *(attack.filled(rule, client) for rule in rules),
                    access_mode="full" if is_full else "restricted",
                    allows_embed=client == "embedder",
                )
                attack.tokens[client] = gateway.token(attack.clients[client])
            attack.noted()
            try:
                yield attack
            finally:
                wire.close()


def _names(running: RunningSite) -> dict[str, str]:
    made = running.site.php(
        """
        $author = get_user_by('login', 'author')->ID;
        $post = ['post_author' => $author, 'post_status' => 'publish', 'post_title' => 'Post'];
        $mine = wp_insert_post($post); $other = wp_insert_post($post);
        echo "$author $mine $other";
        """
    )
    me, mine, other = made.split()
    return {"me": me, "mine": mine, "other": other, "host": "gateway.example", "random": secrets.token_hex(8)}


def _fill(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"<{name}>", value)
    return text
