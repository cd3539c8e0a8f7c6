"""RFC 8725: best current practices for JWTs, each attack tried on the gateway, with a right signature where it has one.

That nothing is told about why is part of each: who could tell reasons apart would be led to a token that works.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from appconnect.control_plane import clock
from appconnect.core.snapshot import Snapshot
from tests.protocol.conftest import BACKEND, POSTS, PUBLIC_URL, RESOURCE, STRANGER, Heard, Running
from tests.protocol.test_rfc9068_access_token import encoded, right_claims, right_header, signed


class Site(NamedTuple):
    """A site, and what a forger knows of it and more: its own key signs."""

    snapshot: Snapshot

    def token(self, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> str:
        """A token with a right signature, right but for what differs; None takes a member away."""
        changed = [{**right_header(self.snapshot), **(header or {})}, {**right_claims(self.snapshot), **(claims or {})}]
        kept = [{name: value for name, value in part.items() if value is not None} for part in changed]
        return signed(self.snapshot, kept[0], kept[1])

    def written(self, header: str, claims: str) -> str:
        """A token with a right signature over this very JSON."""
        key = self.snapshot.key_ring.keys[0].jwk.private_key
        assert isinstance(key, Ed25519PrivateKey)
        content = f"{encoded(header.encode())}.{encoded(claims.encode())}"
        return f"{content}.{encoded(key.sign(content.encode()))}"

    @property
    def parts(self) -> tuple[str, str]:
        """Header and claims of a right token, as JSON."""
        return json.dumps(right_header(self.snapshot)), json.dumps(right_claims(self.snapshot))


@pytest.fixture
def site(gateway: Running) -> Site:
    return Site(gateway.store.snapshot(now=clock()))


async def heard(gateway: Running, token: str) -> Heard:
    return await gateway.exchange("GET", POSTS, token=token)


async def assert_refused(gateway: Running, token: str) -> None:
    """401 `invalid_token` (RFC 6750 §3.1), in the very words for a token that is nothing at all."""
    assert await heard(gateway, token) == await heard(gateway, "eyJ.nothing.")
    assert (await heard(gateway, token)).status == 401


async def test_a_right_token_works_and_a_wrong_one_is_told_so(gateway: Running, site: Site):
    """Else every refusal below could have another cause."""
    assert (await heard(gateway, site.token())).status == 200
    answer = await heard(gateway, "eyJ.nothing.")
    assert b'error="invalid_token"' in answer.values("www-authenticate")[0]


# -- §2.1, §3.1: the algorithm ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "", "EdDSA", "ED25519", "ed25519", "Ed25519 ", "HS256"]
)
async def test_only_the_one_algorithm_counts_whatever_the_signature(gateway: Running, site: Site, alg: str):
    await assert_refused(gateway, site.token({"alg": alg}))


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS256", lambda: RSAKey.import_key(rsa.generate_private_key(65537, 2048))),
        ("PS256", lambda: RSAKey.import_key(rsa.generate_private_key(65537, 2048))),
        ("ES256", lambda: ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))),
        ("HS256", lambda: OctKey.import_key(b"k" * 32)),
        ("Ed25519", lambda: OKPKey.generate_key("Ed25519")),
    ],
)
@pytest.mark.parametrize("brings_its_key", [False, True], ids=["", "with its key"])
async def test_a_right_signature_of_anybody_elses_is_none(
    gateway: Running, site: Site, alg: str, key: Callable[[], Any], brings_its_key: bool
):
    """§3.1, §3.5: the key set is ours, and nothing is taken from the token."""
    own = key()
    header = {**right_header(site.snapshot), "alg": alg}
    if brings_its_key:
        header["jwk"] = own.as_dict(private=False) if alg != "HS256" else own.as_dict()
    await assert_refused(gateway, jwt.encode(header, right_claims(site.snapshot), own, algorithms=[alg]))


# -- §3.10: what a header could have us fetch or look up --------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"jku": f"{PUBLIC_URL}/wp-json/app-connect/v1/jwks"}, id="our own keys by their address"),
        pytest.param({"x5u": "file:///etc/passwd"}, id="a file"),
        pytest.param({"x5c": ["MIIB"]}, id="a certificate"),
        pytest.param({"x5t#S256": "AAAA"}, id="a fingerprint"),
        pytest.param({"kid": "../../dev/null"}, id="a key by its path"),
        pytest.param({"kid": "x' UNION SELECT 'x"}, id="a key by SQL"),
        pytest.param({"kid": None}, id="no key"),
        pytest.param({"kid": ["a"]}, id="keys in a list"),
        pytest.param({"kid": {"a": "b"}}, id="an object for a key"),
        pytest.param({"crit": ["kid"]}, id="a known name as critical"),
        pytest.param({"crit": []}, id="nothing as critical"),
        pytest.param({"b64": False}, id="an unencoded payload"),
        pytest.param({"zip": "DEF"}, id="a compressed one"),
        pytest.param({"enc": "A128GCM"}, id="an encrypted one"),
        pytest.param({"cty": "JWT"}, id="a nested one"),
        pytest.param({"epk": {}}, id="an ephemeral key"),
    ],
)
async def test_a_header_brings_nothing(gateway: Running, site: Site, header: dict[str, Any]):
    await assert_refused(gateway, site.token(header))


# -- §3.11: explicit typing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typ", [None, "", "JWT", "at+JWT", "AT+JWT", "application/at+jwt", "logout+jwt", ["at+jwt"]])
async def test_only_our_own_spelling_of_the_type_counts(gateway: Running, site: Site, typ: object):
    """RFC 9068 §4 lets a verifier know more of them; none but we issue tokens, and we write one."""
    await assert_refused(gateway, site.token({"typ": typ}))


# -- §2.4, §3.6: one text, one meaning --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "client_id", "jti", "iat", "exp", "policy", "scope"])
async def test_a_claim_that_stands_there_twice_is_refused(gateway: Running, site: Site, name: str):
    """RFC 7519 §4: readers differ in which one counts."""
    header, claims = site.parts
    value = json.dumps(right_claims(site.snapshot).get(name, "x"))
    doubled = f'{{"{name}": {value}, {claims[1:-1]}, "{name}": {value}}}'
    await assert_refused(gateway, site.written(header, doubled))


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
async def test_a_header_that_says_something_twice_is_refused(gateway: Running, site: Site, name: str):
    """RFC 7515 §4."""
    header, claims = site.parts
    await assert_refused(gateway, site.written(f'{{"{name}": "none", {header[1:]}', claims))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda claims: claims + "x", id="something behind"),
        pytest.param(lambda claims: claims + claims, id="twice"),
        pytest.param(lambda claims: f"[{claims}]", id="in a list"),
        pytest.param(json.dumps, id="as a text"),
        pytest.param(lambda claims: "", id="nothing"),
        pytest.param(lambda claims: "\ufeff" + claims, id="a byte order mark"),
        pytest.param(lambda claims: claims[:-1], id="cut off"),
        pytest.param(lambda claims: claims[:-1] + ', "x": ' + "[" * 600 + "]" * 600 + "}", id="deep"),
        pytest.param(lambda claims: claims[:-1] + ', "exp": NaN}', id="no number"),
        pytest.param(lambda claims: claims.replace('"exp": ', '"exp": 1e'), id="a number with an exponent"),
        pytest.param(lambda claims: claims.replace('"exp": ', '"exp": -'), id="a negative number"),
    ],
)
async def test_claims_that_are_no_plain_object_are_refused(gateway: Running, site: Site, spoil: Callable[[str], str]):
    header, claims = site.parts
    await assert_refused(gateway, site.written(header, spoil(claims)))


@pytest.mark.parametrize(
    "spell",
    [
        pytest.param(lambda h, c, s: f"{h}.{c}.{s}.{c}.{s}", id="JWE's five parts"),
        pytest.param(lambda h, c, s: f"{h}..{s}", id="a detached payload"),
        pytest.param(lambda h, c, s: f"{h}.{c}", id="two parts"),
        pytest.param(lambda h, c, s: f"{h}=.{c}=.{s}==", id="padded"),
        pytest.param(lambda h, c, s: f"{h}.{c}.{s}~", id="a sign behind"),
        pytest.param(lambda h, c, s: f"{h}.{c}.{base64.b16encode(s.encode()).decode()}", id="a signature in base16"),
        pytest.param(lambda h, c, s: f"{h}.{c}.{s[:-1]}{chr(ord(s[-1]) + 1)}", id="unused bits"),
        pytest.param(lambda h, c, s: json.dumps({"protected": h, "payload": c, "signature": s}), id="JWS JSON"),
        pytest.param(
            lambda h, c, s: json.dumps({"payload": c, "signatures": [{"protected": h, "signature": s}]}),
            id="JWS JSON, general",
        ),
    ],
)
async def test_another_serialization_of_a_right_token_is_refused(
    gateway: Running, site: Site, spell: Callable[[str, str, str], str]
):
    """RFC 7515 §7.2: only the compact one is an access token."""
    await assert_refused(gateway, spell(*site.token().split(".")))


@pytest.mark.parametrize("size", [2_049, 8_193, 60_000])
async def test_a_long_token_is_not_looked_into(gateway: Running, site: Site, size: int):
    await assert_refused(gateway, site.token(claims={"x": "x" * size}))


@pytest.mark.parametrize("deep", [100, 700, 1_400])
async def test_deep_nesting_does_no_harm(gateway: Running, deep: int):
    await assert_refused(gateway, f"{encoded(b'[' * deep)}.e30.e30")


# -- §2.7, §3.8, §3.9: for whom ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": f"{PUBLIC_URL}/"}, id="our issuer with a slash"),
        pytest.param({"iss": PUBLIC_URL.upper()}, id="our issuer in capitals"),
        pytest.param({"iss": "https://other.example", "aud": "https://other.example/wp-json"}, id="another site's"),
        pytest.param({"aud": [RESOURCE]}, id="a list of audiences"),
        pytest.param({"aud": {RESOURCE: 1}}, id="an object of audiences"),
        pytest.param({"aud": f"{RESOURCE}/"}, id="our audience with a slash"),
        pytest.param({"aud": PUBLIC_URL}, id="the authorization server"),
        pytest.param({"client_id": STRANGER.id}, id="another client with this one's policy"),
        pytest.param({"client_id": BACKEND.id.upper()}, id="the client in capitals"),
        pytest.param({"exp": True}, id="a boolean end"),
        pytest.param({"exp": "9999999999"}, id="an end that is a text"),
        pytest.param({"iat": "0"}, id="a begin that is a text"),
        pytest.param({"iat": 1.5}, id="a begin that is no whole number"),
    ],
)
async def test_a_token_for_somebody_or_something_else_is_refused(gateway: Running, site: Site, claims: dict[str, Any]):
    await assert_refused(gateway, site.token(claims=claims))


async def test_a_policy_of_another_client_is_refused(gateway: Running, site: Site):
    other = site.snapshot.clients[STRANGER.id].policy_hash
    await assert_refused(gateway, site.token(claims={"policy": other}))


# -- revocation is by jti ---------------------------------------------------------------------------------------------


async def test_a_revoked_token_signed_anew_is_revoked(gateway: Running, site: Site):
    """Another text with the same `jti`: an order of members, a space, a claim more."""
    token = site.token(claims={"jti": "of-both"})
    await gateway.http.post("/wp-json/app-connect/v1/revoke", auth=BACKEND.basic, data={"token": token})
    await assert_refused(gateway, token)
    await assert_refused(gateway, site.token(claims={"jti": "of-both", "more": "1"}))
    assert (await heard(gateway, site.token(claims={"jti": "another"}))).status == 200
