"""Clients, and secrets that are found when leaked, stored as a hash, and rotated with an overlap."""

import hashlib
import re
import string

import pytest

from appconnect.core.clients import (
    Client,
    ClientSecretHash,
    GrantType,
    find_secret,
    hash_secret,
    new_client_id,
    new_client_secret,
)

NEW, OLD = "acs_new", "acs_old"


def backend(*secrets: ClientSecretHash) -> Client:
    return Client("ac_backend", "Backend", frozenset({GrantType.CLIENT_CREDENTIALS}), True, secrets, "policy", 0)


def stored(secret: str, expires_at: int | None = None) -> ClientSecretHash:
    return ClientSecretHash(hashlib.sha256(secret.encode()).digest(), created_at=0, expires_at=expires_at)


# -- making them ------------------------------------------------------------------------------------------------------


def test_a_client_secret_has_a_prefix_43_digits_and_a_checksum_of_6():
    assert re.fullmatch("acs_[0-9A-Za-z]{49}", new_client_secret(bytes(range(32))).reveal())


@pytest.mark.parametrize(
    ("entropy", "secret"),
    [
        pytest.param(b"\x00" * 32, "acs_00000000000000000000000000000000000000000000IQpRC", id="the smallest"),
        pytest.param(b"\xff" * 32, "acs_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13R7BjO", id="the largest"),
    ],
)
def test_a_client_secret_is_base62_with_the_crc_32_of_what_stands_before(entropy, secret):
    """Scanners of leaked secrets check it, so it is the same in every release."""
    assert new_client_secret(entropy).reveal() == secret


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_client_secret_takes_exactly_256_bits(length):
    with pytest.raises(ValueError, match="32 random bytes"):
        new_client_secret(b"\x01" * length)


def test_a_client_secret_does_not_print():
    assert str(new_client_secret(b"\x01" * 32)) == "Secret()"


def test_one_bit_makes_another_secret():
    assert new_client_secret(b"\x00" * 31 + b"\x01") != new_client_secret(b"\x00" * 32)


def test_a_client_id_has_its_prefix_and_17_digits():
    assert re.fullmatch("ac_[0-9A-Za-z]{17}", new_client_id(bytes(range(12))))


def test_a_client_id_needs_no_escaping_in_basic_or_forms():
    """RFC 6749 §2.3.1 form-encodes it before Basic."""
    assert set(new_client_id(b"\xff" * 12)) <= set(string.ascii_letters + string.digits + "_")


def test_one_bit_makes_another_client_id():
    assert new_client_id(b"\x00" * 11 + b"\x01") != new_client_id(b"\x00" * 12)


# -- checking them ----------------------------------------------------------------------------------------------------


def test_a_secret_is_stored_as_its_sha_256():
    assert hash_secret("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_right_secret_is_right():
    assert find_secret(backend(stored(NEW)), NEW, now=100)


@pytest.mark.parametrize(
    "presented",
    [
        pytest.param("", id="nothing"),
        pytest.param("acs_neW", id="another case"),
        pytest.param("acs_new ", id="a space behind"),
        pytest.param(" acs_new", id="a space before"),
        pytest.param("acs_new\n", id="a new line behind"),
        pytest.param("acs_new\0", id="a NUL behind"),
        pytest.param("acs_ne", id="a letter less"),
        pytest.param("acs_new" * 10_000, id="very much"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(hashlib.sha256(b"acs_new").hexdigest(), id="its hash"),
    ],
)
def test_another_secret_is_wrong(presented):
    assert not find_secret(backend(stored(NEW)), presented, now=100)


def test_no_secret_is_right_for_a_client_that_does_not_exist():
    assert not find_secret(None, NEW, now=100)


def test_no_secret_is_right_for_a_client_without_any():
    assert not find_secret(backend(), NEW, now=100)


@pytest.mark.parametrize("presented", [OLD, NEW])
def test_while_rotating_both_secrets_are_right(presented):
    assert find_secret(backend(stored(OLD, expires_at=200), stored(NEW)), presented, now=199)


def test_the_old_secret_ends_at_its_time():
    assert not find_secret(backend(stored(OLD, expires_at=200), stored(NEW)), OLD, now=200)


def test_the_new_secret_stays():
    assert find_secret(backend(stored(OLD, expires_at=200), stored(NEW)), NEW, now=200)


def test_expired_secrets_do_not_crowd_out_the_valid_one():
    client = backend(stored("acs_1", expires_at=10), stored("acs_2", expires_at=20), stored(NEW))
    assert find_secret(client, NEW, now=100)


def test_a_third_valid_secret_is_not_forgotten():
    client = backend(stored("acs_1", expires_at=200), stored("acs_2", expires_at=200), stored(NEW))
    assert find_secret(client, NEW, now=100)


# -- the guide's words ------------------------------------------------------------------------------------------------


def test_the_grant_type_has_the_guides_label():
    assert GrantType.CLIENT_CREDENTIALS.label == "Client Credentials"


def test_the_grant_type_has_the_rfcs_parameter():
    assert GrantType.CLIENT_CREDENTIALS.parameter == "client_credentials"


def test_a_client_prints_no_secret():
    assert NEW not in repr(backend(stored(NEW)))


def test_a_client_is_immutable():
    with pytest.raises(AttributeError):
        backend().is_enabled = False  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["client-credentials", "Client Credentials", "client_credentials", "CLIENT CREDENTIALS", "clientcredentials"],
)
def test_a_grant_type_is_read_as_people_write_it(text):
    assert GrantType.parse(text) is GrantType.CLIENT_CREDENTIALS


@pytest.mark.parametrize("text", ["", "-", "password", "client", "client-credentials-extra", "authorization code"])
def test_another_grant_type_is_refused(text):
    with pytest.raises(ValueError, match="is not a grant type"):
        GrantType.parse(text)
