"""RFC 9068: access tokens are JWTs which anybody can verify with the published keys, and nobody can make."""

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OKPKey

from appconnect.control_plane import clock
from appconnect.core.snapshot import Snapshot
from tests.protocol.conftest import BACKEND, JWKS, RESOURCE, STRANGER, Running


@pytest.fixture
async def verified(gateway: Running, token: str) -> jwt.Token:
    """The token as another party reads it: with joserfc, and nothing of ours but the published keys."""
    key_set = KeySet.import_key_set((await gateway.http.get(JWKS)).json())
    return jwt.decode(token, key_set, algorithms=["Ed25519"])


@pytest.fixture
def snapshot(gateway: Running) -> Snapshot:
    return gateway.store.snapshot(now=clock())


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"


def signed(snapshot: Snapshot, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A JWT under the site's own key, with whatever header and claims: no library would make some of them."""
    key = load_pem_private_key(snapshot.key_ring.keys[0].jwk.as_pem(private=True), None)
    assert isinstance(key, Ed25519PrivateKey)
    content = unsigned(header, claims)
    return f"{content}.{encoded(key.sign(content.encode()))}"


def right_header(snapshot: Snapshot) -> dict[str, Any]:
    return {"alg": "Ed25519", "typ": "at+jwt", "kid": snapshot.key_ring.keys[0].kid}


def right_claims(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "iss": snapshot.issuer,
        "aud": snapshot.audience,
        "sub": "author",
        "client_id": BACKEND.id,
        "jti": "of-the-test",
        "iat": clock(),
        "exp": clock() + 60,
        "policy": snapshot.clients[BACKEND.id].policy_hash,
    }


async def status(gateway: Running, token: str) -> int:
    return (await gateway.get(token)).status_code


# -- what a token says ------------------------------------------------------------------------------------------------


async def test_the_type_is_at_jwt(verified: jwt.Token):
    """§2.1: `at+jwt`, so that it can be taken for no other kind of JWT."""
    assert verified.header["typ"] == "at+jwt"


async def test_it_is_signed_with_a_published_key(verified: jwt.Token, gateway: Running):
    """§2.1: signed, never `none`; §4: the key comes from `jwks_uri`."""
    published = (await gateway.http.get(JWKS)).json()["keys"]
    assert (verified.header["alg"], verified.header["kid"]) == ("Ed25519", published[0]["kid"])


async def test_it_has_every_claim_that_is_required(verified: jwt.Token):
    """§2.2: iss, exp, aud, sub, client_id, iat, jti; and `policy`, which is ours."""
    assert sorted(verified.claims) == ["aud", "client_id", "exp", "iat", "iss", "jti", "policy", "sub"]


async def test_it_is_for_this_rest_api(verified: jwt.Token):
    """§2.2 `aud`, §3: the resource indicator."""
    assert verified.claims["aud"] == RESOURCE


async def test_it_names_the_client_and_the_user_that_it_acts_as(verified: jwt.Token):
    """§2.2 `client_id` and `sub`: the permissions are those of the service user, who is in WordPress."""
    assert (verified.claims["client_id"], verified.claims["sub"]) == (BACKEND.id, "author")


async def test_it_lives_as_long_as_the_answer_said(gateway: Running):
    """§2.2 `exp`, `iat`; RFC 6749 §5.1 `expires_in`."""
    answer = (await gateway.request_token()).json()
    claims = json.loads(jws.extract_compact(answer["access_token"].encode()).payload)
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600


async def test_every_token_has_an_id_of_its_own(gateway: Running):
    """§2.2 `jti`."""
    first, second = [jws.extract_compact((await gateway.token()).encode()).payload for _ in "12"]
    assert json.loads(first)["jti"] != json.loads(second)["jti"]


async def test_it_tells_nothing_about_secrets_or_permissions(verified: jwt.Token):
    """§6: whoever holds a token can read it."""
    assert "password" not in json.dumps(verified.claims).lower()
    assert len(verified.claims["policy"]) == 32


# -- what is checked --------------------------------------------------------------------------------------------------


async def test_a_right_token_that_was_signed_elsewhere_works(gateway: Running, snapshot: Snapshot):
    """The tests below change one thing of this one."""
    assert await status(gateway, signed(snapshot, right_header(snapshot), right_claims(snapshot))) == 200


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"typ": "JWT"}, id="another type"),
        pytest.param({"typ": "application/at+jwt"}, id="its long name, which we never write"),
        pytest.param({"alg": "EdDSA"}, id="another name of the algorithm"),
        pytest.param({"kid": "unknown"}, id="an unknown key"),
        pytest.param({"kid": 1}, id="a key ID that is no text"),
        pytest.param({"crit": ["exp"]}, id="a critical header"),
        pytest.param({"jwk": {}}, id="a key of its own"),
        pytest.param({"jku": "https://attacker.example/jwks"}, id="an address of keys"),
    ],
)
async def test_a_header_that_is_not_ours_is_refused(gateway: Running, snapshot: Snapshot, changed: dict[str, Any]):
    """§4: `typ` and `alg` are checked; RFC 8725 §3.1, §3.10: no key or algorithm is taken from the token."""
    header = {**right_header(snapshot), **changed}
    assert await status(gateway, signed(snapshot, header, right_claims(snapshot))) == 401


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"iss": "https://other.example"}, id="another issuer"),
        pytest.param({"aud": "https://other.example/wp-json"}, id="another audience"),
        pytest.param({"aud": [RESOURCE, "https://other.example"]}, id="a list of audiences, which we never write"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"exp": "9999999999"}, id="an end that is text"),
        pytest.param({"exp": 9_999_999_999.5}, id="an end that is no whole number"),
        pytest.param({"iat": 9_999_999_998, "exp": 9_999_999_999}, id="issued in the future"),
        pytest.param({"client_id": "ac_nobody"}, id="an unknown client"),
        pytest.param({"client_id": ["ac_backend"]}, id="a client that is no text"),
        pytest.param({"policy": "0" * 32}, id="an unknown policy"),
    ],
)
async def test_a_claim_that_is_not_right_is_refused(gateway: Running, snapshot: Snapshot, changed: dict[str, Any]):
    """§4: `iss`, `aud` and `exp` are checked, and that the token is one of ours in every other way."""
    claims = {**right_claims(snapshot), **changed}
    assert await status(gateway, signed(snapshot, right_header(snapshot), claims)) == 401


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "client_id", "jti", "iat", "exp", "policy"])
async def test_a_token_without_a_claim_is_refused(gateway: Running, snapshot: Snapshot, missing: str):
    """§2.2: required."""
    claims = right_claims(snapshot)
    del claims[missing]
    assert await status(gateway, signed(snapshot, right_header(snapshot), claims)) == 401


async def test_a_token_of_another_clients_policy_is_refused(gateway: Running, snapshot: Snapshot):
    """What was granted to one client is nothing to another."""
    claims = {**right_claims(snapshot), "policy": snapshot.clients[STRANGER.id].policy_hash}
    assert await status(gateway, signed(snapshot, right_header(snapshot), claims)) == 401


async def test_an_unsigned_token_is_refused(gateway: Running, snapshot: Snapshot):
    """§4: `none` is refused."""
    header = {**right_header(snapshot), "alg": "none"}
    assert await status(gateway, unsigned(header, right_claims(snapshot)) + ".") == 401


async def test_a_token_signed_with_the_public_key_as_a_password_is_refused(gateway: Running, snapshot: Snapshot):
    """RFC 8725 §2.1: HS256 with what everybody knows."""
    header = {**right_header(snapshot), "alg": "HS256"}
    content = unsigned(header, right_claims(snapshot))
    public = snapshot.key_ring.keys[0].jwk.as_pem(private=False)
    assert await status(gateway, f"{content}.{encoded(hmac.digest(public, content.encode(), 'sha256'))}") == 401


async def test_a_token_of_another_key_under_our_key_id_is_refused(gateway: Running, snapshot: Snapshot):
    """§4: the signature is checked."""
    foreign = OKPKey.generate_key("Ed25519", private=True)
    token = jwt.encode(right_header(snapshot), right_claims(snapshot), foreign, algorithms=["Ed25519"])
    assert await status(gateway, token) == 401


async def test_a_token_whose_claims_were_changed_is_refused(gateway: Running, snapshot: Snapshot, token: str):
    """§4: the signature covers them."""
    _, _, signature = token.split(".")
    content = unsigned(right_header(snapshot), right_claims(snapshot))
    assert await status(gateway, f"{content}.{signature}") == 401


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: token[:-1], id="cut off"),
        pytest.param(lambda token: token + "=", id="padded"),
        pytest.param(lambda token: token + ".x", id="a fourth part"),
        pytest.param(lambda token: token + "A" * 2048, id="very long"),
        pytest.param(lambda token: token.replace(".", "..", 1), id="an empty part"),
        pytest.param(lambda token: token.replace("-", "+").replace("_", "/") + "~", id="other characters"),
    ],
)
async def test_a_spoilt_token_is_refused(gateway: Running, token: str, spoil: Any):
    assert await status(gateway, spoil(token)) == 401


async def test_a_header_of_deep_nesting_is_refused_without_harm(gateway: Running):
    deep = encoded(b"[" * 600)
    assert await status(gateway, f"{deep}.{deep}.x") == 401
