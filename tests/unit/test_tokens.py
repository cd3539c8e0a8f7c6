"""Access tokens: RFC 9068 JWTs, and each attack of RFC 8725 refused.

Tokens that our code would never make are made here by hand, with `cryptography` alone.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from appconnect.core.keys import KeyRing, SigningKey
from appconnect.core.tokens import MAX_TOKEN_CHARACTERS, Claims, InvalidToken, issue, verify

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""RFC 8032 §7.1 test 1, the key of RFC 8037 appendix A."""
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
ISSUER, AUDIENCE = "https://your-site.com", "https://your-site.com/wp-json"
ISSUED_AT, EXPIRES_AT, NOW = 1_700_000_000, 1_700_003_600, 1_700_000_060

HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": KID}
CONTENT = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "7",
    "client_id": "ac_backend",
    "jti": "4f6e",
    "iat": ISSUED_AT,
    "exp": EXPIRES_AT,
    "policy": "0123456789abcdef",
}
CLAIMS = Claims(ISSUER, AUDIENCE, "7", "ac_backend", "4f6e", ISSUED_AT, EXPIRES_AT, "0123456789abcdef")


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def encoded(value: object) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def from_base64url(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def forged(header: object = HEADER, content: object = CONTENT, seed: bytes = SEED) -> str:
    """A token with a right signature over whatever it is given."""
    signed = f"{encoded(header)}.{encoded(content)}"
    return f"{signed}.{base64url(Ed25519PrivateKey.from_private_bytes(seed).sign(signed.encode()))}"


def ring(*, retired_at: int | None = None) -> KeyRing:
    jwk = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": base64url(SEED), "x": base64url(PUBLIC)})
    return KeyRing((SigningKey(jwk, 0, retired_at),))


def verified(token: str, *, now: int = NOW) -> Claims:
    return verify(token, ring(), issuer=ISSUER, audience=AUDIENCE, now=now)


RIGHT = forged()
SIGNED, _, SIGNATURE = RIGHT.rpartition(".")


# -- issuing ----------------------------------------------------------------------------------------------------------


def test_a_token_comes_back_as_its_claims():
    assert verified(issue(CLAIMS, ring())) == CLAIMS


def test_the_signature_is_what_cryptography_alone_makes_of_it():
    """Ed25519 signatures are deterministic (RFC 8032 §5.1.6), so they are equal byte for byte."""
    signed, _, signature = issue(CLAIMS, ring()).rpartition(".")
    assert signature == base64url(Ed25519PrivateKey.from_private_bytes(SEED).sign(signed.encode()))


def test_the_header_is_rfc_9068s():
    assert from_base64url(issue(CLAIMS, ring()).split(".")[0]) == {"alg": "Ed25519", "typ": "at+jwt", "kid": KID}


def test_the_claims_have_their_registered_names():
    """RFC 9068 §2.2."""
    assert from_base64url(issue(CLAIMS, ring()).split(".")[1]) == CONTENT


def test_a_token_is_well_below_the_limit():
    assert len(issue(CLAIMS, ring())) < MAX_TOKEN_CHARACTERS / 2


def test_a_token_made_by_hand_is_accepted():
    """Else every refusal below could have another cause."""
    assert verified(RIGHT) == CLAIMS


def test_a_claim_more_does_no_harm():
    assert verified(forged(content=CONTENT | {"scope": "x"})) == CLAIMS


# -- the header: RFC 8725 §3.1, §3.10, §3.11 --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(f"{encoded(HEADER | {'alg': 'none'})}.{encoded(CONTENT)}.", id="no signature"),
        pytest.param(f"{encoded(HEADER | {'alg': 'none'})}.{encoded(CONTENT)}.{SIGNATURE}", id="a signature"),
        pytest.param(f"{encoded(HEADER | {'alg': 'None'})}.{encoded(CONTENT)}.", id="in capitals"),
        pytest.param(f"{encoded({'alg': 'none'})}.{encoded(CONTENT)}.", id="nothing else in the header"),
    ],
)
def test_alg_none_is_refused(token):
    with pytest.raises(InvalidToken):
        verified(token)


def hs256(key: bytes) -> str:
    signed = f"{encoded(HEADER | {'alg': 'HS256'})}.{encoded(CONTENT)}"
    return f"{signed}.{base64url(hmac.digest(key, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(PUBLIC, id="the public key"),
        pytest.param(base64url(PUBLIC).encode(), id="the public key in base64url"),
        pytest.param(json.dumps(ring().keys[0].public_jwk()).encode(), id="the public key as a JWK"),
        pytest.param(ring().keys[0].jwk.as_pem(private=False), id="the public key as PEM"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_hs256_with_what_everybody_knows_is_refused(key):
    with pytest.raises(InvalidToken):
        verified(hs256(key))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(HEADER | {"alg": "EdDSA"}, id="alg EdDSA, its old name"),
        pytest.param(HEADER | {"alg": "ed25519"}, id="alg in small letters"),
        pytest.param(HEADER | {"alg": "Ed448"}, id="another curve"),
        pytest.param(HEADER | {"alg": ["Ed25519"]}, id="alg as a list"),
        pytest.param(HEADER | {"alg": None}, id="alg null"),
        pytest.param({"typ": "at+jwt", "kid": KID}, id="no alg"),
        pytest.param(HEADER | {"typ": "JWT"}, id="typ JWT, as of an ID token"),
        pytest.param(HEADER | {"typ": "AT+JWT"}, id="typ in capitals"),
        pytest.param(HEADER | {"typ": "application/at+jwt"}, id="typ as a media type"),
        pytest.param(HEADER | {"typ": None}, id="typ null"),
        pytest.param({"alg": "Ed25519", "kid": KID}, id="no typ"),
        pytest.param({"alg": "Ed25519", "typ": "at+jwt"}, id="no kid"),
        pytest.param(HEADER | {"kid": ""}, id="an empty kid"),
        pytest.param(HEADER | {"kid": KID + "\0"}, id="a kid with a NUL"),
        pytest.param(HEADER | {"kid": "../../dev/null"}, id="a kid as a path"),
        pytest.param(HEADER | {"kid": "' OR '1'='1"}, id="a kid as SQL"),
        pytest.param(HEADER | {"kid": None}, id="kid null"),
        pytest.param(HEADER | {"kid": 0}, id="kid a number"),
        pytest.param(HEADER | {"kid": [KID]}, id="kid a list"),
        pytest.param(HEADER | {"kid": {"kid": KID}}, id="kid an object"),
        pytest.param(HEADER | {"jwk": ring().keys[0].public_jwk()}, id="a key of its own"),
        pytest.param(HEADER | {"jku": "https://evil.example/jwks"}, id="an address of a key"),
        pytest.param(HEADER | {"x5u": "https://evil.example/cert"}, id="an address of a certificate"),
        pytest.param(HEADER | {"x5c": ["MIIB"]}, id="a certificate"),
        pytest.param(HEADER | {"crit": ["exp"], "exp": 1}, id="a critical extension"),
        pytest.param(HEADER | {"crit": []}, id="an empty list of critical extensions"),
        pytest.param(HEADER | {"b64": False, "crit": ["b64"]}, id="an unencoded payload"),
        pytest.param(HEADER | {"zip": "DEF"}, id="a compressed payload"),
        pytest.param(HEADER | {"cty": "JWT"}, id="a nested token"),
        pytest.param(HEADER | {"Alg": "none"}, id="one name more"),
        pytest.param([], id="a list"),
        pytest.param("Ed25519", id="a text"),
        pytest.param(5, id="a number"),
        pytest.param(None, id="null"),
        pytest.param({}, id="nothing"),
    ],
)
def test_another_header_is_refused_with_a_right_signature_too(header):
    with pytest.raises(InvalidToken):
        verified(forged(header=header))


# -- the signature ----------------------------------------------------------------------------------------------------


def test_another_key_under_our_kid_is_refused():
    with pytest.raises(InvalidToken):
        verified(forged(seed=b"\x01" * 32))


def test_a_key_that_we_do_not_have_is_refused():
    stranger = SigningKey(OKPKey.generate_key("Ed25519"), 0)
    with pytest.raises(InvalidToken):
        verified(issue(CLAIMS, KeyRing((stranger,))))


def test_a_retired_key_is_refused():
    with pytest.raises(InvalidToken):
        verify(RIGHT, ring(retired_at=NOW), issuer=ISSUER, audience=AUDIENCE, now=NOW)


def test_a_key_that_is_about_to_retire_still_counts():
    assert verify(RIGHT, ring(retired_at=NOW + 1), issuer=ISSUER, audience=AUDIENCE, now=NOW) == CLAIMS


def test_without_keys_every_token_is_refused():
    with pytest.raises(InvalidToken):
        verify(RIGHT, KeyRing(()), issuer=ISSUER, audience=AUDIENCE, now=NOW)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(f"{encoded(HEADER)}.{encoded(CONTENT | {'client_id': 'ac_other'})}.{SIGNATURE}", id="a claim"),
        pytest.param(
            f"{encoded(dict(sorted(HEADER.items())))}.{encoded(CONTENT)}.{SIGNATURE}", id="the header's order"
        ),
        pytest.param(f"{SIGNED}.{'A' if SIGNATURE[0] != 'A' else 'B'}{SIGNATURE[1:]}", id="the signature's first byte"),
        pytest.param(f"{SIGNED}.{SIGNATURE[:-4]}", id="the signature cut short"),
        pytest.param(f"{SIGNED}.{SIGNATURE}AAAA", id="the signature made longer"),
        pytest.param(f"{SIGNED}.", id="an empty signature"),
        pytest.param(f"{SIGNED}.{base64url(bytes(64))}", id="a signature of zeros"),
        pytest.param(SIGNED, id="no signature"),
    ],
)
def test_a_token_that_was_tampered_with_is_refused(token):
    with pytest.raises(InvalidToken):
        verified(token)


# -- one token has one spelling ---------------------------------------------------------------------------------------

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LAST_DIGIT = BASE64URL.index(SIGNATURE[-1])


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(RIGHT + "=", id="one sign of padding"),
        pytest.param(RIGHT + "==", id="two signs of padding"),
        pytest.param(RIGHT + "\n", id="a new line behind"),
        pytest.param(RIGHT + " ", id="a space behind"),
        pytest.param(" " + RIGHT, id="a space before"),
        pytest.param(RIGHT + "!", id="a sign behind that base64url has not"),
        pytest.param(RIGHT + "\0", id="a NUL behind"),
        pytest.param(f"{SIGNED}.{SIGNATURE[:9]}\n{SIGNATURE[9:]}", id="a new line in the signature"),
        pytest.param(f"{SIGNED}.{SIGNATURE[:9]}!{SIGNATURE[9:]}", id="a foreign sign in the signature"),
        pytest.param(f"{SIGNED}. {SIGNATURE}", id="a space before the signature"),
        pytest.param(f"{SIGNED} .{SIGNATURE}", id="a space behind the claims"),
        pytest.param(f"{SIGNED[:9]}\n{SIGNED[9:]}.{SIGNATURE}", id="a new line in the header"),
        pytest.param(f"{SIGNED}.{SIGNATURE[:-1]}{BASE64URL[LAST_DIGIT ^ 1]}", id="the last digit's unused bits"),
        pytest.param(RIGHT + ".", id="a dot behind"),
        pytest.param(RIGHT + "." + SIGNATURE, id="a fourth part"),
        pytest.param("." + RIGHT, id="a dot before"),
        pytest.param(RIGHT.replace(".", "..", 1), id="two dots between"),
        pytest.param(RIGHT + "\u200b", id="a zero-width space behind"),
        pytest.param("\ufeff" + RIGHT, id="a byte order mark before"),
        pytest.param("Bearer " + RIGHT, id="the scheme before"),
        pytest.param("", id="nothing"),
        pytest.param("..", id="two dots"),
        pytest.param("\ud800", id="half a surrogate pair"),
    ],
)
def test_a_token_spelled_in_another_way_is_refused(token):
    with pytest.raises(InvalidToken):
        verified(token)


def test_the_signature_in_ordinary_base64_is_refused():
    token = f"{SIGNED}.{base64.b64encode(base64.urlsafe_b64decode(SIGNATURE + '==')).decode()}"
    with pytest.raises(InvalidToken):
        verified(token)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("a" * 1_000_000, id="a million letters"),
        pytest.param("." * 1_000_000, id="a million dots"),
        pytest.param(f"{base64url(b'[' * 100_000)}.e30.", id="a deep header"),
        pytest.param(f"{base64url(b'[' * 1_000)}.e30.", id="a header as deep as the limit lets it be"),
        pytest.param(base64url(b'{"alg":' + b"9" * 1_000 + b"}") + ".e30.", id="a long number"),
        pytest.param(forged(content=CONTENT | {"pad": "x" * MAX_TOKEN_CHARACTERS}), id="a right one that is too long"),
    ],
)
def test_a_huge_token_is_refused(token):
    with pytest.raises(InvalidToken):
        verified(token)


# -- the claims -------------------------------------------------------------------------------------------------------


def test_a_token_is_good_until_the_second_before_it_expires():
    assert verified(RIGHT, now=EXPIRES_AT - 1) == CLAIMS


def test_a_token_is_expired_at_exactly_its_time():
    """RFC 7519 §4.1.4: "on or after which the JWT MUST NOT be accepted"."""
    with pytest.raises(InvalidToken, match="expired"):
        verified(RIGHT, now=EXPIRES_AT)


def test_a_clock_that_is_a_little_behind_is_forgiven():
    assert verified(RIGHT, now=ISSUED_AT - 5) == CLAIMS


def test_a_token_from_the_future_is_refused():
    with pytest.raises(InvalidToken, match="future"):
        verified(RIGHT, now=ISSUED_AT - 6)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"iss": "https://other-site.com"}, id="another issuer"),
        pytest.param({"iss": ISSUER + "/"}, id="the issuer with a slash"),
        pytest.param({"iss": [ISSUER]}, id="the issuer in a list"),
        pytest.param({"aud": "https://other-site.com/wp-json"}, id="another audience"),
        pytest.param({"aud": ISSUER}, id="the issuer for the audience"),
        pytest.param({"aud": [AUDIENCE]}, id="the audience in a list"),
        pytest.param({"aud": [AUDIENCE, "https://other-site.com"]}, id="two audiences"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"exp": True}, id="exp a boolean"),
        pytest.param({"iat": False}, id="iat a boolean"),
        pytest.param({"exp": float(EXPIRES_AT)}, id="exp a float"),
        pytest.param({"exp": 1e300}, id="exp beyond all time"),
        pytest.param({"exp": float("inf")}, id="exp infinite"),
        pytest.param({"exp": float("nan")}, id="exp not a number"),
        pytest.param({"exp": str(EXPIRES_AT)}, id="exp a text"),
        pytest.param({"exp": None}, id="exp null"),
        pytest.param({"exp": -1}, id="exp before all time"),
        pytest.param({"iat": str(ISSUED_AT)}, id="iat a text"),
        pytest.param({"sub": 7}, id="sub a number"),
        pytest.param({"client_id": ["ac_backend"]}, id="client_id a list"),
        pytest.param({"jti": None}, id="jti null"),
        pytest.param({"jti": {"$ne": ""}}, id="jti an object"),
        pytest.param({"policy": 0}, id="policy a number"),
    ],
)
def test_other_claims_are_refused_with_a_right_signature_too(change):
    with pytest.raises(InvalidToken):
        verified(forged(content=CONTENT | change))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "client_id", "jti", "iat", "exp", "policy"])
def test_a_missing_claim_is_refused(name):
    with pytest.raises(InvalidToken):
        verified(forged(content={key: value for key, value in CONTENT.items() if key != name}))


@pytest.mark.parametrize("content", [[], "x", 5, None, {}], ids=["a list", "a text", "a number", "null", "nothing"])
def test_what_is_no_object_of_claims_is_refused(content):
    with pytest.raises(InvalidToken):
        verified(forged(content=content))


def test_two_sites_do_not_take_each_others_tokens():
    other = replace(CLAIMS, issuer="https://other-site.com", audience="https://other-site.com/wp-json")
    with pytest.raises(InvalidToken, match="another site"):
        verified(issue(other, ring()))


def test_why_is_for_the_log():
    with pytest.raises(InvalidToken) as caught:
        verified(RIGHT, now=EXPIRES_AT)
    assert caught.value.detail == "expired"
