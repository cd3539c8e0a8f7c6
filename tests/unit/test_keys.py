"""Signing keys: named by their thumbprint, published without their private half, retired at a time."""

import pytest
from joserfc.jwk import OKPKey

from appconnect.core.keys import KeyRing, SigningKey

RFC_8037_A_1: dict[str, str | list[str]] = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
"""RFC 8037 appendix A.1, an Ed25519 private key."""


def key(*, created_at: int = 0, retired_at: int | None = None) -> SigningKey:
    return SigningKey(OKPKey.generate_key("Ed25519"), created_at, retired_at)


# -- one key ----------------------------------------------------------------------------------------------------------


def test_the_kid_is_the_rfc_7638_thumbprint():
    """RFC 8037 appendix A.3."""
    assert SigningKey(OKPKey.import_key(RFC_8037_A_1), 0).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_public_jwk_is_the_rfcs_public_key():
    """RFC 8037 appendix A.2, with `kid` (A.3), `use` (RFC 7517 §4.2) and `alg` (RFC 9864 §2.2)."""
    assert SigningKey(OKPKey.import_key(RFC_8037_A_1), 0).public_jwk() == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "use": "sig",
        "alg": "Ed25519",
    }


def test_a_key_prints_nothing_private():
    assert "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" not in repr(
        KeyRing((SigningKey(OKPKey.import_key(RFC_8037_A_1), 0),))
    )


def test_a_key_with_foreign_names_publishes_none_of_them():
    jwk = OKPKey.import_key({**RFC_8037_A_1, "note": "from the old server"})
    assert "note" not in SigningKey(jwk, 0).public_jwk()


def test_a_key_is_immutable():
    with pytest.raises(AttributeError):
        key().retired_at = 5  # type: ignore[misc]


# -- the ring ---------------------------------------------------------------------------------------------------------


def test_the_newest_key_signs():
    old, new = key(created_at=1), key(created_at=2)
    assert KeyRing((new, old)).signing_key(now=100).kid == new.kid


def test_a_retired_key_does_not_sign():
    old, new = key(created_at=1), key(created_at=2, retired_at=50)
    assert KeyRing((old, new)).signing_key(now=100).kid == old.kid


def test_without_a_key_nothing_is_signed():
    with pytest.raises(LookupError):
        KeyRing(()).signing_key(now=100)


def test_with_retired_keys_only_nothing_is_signed():
    with pytest.raises(LookupError):
        KeyRing((key(retired_at=50),)).signing_key(now=100)


def test_a_key_is_found_by_its_kid():
    one, other = key(), key()
    assert KeyRing((one, other)).find(other.kid, now=100) is other


def test_an_unknown_kid_finds_nothing():
    assert KeyRing((key(),)).find("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", now=100) is None


def test_an_older_key_still_verifies():
    old, new = key(created_at=1, retired_at=200), key(created_at=2)
    assert KeyRing((old, new)).find(old.kid, now=199) is old


def test_a_key_stops_verifying_at_the_time_it_is_retired():
    old = key(retired_at=200)
    assert KeyRing((old,)).find(old.kid, now=200) is None


def test_the_jwks_has_each_key_that_verifies():
    old, new, gone = key(created_at=1, retired_at=200), key(created_at=2), key(retired_at=50)
    published = KeyRing((old, new, gone)).public_jwks(now=100)
    assert published == {"keys": [old.public_jwk(), new.public_jwk()]}


def test_the_jwks_has_no_private_part():
    assert "d" not in KeyRing((key(),)).public_jwks(now=100)["keys"][0]
