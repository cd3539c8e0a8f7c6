"""Rotating signing keys: tokens go on working, and one key can be ended at once."""

import asyncio
from dataclasses import replace

import pytest

from appconnect.control.clients import MAX_TOKEN_LIFETIME_SECONDS, NOTICE_SECONDS
from appconnect.control.context import InputError
from appconnect.control.keys import KeyState, retire_key, rotate_key, signing_keys
from appconnect.control_plane import clock
from appconnect.core.audit import AuditEventType


async def test_after_a_rotation_old_tokens_still_work_and_new_ones_do_too(gateway, token):
    await gateway.change(rotate_key)

    assert (await gateway.get(token)).status_code == 200
    assert (await gateway.get(await gateway.token())).status_code == 200


async def test_a_new_key_is_published_before_it_signs(gateway):
    """Every worker must know a key before a token that it signed arrives there."""
    before = gateway.store.snapshot(now=clock()).key_ring.signing_key(now=clock())

    new = await gateway.change(rotate_key)
    ring = gateway.store.snapshot(now=clock()).key_ring

    assert ring.signing_key(now=clock()).kid in (before.kid, new.kid)
    assert ring.signing_key(now=new.created_at - 1).kid == before.kid
    assert ring.signing_key(now=new.created_at).kid == new.kid
    assert new.kid in {key["kid"] for key in ring.public_jwks(now=clock())["keys"]}


async def test_the_old_key_verifies_as_long_as_a_token_of_it_may_live_and_no_longer(gateway):
    old = signing_keys(gateway.context)[0]

    new = await gateway.change(rotate_key)

    reports = {one.kid: one for one in signing_keys(gateway.context)}
    assert reports[new.kid].state is KeyState.SIGNS
    assert reports[old.kid].state is KeyState.VERIFIES
    late = replace(gateway.context, clock=lambda: clock() + NOTICE_SECONDS + MAX_TOKEN_LIFETIME_SECONDS + 1)
    assert {one.kid: one for one in signing_keys(late)}[old.kid].state is KeyState.RETIRED


async def test_a_retired_key_s_tokens_are_void(gateway, token):
    old = signing_keys(gateway.context)[0]
    await gateway.change(rotate_key)

    await gateway.change(retire_key, old.kid)

    assert (await gateway.get(token)).status_code == 401


async def test_rotating_twice_at_once_leaves_one_key_that_signs(gateway):
    await asyncio.gather(*(asyncio.to_thread(rotate_key, gateway.context) for _ in range(2)))

    states = [one.state for one in signing_keys(gateway.context)]
    assert states == [KeyState.SIGNS, KeyState.VERIFIES, KeyState.VERIFIES]


async def test_the_key_that_signs_cannot_be_retired(gateway):
    with pytest.raises(InputError, match="Rotate first"):
        retire_key(gateway.context, signing_keys(gateway.context)[0].kid)


async def test_a_key_that_is_none_cannot_be_retired(gateway):
    with pytest.raises(InputError, match="no signing key"):
        retire_key(gateway.context, "nothing")


async def test_a_key_is_retired_once(gateway):
    old = signing_keys(gateway.context)[0]
    await gateway.change(rotate_key)
    await gateway.change(retire_key, old.kid)

    with pytest.raises(InputError, match="retired already"):
        retire_key(gateway.context, old.kid)


async def test_both_leave_an_audit_event(gateway):
    old = signing_keys(gateway.context)[0]
    new = await gateway.change(rotate_key)
    await gateway.change(retire_key, old.kid)

    events = [(one.type, one.subject) for one in gateway.store.audit_events(limit=2)]
    assert events == [(AuditEventType.KEY_RETIRED, old.kid), (AuditEventType.KEY_ROTATED, new.kid)]
