"""Signing keys: list them, rotate, and retire one at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from joserfc.jwk import OKPKey

from appconnect.control.clients import MAX_TOKEN_LIFETIME_SECONDS, NOTICE_SECONDS
from appconnect.control.context import Context, InputError, NotFoundError
from appconnect.core.audit import AuditEventType
from appconnect.core.keys import SigningKey
from appconnect.core.snapshot import Snapshot


class KeyState(StrEnum):
    """What a signing key is for now."""

    SIGNS = "signs"
    VERIFIES = "verifies"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A signing key as an administrator sees it; times are seconds since the epoch."""

    kid: str
    created_at: int
    retired_at: int | None
    state: KeyState


def signing_keys(context: Context) -> Sequence[KeyReport]:
    """Every key that is kept, the newest first."""
    now = context.clock()
    return _reports(context.store.snapshot(now=now), now)


def rotate_key(context: Context) -> SigningKey:
    """Sign with a new key from the moment on when every worker knows it.

    Those before it verify as long as a token that they signed may live.
    """
    with context.alone():
        now = context.clock()
        old = [key for key in context.store.snapshot(now=now).key_ring.keys if key.retired_at is None]
        begins_at = max([now + NOTICE_SECONDS, *(key.created_at + 1 for key in old)])
        new = SigningKey(OKPKey.generate_key("Ed25519", private=True), begins_at)
        with context.store.transaction() as transaction:
            for key in old:
                transaction.save_signing_key(replace(key, retired_at=new.created_at + MAX_TOKEN_LIFETIME_SECONDS))
            transaction.save_signing_key(new)
            transaction.record(context.event(AuditEventType.KEY_ROTATED, new.kid))
    return new


def retire_key(context: Context, kid: str) -> KeyReport:
    """End a key that no longer signs: tokens that it signed are void within a second."""
    with context.alone():
        now = context.clock()
        snapshot = context.store.snapshot(now=now)
        found = next((report for report in _reports(snapshot, now) if report.kid == kid), None)
        if found is None:
            raise NotFoundError.of("Key", f"There is no signing key {kid!r}.", "See the list of keys.")
        if found.state is KeyState.SIGNS:
            raise InputError.of("Key", "It is the key that signs.", "Rotate first; then the old key can be retired.")
        if found.state is KeyState.RETIRED:
            raise InputError.of("Key", "It is retired already.")
        key = next(key for key in snapshot.key_ring.keys if key.kid == kid)
        with context.store.transaction() as transaction:
            transaction.save_signing_key(replace(key, retired_at=now))
            transaction.record(context.event(AuditEventType.KEY_RETIRED, kid))
    return replace(found, retired_at=now, state=KeyState.RETIRED)


def _reports(snapshot: Snapshot, now: int) -> list[KeyReport]:
    """The newest signs, or is about to, as soon as every worker knows it."""
    keys = sorted(snapshot.key_ring.keys, key=lambda key: key.created_at, reverse=True)
    return [KeyReport(key.kid, key.created_at, key.retired_at, _state(key, keys[0].kid, now)) for key in keys]


def _state(key: SigningKey, signing: str, now: int) -> KeyState:
    if key.kid == signing:
        return KeyState.SIGNS
    return KeyState.RETIRED if key.retired_at is not None and key.retired_at <= now else KeyState.VERIFIES
