"""Operations on signing keys."""

from dataclasses import dataclass
from typing import Final

from appconnect.control import keys as control
from appconnect.control.operations.operation import (
    AnyOperation,
    Caller,
    Input,
    Nothing,
    Operation,
    Output,
    Page,
    PageWanted,
    page,
)
from appconnect.core.admin_tokens import AdminScope


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyContent(Output):
    """A signing key, without its private part."""

    key_id: str
    """Its ID, the `kid` of tokens that it signs."""
    state: str
    """signs, verifies, or retired."""
    created_at: int
    """From when on it signs, in seconds since the epoch."""
    retired_at: int | None
    """When tokens that it signed end, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated(Output):
    """A new signing key."""

    key_id: str
    """Its ID."""
    created_at: int
    """From when on it signs, in seconds since the epoch: when every worker knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNamed(Input):
    """Which signing key."""

    key: str
    """The key's ID."""


def _content(report: control.KeyReport) -> KeyContent:
    return KeyContent(
        key_id=report.kid, state=report.state.value, created_at=report.created_at, retired_at=report.retired_at
    )


def _list(caller: Caller, wanted: PageWanted) -> Page[KeyContent]:
    return page([_content(one) for one in control.signing_keys(caller.context)], wanted, lambda one: one.key_id)


def _rotate(caller: Caller, _: Nothing) -> KeyRotated:
    key = control.rotate_key(caller.context)
    return KeyRotated(key_id=key.kid, created_at=key.created_at)


LIST: Final = Operation(
    name="keys.list",
    method="GET",
    path="/keys",
    scope=AdminScope.KEYS_READ,
    summary="List the signing keys, the newest first.",
    takes=PageWanted,
    gives=Page[KeyContent],
    run=_list,
)
ROTATE: Final = Operation(
    name="keys.rotate",
    method="POST",
    path="/keys/rotate",
    scope=AdminScope.KEYS_WRITE,
    summary="Sign with a new key from now on; the old one verifies as long as a token that it signed may live.",
    takes=Nothing,
    gives=KeyRotated,
    run=_rotate,
)
RETIRE: Final = Operation(
    name="keys.retire",
    method="POST",
    path="/keys/{key}/retire",
    scope=AdminScope.KEYS_WRITE,
    summary="Retire a key that no longer signs: tokens that it signed are void within a second.",
    takes=KeyNamed,
    gives=KeyContent,
    run=lambda caller, given: _content(control.retire_key(caller.context, given.key)),
)

KEYS: Final[tuple[AnyOperation, ...]] = (LIST, ROTATE, RETIRE)
