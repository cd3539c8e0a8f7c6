"""Laws of access tokens: what was issued verifies, and nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from appconnect.core.keys import KeyRing, SigningKey
from appconnect.core.tokens import Claims, InvalidToken, issue, verify

RING = KeyRing((SigningKey(OKPKey.generate_key("Ed25519"), 0),))
CLAIMS = Claims("https://your-site.com", "https://your-site.com/wp-json", "7", "ac_backend", "4f6e", 100, 200, "p")
TOKEN = issue(CLAIMS, RING)

_names = st.text(st.characters(codec="utf-8"), max_size=20)


def verified(token: str, *, now: int = 150) -> Claims:
    return verify(token, RING, issuer=CLAIMS.issuer, audience=CLAIMS.audience, now=now)


@given(_names, _names, _names, _names)
def test_what_was_issued_verifies(subject, client_id, token_id, policy_hash):
    claims = replace(CLAIMS, subject=subject, client_id=client_id, token_id=token_id, policy_hash=policy_hash)
    assert verified(issue(claims, RING)) == claims


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_one_character_changed_is_refused(at, character):
    tampered = TOKEN[:at] + character + TOKEN[at + 1 :]
    with pytest.raises(InvalidToken):
        verified(tampered if tampered != TOKEN else TOKEN + character)


@given(st.integers(0, len(TOKEN)), st.text(min_size=1, max_size=3))
def test_something_put_in_is_refused(at, more):
    with pytest.raises(InvalidToken):
        verified(TOKEN[:at] + more + TOKEN[at:])


@given(st.integers(0, len(TOKEN) - 1))
def test_a_token_cut_short_is_refused(length):
    with pytest.raises(InvalidToken):
        verified(TOKEN[:length])


@given(st.text() | st.text("abcdefgABCDEFG0123456789-_.=", max_size=200))
def test_what_is_no_token_is_refused_and_nothing_else_happens(text):
    with pytest.raises(InvalidToken):
        verified(text)


@given(st.integers(95, 199))
def test_a_token_is_good_for_all_of_its_life(now):
    assert verified(TOKEN, now=now) == CLAIMS


@given(st.integers(min_value=200))
def test_a_token_never_comes_back_to_life(now):
    with pytest.raises(InvalidToken):
        verified(TOKEN, now=now)
