"""After any changes, whoever made them: reading what changed gives the same as reading everything."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from sqlalchemy import event

from appconnect.core.clients import Client, ClientSecretHash, GrantType
from appconnect.core.keys import SigningKey
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches, Snapshot
from appconnect.ports import ApplicationPassword, PasswordState, Transaction
from appconnect.store.engine import open_engine
from appconnect.store.migrate import migrate
from appconnect.store.policies import POLICY_RETENTION_SECONDS
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import Vault
from tests.property.strategies import AUTHOR

NOW = 1_700_000_000
GRANT_TYPES = frozenset(GrantType)
CLIENT_IDS = ("ac_1", "ac_2")
RULES = (RouteRule.parse("GET /wp-json/wp/v2/posts"), RouteRule.parse("POST /wp-json/wp/v2/posts/*"))
KEYS = [OKPKey.generate_key("Ed25519") for _ in range(2)]
OLDER_VERSION = """
UPDATE revision SET number = number + 1;
UPDATE clients SET name = name || ' of an older version';
DELETE FROM application_passwords WHERE rowid = 1;
"""


@dataclass
class World:
    """A database, a worker that has been reading it, and the time."""

    database: Path
    worker: SqlStore = field(init=False)
    now: int = NOW

    def __post_init__(self) -> None:
        self.worker = self.open()

    def open(self) -> SqlStore:
        """A store that has read nothing yet."""
        engine, lock_file = open_engine(self.database), self.database.with_name("lock")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return SqlStore(engine, Vault(b"0" * 32), public_url="https://a.example", lock_file=lock_file)

    def run(self, script: str) -> None:
        """Run statements behind the store's back."""
        connection = sqlite3.connect(self.database)
        connection.executescript(script)
        connection.close()


Act = Callable[[World], None]
Change = Callable[[Transaction, int], None]


def content(store: SqlStore, now: int) -> tuple[object, ...]:
    """All that a store says, in its order."""
    snapshot = store.snapshot(now=now)
    passwords = store.application_passwords()
    return replace(snapshot, templates=NOTHING.templates), snapshot.templates.texts, list(snapshot.clients), passwords


# -- what may happen --------------------------------------------------------------------------------------------------


def policy_of(client_id: str, rules: tuple[RouteRule, ...]) -> Policy:
    return Policy(client_id, AUTHOR, AccessMode.RESTRICTED, rules)


def save_client(id_: str, created_at: int, rules: tuple[RouteRule, ...], secrets: int, is_enabled: bool) -> Change:
    def change(transaction: Transaction, now: int) -> None:
        policy = policy_of(id_, rules)
        hashes = tuple(ClientSecretHash(bytes([number]) * 32, NOW + number) for number in range(secrets))
        client = Client(id_, f"Client {id_}", GRANT_TYPES, is_enabled, hashes, policy.hash, NOW + created_at)
        transaction.save_client(client, policy, now=now)

    return change


def save_password(app_id: str, client_id: str | None, state: PasswordState) -> Change:
    password = ApplicationPassword(app_id, 7, "author", client_id, state, password=Secret(f"of {client_id}"))
    return lambda transaction, _: transaction.save_application_password(password)


def in_one_transaction(changes: list[Change], is_broken_off: bool) -> Act:
    def act(world: World) -> None:
        with suppress(ZeroDivisionError), world.open().transaction() as transaction:
            for change in changes:
                change(transaction, world.now)
            _ = 1 / (not is_broken_off)

    return act


def pass_time(seconds: int) -> Act:
    def act(world: World) -> None:
        world.now += seconds

    return act


def set_aside(world: World) -> None:
    """Keep a copy, as a backup does."""
    world.run("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.database, world.database.with_name("backup"))


def put_back(world: World) -> None:
    """Put the copy in the database's place while the worker runs."""
    world.run("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.database.with_name("backup"), world.database)


def write_with_an_older_version(world: World) -> None:
    world.run(OLDER_VERSION)


app_ids, client_ids = st.sampled_from(("a1", "a2")), st.sampled_from(CLIENT_IDS)
rule_sets = st.sampled_from(((), RULES[:1], RULES))
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(save_client, client_ids, st.integers(0, 2), rule_sets, st.integers(0, 2), st.booleans()),
    st.builds(save_password, app_ids, client_ids | st.none(), st.sampled_from(PasswordState)),
    client_ids.map(lambda id_: lambda transaction, _: transaction.delete_client(id_)),
    app_ids.map(lambda id_: lambda transaction, _: transaction.forget_application_password(id_)),
    app_ids.map(lambda id_: lambda transaction, now: transaction.revoke_token(id_, expires_at=now + 60, now=now)),
    st.booleans().map(
        lambda is_pretty: lambda transaction, _: transaction.save_site(SiteAddress("https://w", "https://w", is_pretty))
    ),
    st.booleans().map(
        lambda is_on: lambda transaction, _: transaction.save_switches(SiteSwitches(is_on, GRANT_TYPES, 3600))
    ),
    st.sampled_from(KEYS).map(lambda key: lambda transaction, now: transaction.save_signing_key(SigningKey(key, now))),
    app_ids.map(lambda text: lambda transaction, _: transaction.save_route_templates([f"/{text}"])),
)
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(in_one_transaction, st.lists(changes, max_size=3), st.just(value=True)),
    st.builds(in_one_transaction, st.lists(changes, min_size=1, max_size=3), st.just(value=False)),
    st.builds(in_one_transaction, st.lists(changes, min_size=1, max_size=3), st.just(value=False)),
    st.builds(in_one_transaction, st.lists(changes, min_size=1, max_size=3), st.just(value=False)),
    st.sampled_from((-1, 1, 60, POLICY_RETENTION_SECONDS)).map(pass_time),
    st.sampled_from((set_aside, put_back, write_with_an_older_version)),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of this version."""
    path = tmp_path_factory.mktemp("empty") / "app-connect.db"
    migrate(open_engine(path))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


NOTHING = Snapshot(0, "", None, SiteSwitches(True, frozenset(), 0), None)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(happened=st.lists(st.tuples(acts, st.sampled_from((True, True, False))), min_size=3, max_size=20))
def test_what_changed_is_all_that_has_to_be_read(empty: Path, happened: list[tuple[Act, bool]]):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(shutil.copy(empty, folder)))
        set_aside(world)
        for act, is_looked_at in happened:
            act(world)
            assert not is_looked_at or content(world.worker, world.now) == content(world.open(), world.now)
