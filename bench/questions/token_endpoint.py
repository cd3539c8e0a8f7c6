"""What does an access token cost, beside other authorization servers?"""

import sqlite3
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appconnect.control_plane import clock, open_store
from bench.answers import Aim, Answer, Spread, at_least
from bench.deployment import CLIENT_ID, CLIENT_SECRET
from bench.measuring import Load, Peer, interleaved, load
from bench.peers import authlib_flask, django_oauth_toolkit, oidc_provider
from bench.peers.gateway import gateway
from bench.running import Bench
from bench.words import cost, microseconds

CONNECTIONS: Final = 16
PATH: Final = "/wp-json/app-connect/v1/token"
_LOOK_SECONDS: Final = 0.005
_SIGNED_BYTES, _SIGNATURES = 500, 2000


def run(bench: Bench) -> Answer:
    """POST by client credentials with HTTP Basic on 16 connections; each answer must be a token."""
    starts = (
        gateway,
        oidc_provider.oidc_provider,
        authlib_flask.authlib_flask,
        authlib_flask.authlib_flask_stored,
        django_oauth_toolkit.django_oauth_toolkit,
    )
    paths = (PATH, oidc_provider.PATH, authlib_flask.PATH, authlib_flask.PATH, django_oauth_toolkit.PATH)
    basic = "Authorization: Basic " + b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    with bench.peers(*starts) as started:
        peers = [replace(peer, headers=(basic,)) for peer in started]
        path_of = {peer.name: path for peer, path in zip(peers, paths, strict=True)}

        def tokens(peer: Peer, seconds: float) -> Load:
            return load(
                peer,
                path_of[peer.name],
                connections=CONNECTIONS,
                seconds=seconds,
                method="POST",
                body="grant_type=client_credentials",
                content_type="application/x-www-form-urlencoded",
            )

        found = interleaved(
            peers,
            lambda peer: tokens(peer, bench.seconds),
            bench.rounds,
            warm_up=lambda peer: tokens(peer, 1),
            say=bench.say,
        )
        with _watched(bench.deployment.folder) as written:
            while_watched = tokens(peers[0], bench.seconds)
    limit = f"Of a token's CPU time, its Ed25519 signature takes {microseconds(_signing_seconds(bench))}."
    return _answer([peer.name for peer in peers], found, limit, _no_write(written, while_watched))


_NOTES: Final = (
    "Ours and oidc-provider sign with Ed25519. Authlib signs with joserfc's recommended algorithms only: with ES256.",
    "Ours, oidc-provider and Authlib have the client in memory and store no token.",
    "With SQLAlchemy it is Authlib as documented: the client is read from SQLite, and the token is written there.",
    "django-oauth-toolkit's tokens are opaque and stored, its only way.",
    "It has the client secret as plain text here, as it offers: by PBKDF2, its default, a token takes half a second.",
)


def _answer(names: list[str], found: dict[str, list[Load]], limit: str, no_write: Aim) -> Answer:
    ours, provider, authlib, documented, *_ = names
    per_core = {name: [run.per_core for run in runs] for name, runs in found.items()}
    ratios = {name: Spread.of_ratios(per_core[ours], per_core[name]) for name in names}
    return Answer(
        rows=tuple(cost(name, found[ours], found[name]) for name in names),
        aims=(
            at_least("tokens per CPU-second, beside oidc-provider", 2, ratios[provider], limit=limit),
            at_least(f"tokens per CPU-second, beside {documented}", 8, ratios[documented], limit=limit),
            at_least(f"tokens per CPU-second, beside {authlib}, its client in memory", 8, ratios[authlib], limit=limit),
            no_write,
        ),
        notes=_NOTES,
    )


def _signing_seconds(bench: Bench) -> float:
    """CPU seconds of one signature with the gateway's own key, by the library that it uses for them."""
    key = open_store(bench.deployment.settings).snapshot(now=clock()).key_ring.signing_key(now=clock())
    private, content = key.jwk.private_key, b"x" * _SIGNED_BYTES
    assert isinstance(private, Ed25519PrivateKey)
    began = time.process_time()
    for _ in range(_SIGNATURES):
        private.sign(content)
    return (time.process_time() - began) / _SIGNATURES


# -- no write per token -----------------------------------------------------------------------------------------------


def _no_write(written: "_Written", meanwhile: Load) -> Aim:
    return Aim(
        "no write per token",
        "no row for a token",
        f"{written.rows_more} rows more after {meanwhile.requests:,} tokens",
        is_met=written.rows_more < meanwhile.requests / 100,
        limit=f"The database's files changed {written.changes} times in {meanwhile.seconds:.0f} s: every other second "
        "a worker writes sums of what each client did, however much that was.",
    )


@dataclass
class _Written:
    """What happened to the database meanwhile."""

    changes: int = 0
    rows_more: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, folder: Path) -> None:
        """Count the changes of its files until the end."""
        before = _files(folder)
        while not self._ended.wait(_LOOK_SECONDS):
            now = _files(folder)
            self.changes += now != before
            before = now

    def end(self) -> None:
        """Look no longer."""
        self._ended.set()


@contextmanager
def _watched(folder: Path) -> Iterator[_Written]:
    written, rows_before = _Written(), _rows(folder)
    watching = threading.Thread(target=written.watch, args=(folder,))
    watching.start()
    try:
        yield written
    finally:
        written.end()
        watching.join()
        written.rows_more = _rows(folder) - rows_before


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of the database's files; the index that readers write, too, does not count."""
    files = sorted(file for file in folder.glob("app-connect.db*") if file.suffix not in (".db-shm", ".lock"))
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def _rows(folder: Path) -> int:
    """How many rows all tables have."""
    with closing(sqlite3.connect(f"file:{folder / 'app-connect.db'}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sum(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables)  # noqa: S608
