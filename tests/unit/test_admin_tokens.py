"""Administrator tokens: what they look like, and when they count."""

from dataclasses import replace

import pytest

from appconnect.core.admin_tokens import (
    USE_SECONDS,
    AdminScope,
    AdminToken,
    check_admin_token,
    is_admin_token,
    new_admin_token,
)
from appconnect.core.clients import hash_secret, new_client_secret

NOW = 1_000_000
TEXT = new_admin_token(bytes(range(32))).reveal()
TOKEN = AdminToken(
    id="one",
    digest=hash_secret(TEXT),
    name="Deployment",
    scopes=frozenset((AdminScope.CLIENTS_READ,)),
    created_by="cli:admin",
    created_at=NOW - 60,
    expires_at=NOW + 3600,
)


def test_a_token_is_its_prefix_43_digits_and_a_checksum():
    assert (TEXT[:4], len(TEXT)) == ("aca_", 4 + 43 + 6)


def test_other_chance_makes_another_token():
    assert new_admin_token(bytes(32)).reveal() != TEXT


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_it_takes_exactly_256_bits(length: int):
    with pytest.raises(ValueError, match="32 random bytes"):
        new_admin_token(bytes(length))


def test_a_token_never_prints_itself():
    assert TEXT not in repr(new_admin_token(bytes(range(32))))


def test_a_token_looks_like_one():
    assert is_admin_token(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("aca_", id="the prefix alone"),
        pytest.param(TEXT[:-1], id="one character short"),
        pytest.param(TEXT + "0", id="one character long"),
        pytest.param(TEXT[:-1] + ("0" if TEXT[-1] != "0" else "1"), id="a wrong checksum"),
        pytest.param(TEXT.swapcase(), id="other capitals"),
        pytest.param(new_client_secret(bytes(32)).reveal(), id="a client secret"),
        pytest.param("aca_" + "é" * 49, id="letters beyond ASCII"),
    ],
)
def test_what_cannot_be_a_token_is_seen_without_the_database(text: str):
    assert not is_admin_token(text)


def test_the_right_token_counts():
    assert check_admin_token(TOKEN, TEXT, now=NOW)


def test_another_token_does_not_count():
    assert not check_admin_token(TOKEN, new_admin_token(bytes(32)).reveal(), now=NOW)


def test_a_token_that_nobody_made_does_not_count():
    assert not check_admin_token(None, TEXT, now=NOW)


@pytest.mark.parametrize(("after", "counts"), [(-1, True), (0, False), (1, False)])
def test_a_token_counts_until_it_expires(after: int, counts: bool):
    assert check_admin_token(TOKEN, TEXT, now=TOKEN.expires_at + after) is counts


def test_a_use_is_noted_when_there_was_none():
    assert not TOKEN.is_use_noted(now=NOW)


@pytest.mark.parametrize(("ago", "is_noted"), [(0, True), (USE_SECONDS - 1, True), (USE_SECONDS, False)])
def test_a_use_is_noted_once_a_minute(ago: int, is_noted: bool):
    assert replace(TOKEN, used_at=NOW - ago).is_use_noted(now=NOW) is is_noted


def test_who_acts_by_it_is_named_by_it():
    assert TOKEN.actor == "api:Deployment"


@pytest.mark.parametrize("scope", AdminScope)
def test_every_scope_says_what_it_opens(scope: AdminScope):
    assert scope.meaning.endswith(".")
