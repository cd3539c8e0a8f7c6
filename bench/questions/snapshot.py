"""What do 10,000 clients cost a worker, and what does a change to one of them?"""

import asyncio
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import insert, update

from appconnect.control_plane import clock, open_store
from appconnect.core.clients import Client, ClientSecretHash, GrantType, hash_secret
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches
from appconnect.core.tokens import Claims, issue
from appconnect.ports import ApplicationPassword, PasswordState
from appconnect.store import rows, schema
from appconnect.store.engine import open_engine
from appconnect.store.feed import Feed
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import Vault
from bench.answers import Aim, Answer, Row, Spread
from bench.deployment import MAX_IN_FLIGHT, SITE_URL, Deployment, initialize
from bench.measuring import Load, NotMeasured, load
from bench.peers.gateway import gateway_peer, serving
from bench.peers.upstream import SMALL
from bench.processes import pinned, resident_bytes
from bench.running import Bench
from bench.words import megabytes, milliseconds

CLIENTS: Final = 10_000
RULES: Final = 20
CONNECTIONS: Final = 4
MAX_LOAD_SECONDS: Final = 2.0
MAX_RESIDENT_BYTES: Final = 256 << 20
_CHANGED: Final = CLIENTS // 2
_DEADLINE_SECONDS: Final = 30.0
_BETWEEN_CHANGES_SECONDS: Final = 0.5
_NOTICE_SECONDS: Final = 0.25
_THREADS: Final = 16

_COMMON: Final = (
    *(f"{method} /wp-json/wp/v2/posts" for method in ("GET", "POST")),
    *(f"{method} /wp-json/wp/v2/posts/*" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    *(f"{method} /wp-json/wp/v2/media" for method in ("GET", "POST")),
    "GET /wp-json/wp/v2/media/*",
)
"""Half of a client's rules are everybody's; the rest have its own name in them, so that nothing can be shared."""

_LOADING: Final = """
import sys, time
from pathlib import Path
from appconnect.control_plane import clock, open_store
from appconnect.settings import load
from appconnect.store.feed import Feed
store = open_store(load(Path(sys.argv[1])))
began, cpu = time.perf_counter(), time.process_time()
snapshot = Feed(store, clock).snapshot
print(time.perf_counter() - began, time.process_time() - cpu, len(snapshot.clients))
"""


def run(bench: Bench) -> Answer:
    """A fresh process loads them, a worker serves them all, and one of them is changed while others are served."""
    bench.say(f"writing {CLIENTS:,} clients with {RULES} rules each")
    deployment = _deploy(bench)
    loads = [_load(deployment, number, bench) for number in range(bench.rounds)]
    served = _serve(deployment, bench)
    bench.say("one change, in process")
    shared = _share(deployment)
    return _answer(loads, served, shared)


# -- the database -----------------------------------------------------------------------------------------------------


def _deploy(bench: Bench) -> Deployment:
    deployment = initialize(bench.new_folder("snapshot"), max_in_flight_per_client=MAX_IN_FLIGHT)
    _write_clients(deployment)
    # Last, as it leaves a record of what has changed, and what is written past the store does not.
    with open_store(deployment.settings).transaction() as transaction:
        transaction.save_site(SiteAddress(SITE_URL, bench.upstream.url, has_pretty_permalinks=True))
        transaction.save_switches(SiteSwitches(True, frozenset(GrantType), 24 * 3600))
        transaction.save_application_password(_password("admin", 1, None))
    return deployment


def _write_clients(deployment: Deployment) -> None:
    """What the store would write for each client, table by table: one by one it takes a minute."""
    vault = Vault(deployment.settings.encryption_key_bytes)
    made = [_client(number) for number in range(CLIENTS)]
    policies = [
        {"hash": policy.hash, "client_id": client.id, "content": json.dumps(policy.to_json())}
        for client, policy, _ in made
    ]
    secrets = [
        {"client_id": client.id, "sha256": secret.sha256, "created_at": secret.created_at}
        for client, _, _ in made
        for secret in client.secrets
    ]
    written = {
        schema.policies: [{"site_id": schema.SITE_ID, **row} for row in policies],
        schema.clients: [{"site_id": schema.SITE_ID, **rows.from_client(client)} for client, _, _ in made],
        schema.client_secrets: secrets,
        schema.application_passwords: [
            {"site_id": schema.SITE_ID, **rows.from_application_password(password, vault)} for _, _, password in made
        ],
    }
    with open_engine(deployment.settings.database_path).begin() as connection:
        connection.execute(update(schema.revision).values(number=schema.revision.c.number + 1))
        for table, content in written.items():
            connection.execute(insert(table), content)


def _client(number: int) -> tuple[Client, Policy, ApplicationPassword]:
    user = ServiceUser(number + 2, f"user-{number}", frozenset(("author",)), frozenset(("edit_posts", "publish_posts")))
    own = (f"GET /wp-json/client-{number}/v1/{item}" for item in range(RULES - len(_COMMON)))
    rules = tuple(map(RouteRule.parse, (*_COMMON, *own)))
    policy = Policy(_id(number), user, AccessMode.RESTRICTED, rules)
    secret = ClientSecretHash(hash_secret(_secret(number)), clock())
    client = Client(policy.client_id, f"Client {number}", frozenset(GrantType), True, (secret,), policy.hash, clock())
    return client, policy, _password(user.login, user.id, client.id)


def _password(login: str, user_id: int, client_id: str | None) -> ApplicationPassword:
    name, secret = f"of-{login}", Secret("abcd efgh ijkl mnop qrst uvwx")
    return ApplicationPassword(name, user_id, login, client_id, PasswordState.IN_USE, name, secret)


def _id(number: int) -> str:
    return f"ac_client-{number}"


def _secret(number: int) -> str:
    return f"acs_secret-of-client-{number}"


# -- loading ----------------------------------------------------------------------------------------------------------


def _load(deployment: Deployment, number: int, bench: Bench) -> tuple[float, float]:
    """How long a process that has just started takes for its first snapshot, and what CPU time."""
    bench.say(f"round {number + 1} of {bench.rounds}: loading")
    command = pinned(sys.executable, "-c", _LOADING, deployment.settings_file)
    seconds, cpu_seconds, clients = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if int(clients) != CLIENTS:
        raise NotMeasured(f"{clients} clients were loaded.")
    return float(seconds), float(cpu_seconds)


# -- a worker that serves ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Served:
    """A worker's memory, when a change to a client counts, and what it is to the requests of another."""

    loaded_bytes: int
    at_work_bytes: int
    in_force: Spread
    quiet: Load
    meanwhile: Load


def _serve(deployment: Deployment, bench: Bench) -> _Served:
    with serving(deployment) as pid, closing(_connect(deployment)) as connection:
        loaded_bytes = resident_bytes((pid,))
        bench.say(f"a request of each of {CLIENTS:,} clients")
        tokens = _tokens(deployment)
        with ThreadPoolExecutor(max_workers=_THREADS) as threads:
            list(threads.map(lambda first: _use(deployment, tokens[first::_THREADS]), range(_THREADS)))
        at_work_bytes = resident_bytes((pid,))
        peer = gateway_peer(deployment, pid, tokens[0])
        bench.say("changes to one client while another is served")
        quiet = load(peer, SMALL, connections=CONNECTIONS, seconds=bench.seconds)
        change = _Change(open_store(deployment.settings))
        with ThreadPoolExecutor(max_workers=1) as beside:
            seconds = 2 * bench.rounds * (_BETWEEN_CHANGES_SECONDS + _NOTICE_SECONDS)
            loading = beside.submit(load, peer, SMALL, connections=CONNECTIONS, seconds=seconds)
            changes = [False, True] * bench.rounds
            token = tokens[_CHANGED]
            in_force = Spread.of([_seconds_until_in_force(change, to, connection, token) for to in changes])
        return _Served(loaded_bytes, at_work_bytes, in_force, quiet, loading.result())


def _connect(deployment: Deployment) -> http.client.HTTPConnection:
    parts = urlsplit(deployment.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_DEADLINE_SECONDS)


def _tokens(deployment: Deployment) -> list[str]:
    """One for each client, as the token endpoint would issue it."""
    snapshot, now = open_store(deployment.settings).snapshot(now=clock()), clock()
    ends_at = now + snapshot.switches.token_lifetime_seconds
    ordered = [snapshot.clients[_id(number)] for number in range(CLIENTS)]
    claims = (
        Claims(snapshot.issuer, snapshot.audience, "user", client.id, client.id, now, ends_at, client.policy_hash)
        for client in ordered
    )
    return [issue(one, snapshot.key_ring) for one in claims]


def _use(deployment: Deployment, tokens: Sequence[str]) -> None:
    """One request with each token, on one connection."""
    with closing(_connect(deployment)) as connection:
        for token in tokens:
            if (status := _status(connection, token)) != 200:
                raise NotMeasured(f"A client got {status}.")


def _status(connection: http.client.HTTPConnection, token: str) -> int:
    connection.request("GET", SMALL, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


class _Change:
    """One client, to be disabled and enabled again."""

    def __init__(self, store: SqlStore) -> None:
        snapshot = store.snapshot(now=clock())
        self._store, self._client = store, snapshot.clients[_id(_CHANGED)]
        self._policy = snapshot.current_policy(self._client)

    def set_enabled(self, *, is_enabled: bool) -> None:
        """As the control plane would."""
        with self._store.transaction() as transaction:
            transaction.save_client(replace(self._client, is_enabled=is_enabled), self._policy, now=clock())


def _seconds_until_in_force(
    change: _Change, is_enabled: bool, connection: http.client.HTTPConnection, token: str
) -> float:
    """Change the client, and wait until its requests show it."""
    expected = 200 if is_enabled else 401
    time.sleep(_BETWEEN_CHANGES_SECONDS)
    began = time.perf_counter()
    change.set_enabled(is_enabled=is_enabled)
    while _status(connection, token) != expected:
        if time.perf_counter() > began + _DEADLINE_SECONDS:
            raise NotMeasured("A change to a client does not count.")
    return time.perf_counter() - began


# -- what a change shares with what was there before ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shared:
    """How long one change took to load, and how many of the other clients kept their objects."""

    seconds: float
    clients: int
    policies: int


def _share(deployment: Deployment) -> _Shared:
    store = open_store(deployment.settings)
    feed, change = Feed(store, clock), _Change(open_store(deployment.settings))
    before = feed.snapshot
    others = [client for client in before.clients.values() if client.id != _id(_CHANGED)]
    policies = [before.current_policy(client) for client in others]
    change.set_enabled(is_enabled=False)
    began = time.perf_counter()
    asyncio.run(feed.tick())
    seconds = time.perf_counter() - began
    after = feed.snapshot
    if after.clients[_id(_CHANGED)].is_enabled:
        raise NotMeasured("The feed did not see the change.")
    return _Shared(
        seconds,
        sum(after.clients[client.id] is client for client in others),
        sum(after.policies[policy.hash] is policy for policy in policies),
    )


# -- the answer -------------------------------------------------------------------------------------------------------


def _answer(loads: Sequence[tuple[float, float]], served: _Served, shared: _Shared) -> Answer:
    loading, cpu = (Spread.of(seconds) for seconds in zip(*loads, strict=True))
    others = CLIENTS - 1
    slower = Spread.of_ratios([served.meanwhile.p99_seconds], [served.quiet.p99_seconds])
    return Answer(
        rows=(
            Row(
                "a fresh process loads them",
                f"{loading.median:.2f} s",
                spread=_seconds(loading),
                beside=f"{cpu.median:.2f} s of CPU",
            ),
            Row("a worker that has loaded them", megabytes(served.loaded_bytes)),
            Row("… once each client has used a token", megabytes(served.at_work_bytes)),
            Row("a change to one client is loaded", milliseconds(shared.seconds)),
            Row("… and counts", f"after {served.in_force.median:.2f} s", spread=_seconds(served.in_force)),
            Row("p99 of others, without changes", milliseconds(served.quiet.p99_seconds)),
            Row("p99 of others, meanwhile", milliseconds(served.meanwhile.p99_seconds), slower.ratio),
        ),
        aims=(
            Aim(
                f"a snapshot of {CLIENTS:,} clients with {RULES} rules each loads",
                f"in {MAX_LOAD_SECONDS:g} s",
                f"{loading.median:.2f} s ({_seconds(loading)})",
                loading.median <= MAX_LOAD_SECONDS,
                f"It takes {cpu.median:.2f} s of CPU. A policy's rules are read when its client is first at work.",
            ),
            Aim(
                "a worker's memory with it, all clients at work",
                f"at most {megabytes(MAX_RESIDENT_BYTES)}",
                megabytes(served.at_work_bytes),
                served.at_work_bytes <= MAX_RESIDENT_BYTES,
                f"Loaded and idle: {megabytes(served.loaded_bytes)}.",
            ),
            Aim(
                "a change to one client does not rebuild the others",
                f"all {others:,} kept",
                f"{shared.clients:,} clients and {shared.policies:,} policies kept",
                shared.clients == shared.policies == others,
            ),
        ),
        notes=(
            f"Half of a client's {RULES} rules are everybody's, half have its own name in them.",
            "A change counts when a request of that client shows it: the database is looked at four times a second.",
        ),
    )


def _seconds(spread: Spread) -> str:
    return f"{spread.low:.2f} to {spread.high:.2f} s"
