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
from demo.wordpress.site import ADMIN, Permalinks, create_application_password, create_users
from tests.attack.drawn import drawn_allowlists
from tests.attack.oracle import Noted, Permission
from tests.attack.wire import Answer, Wire
from tests.gateways import Gateway, Registered, initialize, serving
from tests.wordpress.conftest import CAST, signed_in

RECORDER = (Path(__file__).parent / "recorder.php").read_text()
PLUGINS = {"recorder.php": RECORDER}

POSTS = "/wp-json/wp/v2/posts"
CLIENTS: dict[str, tuple[str, tuple[str, ...], bool]] = {
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
    rules: dict[str, tuple[str, tuple[str, ...], bool]]
    tokens: dict[str, str]
    names: dict[str, str]
    wire: Wire
    read_bytes: int = 0

    def __repr__(self) -> str:
        return f"Attacked({self.site.url})"  # a failing example is shown with all its values, and needs no secrets

    def filled(self, text: str, client: str) -> str:
        """`<mine>` and its like replaced by what they stand for."""
        token = self.tokens.get(client, "")
        return _fill(text, {**self.names, "token": token, "bearer": f"Authorization: Bearer {token}"})

    def permission(self, client: str) -> Permission:
        """What the client may do, by the oracle."""
        user, rules, is_full = self.rules[client]
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
def _newest(folder: Path) -> Iterator[RunningSite]:
    site = create_site(folder / "site", Release.V6_7_ALPHA, plugins=PLUGINS)
    create_users(site, *CAST)
    with nginx_fpm(site) as running:
        yield running


@contextmanager
def _plain(folder: Path) -> Iterator[RunningSite]:
    """A site whose only address of the REST API is `/index.php?rest_route=…`."""
    site = create_site(folder / "site", Release.V6_5, permalinks=Permalinks.PLAIN, plugins=PLUGINS)
    create_users(site, *CAST)
    with builtin(site) as running:
        yield running


@contextmanager
def _classic(_: Path) -> Iterator[RunningSite]:
    with classic_site(plugins=PLUGINS) as site:
        create_users(site, *CAST)
        with apache_mod_php(site) as running:
            yield running


STACKS: dict[str, Callable[[Path], AbstractContextManager[RunningSite]]] = {
    "nginx and PHP-FPM": _newest,
    "PHP's own server": _plain,
    "Apache and mod_php": _classic,
}
"""Web server → a site on it: three releases of WordPress, the middle one with plain permalinks."""


@contextmanager
def attacked(name: str, folder: Path, *, seed: int = 0) -> Iterator[Attacked]:
    """Bring a stack up, connect a gateway, register the cast with some clients of chance, and fetch their tokens."""
    with STACKS[name](folder) as running:
        gateway = initialize(folder / "gateway")
        password = create_application_password(running.site, ADMIN)
        gateway.connect(running.home, password.login, password.password)
        with serving(gateway):
            parts = urlsplit(gateway.url)
            wire = Wire(str(parts.hostname), parts.port or 80)
            attack = Attacked(running, gateway, _rules(running, seed), {}, _names(running), wire)
            for client in attack.rules:
                attack.tokens[client] = gateway.token(_register(attack, client))
            attack.noted()
            try:
                yield attack
            finally:
                wire.close()


def _rules(running: RunningSite, seed: int) -> dict[str, tuple[str, tuple[str, ...], bool]]:
    drawn = enumerate(drawn_allowlists(running, seed), start=1)
    return CLIENTS | {f"drawn {number}": ("author", rules, False) for number, rules in drawn}


def _register(attack: Attacked, client: str) -> Registered:
    user, rules, is_full = attack.rules[client]
    return attack.gateway.add_client(
        client,
        user,
        *(attack.filled(rule, client) for rule in rules),
        access_mode="full" if is_full else "restricted",
        allows_embed=client == "embedder",
    )


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
    session = signed_in(running, ADMIN)
    return {
        "me": me,
        "mine": mine,
        "other": other,
        "host": "gateway.example",
        "random": secrets.token_hex(8),
        "cookie": session["Cookie"],
        "nonce": session["X-WP-Nonce"],
    }


def _fill(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"<{name}>", value)
    return text
