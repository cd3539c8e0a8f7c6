"""Laws of client secrets: any tampering changes the answer."""

from hypothesis import given
from hypothesis import strategies as st

from appconnect.core.clients import (
    Client,
    ClientSecretHash,
    GrantType,
    find_secret,
    hash_secret,
    new_client_id,
    new_client_secret,
)

entropy = st.binary(min_size=32, max_size=32)


def backend(*secrets: str) -> Client:
    hashes = tuple(ClientSecretHash(hash_secret(secret), created_at=0) for secret in secrets)
    return Client("ac_backend", "Backend", frozenset(GrantType), True, hashes, "policy", 0)


@given(entropy)
def test_a_secret_is_right_for_its_client(raw):
    secret = new_client_secret(raw).reveal()
    assert find_secret(backend(secret), secret, now=0)


@given(entropy, st.text())
def test_only_the_secret_itself_is_right(raw, presented):
    secret = new_client_secret(raw).reveal()
    assert bool(find_secret(backend(secret), presented, now=0)) == (presented == secret)


@given(entropy, st.integers(0, 52), st.characters())
def test_one_character_changed_is_wrong(raw, at, character):
    secret = new_client_secret(raw).reveal()
    tampered = secret[:at] + character + secret[at + 1 :]
    assert bool(find_secret(backend(secret), tampered, now=0)) == (tampered == secret)


@given(entropy, st.integers(0, 53), st.text(min_size=1, max_size=3))
def test_something_put_in_is_wrong(raw, at, more):
    secret = new_client_secret(raw).reveal()
    assert not find_secret(backend(secret), secret[:at] + more + secret[at:], now=0)


@given(entropy, st.integers(0, 52))
def test_a_secret_cut_short_is_wrong(raw, length):
    secret = new_client_secret(raw).reveal()
    assert not find_secret(backend(secret), secret[:length], now=0)


@given(entropy, entropy)
def test_different_bits_make_different_secrets(one, other):
    assert (new_client_secret(one) == new_client_secret(other)) == (one == other)


@given(entropy)
def test_every_secret_has_the_same_length(raw):
    assert len(new_client_secret(raw).reveal()) == 53


@given(st.binary(min_size=12, max_size=12), st.binary(min_size=12, max_size=12))
def test_different_bits_make_different_client_ids(one, other):
    assert (new_client_id(one) == new_client_id(other)) == (one == other)
