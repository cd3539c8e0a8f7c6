"""The store: changes together or not at all, values come back as they were, and no database but our own is touched."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client, ClientSecretHash, GrantType
from appconnect.core.keys import SigningKey
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches, UpstreamCredential
from appconnect.ports import ApplicationPassword, PasswordState
from appconnect.store.engine import StoreUnavailableError, open_engine
from appconnect.store.feed import Feed
from appconnect.store.history import MAX_KEPT
from appconnect.store.migrate import migrate
from appconnect.store.policies import POLICY_RETENTION_SECONDS
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import Vault, WrongKeyError

KEY, OTHER_KEY = b"0" * 32, b"1" * 32
NOW = 1_700_000_000
LONGEST_TOKEN_LIFETIME_SECONDS = 86_400

SITE = SiteAddress("https://your-site.com", "http://127.0.0.1:8081", has_pretty_permalinks=False)
SWITCHES = SiteSwitches(
    is_api_enabled=False, grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}), token_lifetime_seconds=600
)
AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts", "read"}))
POLICY = Policy(
    "ac_backend",
    AUTHOR,
    AccessMode.FULL,
    (RouteRule.parse("GET /wp-json/wp/v2/posts"), RouteRule.parse("POST /wp-json/shop/v1/größe/**")),
    allows_embed=True,
)
NARROWER = replace(POLICY, access_mode=AccessMode.RESTRICTED, rules=POLICY.rules[:1])
BACKEND = Client(
    id="ac_backend",
    name="Backend of the größte shop",
    grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
    is_enabled=True,
    secrets=(ClientSecretHash(b"a" * 32, NOW, NOW + 60), ClientSecretHash(b"b" * 32, NOW + 1)),
    policy_hash=POLICY.hash,
    created_at=NOW,
    token_lifetime_seconds=900,
)
PASSWORD = ApplicationPassword(
    "5a1e", 7, "author", "ac_backend", PasswordState.IN_USE, uuid="c0de", password=Secret("abcd EFGH größe")
)
EVENT = AuditEvent(AuditEventType.CLIENT_CREATED, NOW, "admin", "ac_backend", "Created with 2 rules.")


def open_store(database: Path, key: bytes = KEY) -> SqlStore:
    """A store of its own on the database, as another worker would have it."""
    lock_file = database.with_name(database.name + ".lock")
    return SqlStore(open_engine(database), Vault(key), public_url="https://api.example.com", lock_file=lock_file)


@pytest.fixture
def database(tmp_path):
    """A database of this version."""
    path = tmp_path / "app-connect.db"
    migrate(open_engine(path))
    return path


@pytest.fixture
def store(database):
    return open_store(database)


def save_backend(store: SqlStore, policy: Policy = POLICY, *, now: int = NOW) -> None:
    with store.transaction() as change:
        change.save_client(replace(BACKEND, policy_hash=policy.hash), policy, now=now)


# -- values come back as they were ------------------------------------------------------------------------------------


def test_a_new_database_has_no_site_and_no_grant_type(store):
    snapshot = store.snapshot(now=NOW)
    assert (snapshot.site, snapshot.switches) == (
        None,
        SiteSwitches(is_api_enabled=True, grant_types=frozenset(), token_lifetime_seconds=3600),
    )


def test_a_site_comes_back(store):
    with store.transaction() as change:
        change.save_site(SITE)
    assert store.snapshot(now=NOW).site == SITE


def test_a_site_can_be_disconnected(store):
    with store.transaction() as change:
        change.save_site(SITE)
    with store.transaction() as change:
        change.save_site(None)
    assert store.snapshot(now=NOW).site is None


def test_switches_come_back(store):
    with store.transaction() as change:
        change.save_switches(SWITCHES)
    assert store.snapshot(now=NOW).switches == SWITCHES


def test_a_client_comes_back(store):
    save_backend(store)
    assert store.snapshot(now=NOW).clients == {"ac_backend": BACKEND}


def test_a_policy_comes_back(store):
    save_backend(store)
    assert store.snapshot(now=NOW).policies == {POLICY.hash: POLICY}


def test_a_clients_current_policy_is_found(store):
    save_backend(store)
    assert store.snapshot(now=NOW).current_policy(BACKEND) == POLICY


def test_a_changed_client_comes_back_changed(store):
    save_backend(store)
    changed = replace(BACKEND, name="Other", is_enabled=False, secrets=BACKEND.secrets[1:], token_lifetime_seconds=None)
    with store.transaction() as change:
        change.save_client(changed, POLICY, now=NOW)
    assert store.snapshot(now=NOW).clients == {"ac_backend": changed}


def test_a_signing_key_comes_back_and_still_signs(store):
    key = SigningKey(OKPKey.generate_key("Ed25519"), NOW, NOW + 60)
    with store.transaction() as change:
        change.save_signing_key(key)
    (found,) = store.snapshot(now=NOW).key_ring.keys
    assert (found.jwk.as_dict(private=True), found.created_at, found.retired_at) == (
        key.jwk.as_dict(private=True),
        NOW,
        NOW + 60,
    )


def test_an_application_password_comes_back(store):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
    assert list(store.application_passwords()) == [PASSWORD]


def test_an_intended_application_password_comes_back_without_its_secret(store):
    intended = replace(PASSWORD, state=PasswordState.INTENDED, uuid=None, password=None)
    with store.transaction() as change:
        change.save_application_password(intended)
    assert list(store.application_passwords()) == [intended]


def test_an_application_password_in_use_is_its_clients_credential(store):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
    credential = UpstreamCredential("author", Secret("abcd EFGH größe"))
    assert store.snapshot(now=NOW).credentials == {"ac_backend": credential}


@pytest.mark.parametrize(
    "password",
    [
        pytest.param(replace(PASSWORD, state=PasswordState.INTENDED, password=None), id="one that is intended"),
        pytest.param(replace(PASSWORD, state=PasswordState.TO_REMOVE), id="one that is to be removed"),
        pytest.param(replace(PASSWORD, client_id=None), id="the administrator's"),
    ],
)
def test_no_other_application_password_is_a_credential(store, password):
    with store.transaction() as change:
        change.save_application_password(password)
    assert store.snapshot(now=NOW).credentials == {}


def test_a_clients_own_application_passwords_are_found(store):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
        change.save_application_password(replace(PASSWORD, app_id="ad01", client_id=None))
    assert list(store.application_passwords_of("ac_backend")) == [PASSWORD]


def test_a_client_that_has_no_application_password_has_none(store):
    assert list(store.application_passwords_of("ac_backend")) == []


def test_a_forgotten_application_password_is_gone(store):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
        change.forget_application_password(PASSWORD.app_id)
    assert list(store.application_passwords()) == []


def test_a_revoked_token_comes_back(store):
    with store.transaction() as change:
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
    assert store.snapshot(now=NOW + 59).revoked_token_ids == {"4f6e"}


def test_a_revoked_token_that_expired_needs_no_keeping(store):
    with store.transaction() as change:
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
    assert store.snapshot(now=NOW + 60).revoked_token_ids == set()


def test_a_token_can_be_revoked_twice(store):
    with store.transaction() as change:
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
    assert store.snapshot(now=NOW).revoked_token_ids == {"4f6e"}


def test_audit_events_come_back_the_newest_first(store):
    later = replace(EVENT, type=AuditEventType.CLIENT_DELETED, at=NOW + 1)
    with store.transaction() as change:
        change.record(EVENT)
        change.record(later)
    assert store.audit_events(limit=10) == [later, EVENT]


def test_no_more_audit_events_come_than_are_asked_for(store):
    with store.transaction() as change:
        change.record(replace(EVENT, at=NOW - 1))
        change.record(EVENT)
    assert store.audit_events(limit=1) == [EVENT]


def test_the_snapshot_knows_where_clients_find_us(store):
    snapshot = store.snapshot(now=NOW)
    assert (snapshot.issuer, snapshot.audience) == ("https://api.example.com", "https://api.example.com/wp-json")


# -- together or not at all -------------------------------------------------------------------------------------------


def test_each_transaction_moves_the_revision(store):
    before = store.revision()
    save_backend(store)
    assert store.revision() == before + 1


def test_reading_does_not_move_the_revision(store):
    before = store.revision()
    store.snapshot(now=NOW)
    assert store.revision() == before


def test_the_snapshot_has_the_revision_that_it_was_read_at(store):
    save_backend(store)
    assert store.snapshot(now=NOW).revision == store.revision()


def change_everything_and_fail(store: SqlStore) -> None:
    with store.transaction() as change:
        change.save_site(SITE)
        change.save_switches(SWITCHES)
        change.save_signing_key(SigningKey(OKPKey.generate_key("Ed25519"), NOW))
        change.save_client(replace(BACKEND, policy_hash=NARROWER.hash), NARROWER, now=NOW)
        change.save_application_password(replace(PASSWORD, login="other"))
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
        change.record(EVENT)
        raise ZeroDivisionError


def break_off(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError):
        change_everything_and_fail(store)


def test_a_transaction_that_raises_leaves_the_snapshot_as_it_was(store):
    save_backend(store)
    before = store.snapshot(now=NOW)
    break_off(store)
    assert store.snapshot(now=NOW) == before


def test_a_transaction_that_raises_leaves_the_passwords_as_they_were(store):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
    break_off(store)
    assert list(store.application_passwords()) == [PASSWORD]


def test_a_transaction_that_raises_leaves_no_audit_event(store):
    break_off(store)
    assert store.audit_events(limit=10) == []


def test_after_a_transaction_that_raised_the_next_one_works(store):
    break_off(store)
    save_backend(store)
    assert store.snapshot(now=NOW).clients == {"ac_backend": BACKEND}


def test_nobody_sees_half_of_a_transaction(store, database):
    other = open_store(database)
    with store.transaction() as change:
        change.save_client(BACKEND, POLICY, now=NOW)
        assert other.snapshot(now=NOW).clients == {}


def test_a_client_never_stands_without_its_policy(store):
    with pytest.raises(StoreUnavailableError), store.transaction() as change:
        change.save_client(replace(BACKEND, policy_hash="missing"), POLICY, now=NOW)


# -- policies that a token may still name -----------------------------------------------------------------------------


def test_a_superseded_policy_is_kept_beside_the_new_one(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER)
    assert store.snapshot(now=NOW).policies == {POLICY.hash: POLICY, NARROWER.hash: NARROWER}


def test_a_superseded_policy_is_kept_as_long_as_the_longest_token_lives(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    assert POLICY.hash in store.snapshot(now=NOW + LONGEST_TOKEN_LIFETIME_SECONDS).policies


def test_another_change_meanwhile_does_not_shorten_its_life(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    save_backend(store, NARROWER, now=NOW + LONGEST_TOKEN_LIFETIME_SECONDS)
    assert POLICY.hash in store.snapshot(now=NOW + LONGEST_TOKEN_LIFETIME_SECONDS).policies


def test_then_a_superseded_policy_is_in_no_snapshot_any_more(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    assert store.snapshot(now=NOW + POLICY_RETENTION_SECONDS).policies == {NARROWER.hash: NARROWER}


def test_then_a_superseded_policy_leaves_the_database_with_the_next_change(store, database):
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    save_backend(store, NARROWER, now=NOW + POLICY_RETENTION_SECONDS + 1)
    assert rows(database, "SELECT hash FROM policies") == [(NARROWER.hash,)]


def test_the_current_policy_stays_however_old_it_is(store):
    save_backend(store, POLICY)
    assert store.snapshot(now=NOW + 1000 * POLICY_RETENTION_SECONDS).policies == {POLICY.hash: POLICY}


def test_a_policy_that_comes_back_is_current_again(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    save_backend(store, POLICY, now=NOW + 1)
    assert store.snapshot(now=NOW + 1 + POLICY_RETENTION_SECONDS).policies == {POLICY.hash: POLICY}


def test_a_policy_is_superseded_only_once(store):
    """Saving a client again must not lengthen the life of a policy that it had before."""
    save_backend(store, POLICY)
    save_backend(store, NARROWER, now=NOW)
    save_backend(store, NARROWER, now=NOW + 3600)
    assert POLICY.hash not in store.snapshot(now=NOW + POLICY_RETENTION_SECONDS).policies


def test_a_deleted_client_takes_its_policies_along(store):
    save_backend(store, POLICY)
    save_backend(store, NARROWER)
    with store.transaction() as change:
        change.delete_client("ac_backend")
    assert store.snapshot(now=NOW).policies == {}


def test_a_deleted_client_leaves_others_alone(store):
    policy = replace(POLICY, client_id="ac_other")
    other = replace(BACKEND, id="ac_other", policy_hash=policy.hash)
    save_backend(store)
    with store.transaction() as change:
        change.save_client(other, policy, now=NOW)
        change.delete_client("ac_backend")
    assert store.snapshot(now=NOW).clients == {"ac_other": other}


def test_a_deleted_clients_application_password_is_kept_to_be_removed(store):
    save_backend(store)
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
        change.delete_client("ac_backend")
    assert list(store.application_passwords()) == [PASSWORD]


# -- what did not change is shared ------------------------------------------------------------------------------------

OTHER_POLICY = replace(POLICY, client_id="ac_other")
OTHER = replace(BACKEND, id="ac_other", policy_hash=OTHER_POLICY.hash)
OTHERS_PASSWORD = replace(PASSWORD, app_id="0711", client_id="ac_other")


def save_other(store: SqlStore, client: Client = OTHER) -> None:
    with store.transaction() as change:
        change.save_client(client, OTHER_POLICY, now=NOW)
        change.save_application_password(OTHERS_PASSWORD)


@pytest.fixture
def worker(store, database) -> SqlStore:
    """A worker that knows two clients; `store` is in another process."""
    with store.transaction() as change:
        change.save_signing_key(SigningKey(OKPKey.generate_key("Ed25519"), NOW))
        change.save_client(BACKEND, POLICY, now=NOW)
        change.save_application_password(PASSWORD)
    save_other(store)
    worker = open_store(database)
    worker.snapshot(now=NOW)
    return worker


def shared(worker: SqlStore, now: int = NOW) -> dict[str, object]:
    """What a worker knows of the other client, and of no client."""
    snapshot = worker.snapshot(now=now)
    policy, credential = snapshot.policies[OTHER_POLICY.hash], snapshot.credentials["ac_other"]
    return {
        "client": snapshot.clients["ac_other"],
        "policy": policy,
        "allowlist": policy.allowlist,
        "credential": credential,
        "key ring": snapshot.key_ring,
        "templates": snapshot.templates,
    }


def same_objects(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return [name for name, value in before.items() if after[name] is value]


def test_a_change_to_one_client_makes_nothing_of_the_others_anew(store, worker):
    before = shared(worker)
    save_backend(store, NARROWER)
    assert same_objects(before, shared(worker)) == list(before)


def test_the_changed_client_is_read(store, worker):
    save_backend(store, NARROWER)
    assert worker.snapshot(now=NOW).clients["ac_backend"].policy_hash == NARROWER.hash


def test_a_policy_that_stays_is_the_same_object_even_when_its_client_changes(store, worker):
    before = shared(worker)["policy"]
    save_other(store, replace(OTHER, name="Another name"))
    assert shared(worker)["policy"] is before


def test_what_belongs_to_no_client_leaves_all_clients_as_they_are(store, worker):
    before = worker.snapshot(now=NOW)
    with store.transaction() as change:
        change.save_site(SITE)
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
    after = worker.snapshot(now=NOW)
    assert (after.site, after.revoked_token_ids) == (SITE, {"4f6e"})
    assert after.clients is before.clients
    assert after.credentials is before.credentials


def test_without_a_change_the_snapshot_is_the_same_until_something_expires(store, worker):
    with store.transaction() as change:
        change.revoke_token("4f6e", expires_at=NOW + 60, now=NOW)
    before = worker.snapshot(now=NOW)
    assert worker.snapshot(now=NOW + 59) is before
    assert worker.snapshot(now=NOW + 60).revoked_token_ids == set()


def test_a_snapshot_of_an_earlier_time_has_what_expired_since(store, worker):
    """Two threads that ask the clock around the same second may read in the other order."""
    save_backend(store, NARROWER)
    assert POLICY.hash not in worker.snapshot(now=NOW + POLICY_RETENTION_SECONDS).policies
    assert POLICY.hash in worker.snapshot(now=NOW + POLICY_RETENTION_SECONDS - 1).policies


def test_a_policy_that_was_superseded_and_came_back_does_not_expire(store, worker):
    save_backend(store, NARROWER)
    worker.snapshot(now=NOW)
    save_backend(store, POLICY)
    assert POLICY.hash in worker.snapshot(now=NOW + POLICY_RETENTION_SECONDS).policies


def test_a_password_that_goes_to_another_client_is_the_first_ones_no_more(store, worker):
    with store.transaction() as change:
        change.save_application_password(replace(PASSWORD, client_id="ac_other", intended_at=NOW))
    assert list(worker.snapshot(now=NOW).credentials) == ["ac_other"]


def bump_as_an_older_version(database: Path, statement: str) -> None:
    run(database, statement)
    run(database, "UPDATE revision SET number = number + 1")


def test_a_change_by_a_process_of_an_older_version_is_seen(database, worker):
    """It says of no client that it changed: during an upgrade it still serves."""
    bump_as_an_older_version(database, "UPDATE clients SET is_enabled = FALSE WHERE id = 'ac_other'")
    assert not worker.snapshot(now=NOW).clients["ac_other"].is_enabled


def test_a_change_by_a_process_of_an_older_version_between_two_others_is_seen(store, database, worker):
    save_backend(store, NARROWER)
    bump_as_an_older_version(database, "UPDATE clients SET is_enabled = FALSE WHERE id = 'ac_other'")
    save_backend(store, POLICY)
    assert not worker.snapshot(now=NOW).clients["ac_other"].is_enabled


def test_until_the_next_change_it_is_read_once(database, worker):
    bump_as_an_older_version(database, "UPDATE clients SET is_enabled = FALSE WHERE id = 'ac_other'")
    assert worker.snapshot(now=NOW) is worker.snapshot(now=NOW)


def test_after_that_changes_are_read_alone_again(store, database, worker):
    bump_as_an_older_version(database, "UPDATE clients SET is_enabled = FALSE WHERE id = 'ac_other'")
    save_backend(store)
    before = shared(worker)
    save_backend(store, NARROWER)
    assert same_objects(before, shared(worker)) == list(before)


def test_whatever_is_read_anew_a_policy_is_made_once(database, worker):
    before = shared(worker)["policy"]
    bump_as_an_older_version(database, "UPDATE clients SET is_enabled = FALSE WHERE id = 'ac_other'")
    assert shared(worker)["policy"] is before


def test_the_history_does_not_grow_without_end(store, database):
    save_backend(store)
    run(database, f"UPDATE revision SET number = {MAX_KEPT + 1}")  # noqa: S608 - our own words
    save_backend(store)
    assert rows(database, "SELECT revision FROM changes") == [(MAX_KEPT + 2,)]


def test_who_is_further_behind_than_the_history_reads_everything(store, database, worker):
    save_other(store, replace(OTHER, is_enabled=False))
    save_backend(store)
    run(database, f"DELETE FROM changes WHERE revision < {store.revision()}")  # noqa: S608 - our own words
    assert not worker.snapshot(now=NOW).clients["ac_other"].is_enabled


def test_a_copy_that_came_to_the_same_revision_by_other_changes_is_seen(store, database, worker):
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    backup = database.read_bytes()
    save_backend(store, NARROWER)
    assert worker.snapshot(now=NOW).revision == 3
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    database.write_bytes(backup)
    save_other(store, replace(OTHER, is_enabled=False))
    save_other(store, replace(OTHER, is_enabled=False))
    snapshot = worker.snapshot(now=NOW)
    assert (snapshot.revision, snapshot.clients["ac_other"].is_enabled) == (4, False)
    assert snapshot.clients["ac_backend"] == BACKEND


def test_a_database_of_an_older_version_is_brought_to_this_one(database, store):
    """As one that was made before there was a history."""
    save_backend(store)
    run(database, "DROP TABLE changes")
    run(database, "UPDATE alembic_version SET version_num = '0003'")
    migrate(open_engine(database))
    worker = open_store(database)
    before = worker.snapshot(now=NOW)
    save_other(store)
    assert list(worker.snapshot(now=NOW).clients) == ["ac_backend", "ac_other"]
    assert worker.snapshot(now=NOW).clients["ac_backend"] is before.clients["ac_backend"]


def test_a_worker_whose_clients_policy_is_damaged_still_serves_the_others(store, database, worker):
    run(database, f"UPDATE policies SET content = '{{}}' WHERE hash = '{POLICY.hash}'")  # noqa: S608 - our own words
    snapshot = open_store(database).snapshot(now=NOW)
    assert snapshot.policies.get(POLICY.hash) is None
    assert snapshot.policies[OTHER_POLICY.hash] == OTHER_POLICY


def test_a_damaged_policy_is_mended_by_saving_its_client_again(store, database):
    save_backend(store)
    run(database, "UPDATE policies SET content = '{}'")
    worker = open_store(database)
    assert worker.snapshot(now=NOW).policies.get(POLICY.hash) is None
    save_backend(store)
    assert worker.snapshot(now=NOW).policies[POLICY.hash] == POLICY


# -- what is sealed ---------------------------------------------------------------------------------------------------


def test_a_sealed_value_opens_with_its_key_in_its_row():
    assert Vault(KEY).open(Vault(KEY).seal(Secret("abcd"), "row/1"), "row/1") == Secret("abcd")


def test_a_sealed_value_does_not_open_with_another_key():
    with pytest.raises(WrongKeyError):
        Vault(OTHER_KEY).open(Vault(KEY).seal(Secret("abcd"), "row/1"), "row/1")


def test_a_sealed_value_does_not_open_in_another_row():
    with pytest.raises(WrongKeyError):
        Vault(KEY).open(Vault(KEY).seal(Secret("abcd"), "row/1"), "row/2")


def test_the_same_secret_is_sealed_differently_each_time():
    assert Vault(KEY).seal(Secret("abcd"), "row/1") != Vault(KEY).seal(Secret("abcd"), "row/1")


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param(lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:], id="its first byte"),
        pytest.param(lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), id="its last byte"),
        pytest.param(lambda sealed: sealed[:12] + bytes([sealed[12] ^ 1]) + sealed[13:], id="the encrypted text"),
        pytest.param(lambda sealed: sealed + b"\0", id="a byte more"),
        pytest.param(lambda sealed: sealed[:-1], id="a byte less"),
        pytest.param(lambda sealed: sealed[:12], id="the nonce alone"),
        pytest.param(lambda sealed: sealed[:5], id="half the nonce"),
        pytest.param(lambda sealed: b"", id="nothing"),
    ],
)
def test_a_sealed_value_that_was_altered_does_not_open(altered):
    with pytest.raises(WrongKeyError):
        Vault(KEY).open(altered(Vault(KEY).seal(Secret("abcd"), "row/1")), "row/1")


def test_the_database_holds_no_secret_in_the_clear(store, database):
    key = SigningKey(OKPKey.generate_key("Ed25519"), NOW)
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
        change.save_signing_key(key)
    kept = b"".join(path.read_bytes() for path in database.parent.glob("app-connect.db*"))
    assert re.search(b"abcd EFGH|PRIVATE KEY", kept) is None


def test_another_encryption_key_does_not_read_the_database(store, database):
    with store.transaction() as change:
        change.save_signing_key(SigningKey(OKPKey.generate_key("Ed25519"), NOW))
    with pytest.raises(WrongKeyError):
        open_store(database, OTHER_KEY).snapshot(now=NOW)


def test_a_password_put_in_another_row_does_not_open(store, database):
    with store.transaction() as change:
        change.save_application_password(PASSWORD)
        change.save_application_password(replace(PASSWORD, app_id="ad01", client_id=None, password=Secret("admin's")))
    admins = "SELECT password FROM application_passwords WHERE app_id = 'ad01'"
    run(database, f"UPDATE application_passwords SET password = ({admins})")  # noqa: S608 - the test's own words
    with pytest.raises(WrongKeyError):
        store.snapshot(now=NOW)


# -- whose database it is ---------------------------------------------------------------------------------------------


def rows(database: Path, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(database) as connection:
        found = connection.execute(statement).fetchall()
    connection.close()
    return found


def run(database: Path, statement: str) -> None:
    rows(database, statement)


def test_migrating_twice_changes_nothing(database):
    before = rows(database, "SELECT sql FROM sqlite_schema ORDER BY name")
    migrate(open_engine(database))
    assert rows(database, "SELECT sql FROM sqlite_schema ORDER BY name") == before


def test_migrating_keeps_what_is_there(database, store):
    save_backend(store)
    migrate(open_engine(database))
    assert store.snapshot(now=NOW).clients == {"ac_backend": BACKEND}


@pytest.fixture
def foreign(tmp_path):
    """Another program's database."""
    path = tmp_path / "notes.db"
    run(path, "CREATE TABLE notes (text)")
    return path


def test_another_programs_database_is_refused(foreign):
    with pytest.raises(StoreUnavailableError, match="belongs to another program"):
        migrate(open_engine(foreign))


def test_another_programs_database_is_left_as_it_is(foreign):
    before = foreign.read_bytes()
    with pytest.raises(StoreUnavailableError):
        migrate(open_engine(foreign))
    assert foreign.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_in_clear_words(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear admin, " * 100)
    with pytest.raises(StoreUnavailableError, match="none of ours"):
        migrate(open_engine(path))


def test_a_folder_that_is_not_there_is_told_in_clear_words(tmp_path):
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        migrate(open_engine(tmp_path / "missing" / "app-connect.db"))


def test_a_newer_versions_database_is_refused(database):
    run(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailableError, match="newer version of App Connect"):
        migrate(open_engine(database))


def test_a_database_that_was_never_made_is_told_in_clear_words(tmp_path):
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        open_store(tmp_path / "app-connect.db").revision()


def test_reading_a_database_that_is_not_there_makes_none(tmp_path):
    """Else an empty file would stand where a volume was to be mounted."""
    with pytest.raises(StoreUnavailableError):
        open_store(tmp_path / "app-connect.db").revision()
    assert not (tmp_path / "app-connect.db").exists()


# -- other processes --------------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from appconnect.core.snapshot import SiteAddress
from appconnect.store.engine import open_engine
from appconnect.store.sql_store import SqlStore
from appconnect.store.vault import Vault
database = Path(sys.argv[1])
lock_file = database.with_name(database.name + ".lock")
store = SqlStore(open_engine(database), Vault(b"0" * 32), public_url="https://api.example.com", lock_file=lock_file)
"""
HOLD_LOCK = (
    CHILD
    + """
with store.exclusively() as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""
)
SAY_AND_HOLD_LOCK = HOLD_LOCK.replace("with store", "print('about to', flush=True)\nwith store")
CONNECT_SITE = (
    CHILD
    + """
with store.transaction() as change:
    change.save_site(SiteAddress("https://your-site.com", "http://127.0.0.1:8081", has_pretty_permalinks=False))
"""
)
BREAK_OFF = (
    CHILD
    + """
with store.transaction() as change:
    change.save_site(SiteAddress("https://your-site.com", "http://127.0.0.1:8081", has_pretty_permalinks=False))
    print("half done", flush=True)
    sys.stdin.read()
"""
)


def open_child(script: str, database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(database)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def child(script: str, database: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process; stopped by its own handle at the latest at the end."""
    with open_child(script, database) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a child."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def in_another_process(script: str, database: Path) -> None:
    subprocess.run([sys.executable, "-c", script, str(database)], check=True)


def test_the_lock_is_free_at_first(store):
    with store.exclusively(wait_seconds=0) as is_ours:
        assert is_ours


def test_the_lock_excludes_another_process(store, database):
    with child(HOLD_LOCK, database) as holder:
        assert said(holder) == "True"
        with store.exclusively(wait_seconds=0) as is_ours:
            assert not is_ours


def test_the_lock_is_released_when_its_holder_is_done(store, database):
    with child(HOLD_LOCK, database) as holder:
        assert said(holder) == "True"
        holder.communicate()
        with store.exclusively(wait_seconds=0) as is_ours:
            assert is_ours


def test_the_lock_is_released_when_its_holder_is_killed(store, database):
    with child(HOLD_LOCK, database) as holder:
        assert said(holder) == "True"
        holder.kill()  # SIGKILL: nothing of it runs any more
        holder.wait()
        with store.exclusively(wait_seconds=0) as is_ours:
            assert is_ours


def test_who_waits_for_the_lock_gets_it(store, database):
    with store.exclusively(wait_seconds=0):
        waiting = open_child(SAY_AND_HOLD_LOCK, database)
        assert said(waiting) == "about to"
    with waiting as holder:
        assert said(holder) == "True"


def test_the_lock_is_released_when_the_work_under_it_fails(store):
    with pytest.raises(ZeroDivisionError), store.exclusively(wait_seconds=0):
        _ = 1 / 0
    with store.exclusively(wait_seconds=0) as is_ours:
        assert is_ours


def test_the_lock_does_not_hold_off_reading(store, database):
    with child(HOLD_LOCK, database) as holder:
        assert said(holder) == "True"
        assert store.snapshot(now=NOW).clients == {}


def test_what_a_killed_process_left_half_done_is_undone(store, database):
    with child(BREAK_OFF, database) as process:
        assert said(process) == "half done"
        process.kill()
        process.wait()
    save_backend(store)
    snapshot = store.snapshot(now=NOW)
    assert (snapshot.site, snapshot.clients) == (None, {"ac_backend": BACKEND})


# -- the feed ---------------------------------------------------------------------------------------------------------


async def test_the_feed_starts_with_what_is_there(store):
    save_backend(store)
    assert Feed(store, lambda: NOW).snapshot.clients == {"ac_backend": BACKEND}


async def test_one_tick_sees_a_change_of_another_process(store, database):
    feed = Feed(store, lambda: NOW)
    in_another_process(CONNECT_SITE, database)
    await feed.tick()
    assert feed.snapshot.site == SITE


async def test_without_a_change_the_snapshot_stays_the_same_object(store):
    feed = Feed(store, lambda: NOW)
    before = feed.snapshot
    await feed.tick()
    assert feed.snapshot is before


async def test_a_snapshot_is_swapped_and_never_edited(store):
    feed = Feed(store, lambda: NOW)
    before = feed.snapshot
    save_backend(store)
    await feed.tick()
    assert before.clients == {}


async def test_a_subscriber_hears_now_and_of_each_change(store):
    heard: list[int] = []
    feed = Feed(store, lambda: NOW)
    feed.subscribe(lambda snapshot: heard.append(snapshot.revision))
    save_backend(store)
    await feed.tick()
    await feed.tick()
    assert heard == [0, 1]


async def test_the_clock_is_asked_at_each_change(store):
    times = iter([NOW, NOW + POLICY_RETENTION_SECONDS])
    save_backend(store, POLICY)
    save_backend(store, NARROWER)
    feed = Feed(store, lambda: next(times))
    with store.transaction() as change:
        change.save_site(SITE)
    await feed.tick()
    assert feed.snapshot.policies == {NARROWER.hash: NARROWER}


def move_away(database: Path) -> Path:
    """Take the database and its log from under the store."""
    away = database.parent / "away"
    away.mkdir()
    for path in database.parent.glob("app-connect.db*"):
        path.rename(away / path.name)
    return away


def move_back(away: Path) -> None:
    for path in away.iterdir():
        path.replace(away.parent / path.name)


async def test_while_the_database_is_away_the_last_snapshot_stays(store, database):
    save_backend(store)
    feed = Feed(store, lambda: NOW)
    move_away(database)
    await feed.tick()
    assert feed.snapshot.clients == {"ac_backend": BACKEND}


async def test_when_the_database_is_back_the_feed_sees_its_changes(store, database):
    feed = Feed(store, lambda: NOW)
    away = move_away(database)
    await feed.tick()
    move_back(away)
    in_another_process(CONNECT_SITE, database)
    await feed.tick()
    assert feed.snapshot.site == SITE


async def test_a_copy_that_was_put_in_the_databases_place_is_seen(store, database):
    """As when a backup is restored while the workers run."""
    feed = Feed(store, lambda: NOW)
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    backup = database.with_name("backup")
    backup.write_bytes(database.read_bytes())
    in_another_process(CONNECT_SITE, backup)
    run(backup, "PRAGMA wal_checkpoint(TRUNCATE)")
    backup.replace(database)
    await feed.tick()
    assert feed.snapshot.site == SITE


async def test_while_the_database_is_damaged_the_last_snapshot_stays(store, database):
    save_backend(store)
    feed = Feed(store, lambda: NOW)
    damage(database)
    await feed.tick()
    assert feed.snapshot.clients == {"ac_backend": BACKEND}


async def test_a_damaged_database_is_told_in_clear_words(store, database):
    damage(database)
    with pytest.raises(StoreUnavailableError, match="damaged or is none of ours"):
        open_store(database).revision()


async def test_when_the_database_is_repaired_the_feed_goes_on(store, database):
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole = database.read_bytes()
    feed = Feed(store, lambda: NOW)
    damage(database)
    await feed.tick()
    database.write_bytes(whole)
    in_another_process(CONNECT_SITE, database)
    await feed.tick()
    assert feed.snapshot.site == SITE


def damage(database: Path) -> None:
    """Overwrite the file in place, as a failing disk would."""
    for log in database.parent.glob("app-connect.db-*"):
        log.unlink()
    with database.open("r+b") as file:
        file.write(b"\xff" * 8192)
