"""RFC 7517: the JWK Set with which anybody verifies our access tokens."""

from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import KeySet, OKPKey

from appconnect.control import switches
from appconnect.control.context import Context
from appconnect.control_plane import clock
from appconnect.core.keys import SigningKey
from tests.protocol.conftest import JWKS, Running


def add_key(context: Context) -> SigningKey:
    key = SigningKey(OKPKey.generate_key("Ed25519", private=True), clock())
    with context.store.transaction() as transaction:
        transaction.save_signing_key(key)
    return key


def retire_every_key(context: Context) -> None:
    with context.store.transaction() as transaction:
        for key in context.store.snapshot(now=clock()).key_ring.keys:
            transaction.save_signing_key(replace(key, retired_at=clock()))


async def keys(gateway: Running) -> list[dict[str, Any]]:
    return list((await gateway.http.get(JWKS)).json()["keys"])


async def test_the_set_is_a_json_object_with_an_array_of_keys(gateway: Running):
    """§5.1: the value of "keys" is an array of JWKs."""
    answer = await gateway.http.get(JWKS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert list(answer.json()) == ["keys"]


async def test_a_key_says_its_type_use_algorithm_and_id(gateway: Running):
    """§4.1, §4.2, §4.4, §4.5; RFC 8037 §2 for the type, RFC 9864 §2.2 for the algorithm's name."""
    (key,) = await keys(gateway)
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "Ed25519")
    assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x"]


async def test_the_private_part_is_not_in_it(gateway: Running):
    """RFC 8037 §2: `d` is the private key and must not stand in a public one."""
    (key,) = await keys(gateway)
    assert "d" not in key


async def test_a_key_id_is_the_thumbprint(gateway: Running):
    """RFC 7638 §3: whoever has the key can compute its ID."""
    (key,) = await keys(gateway)
    assert key["kid"] == OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}).thumbprint()


async def test_a_foreign_library_reads_it(gateway: Running):
    """§5: a JWK Set."""
    key_set = KeySet.import_key_set((await gateway.http.get(JWKS)).json())
    assert [key.is_private for key in key_set.keys] == [False]


async def test_during_a_rotation_both_keys_are_in_it_under_ids_of_their_own(gateway: Running):
    """§4.5: different keys have distinct `kid`s."""
    await gateway.change(add_key)
    first, second = await keys(gateway)
    assert first["kid"] != second["kid"]


async def test_a_token_issued_before_the_rotation_still_verifies(gateway: Running, token: str):
    """§4.5: `kid` chooses among the keys."""
    await gateway.change(add_key)
    assert (await gateway.get(token)).status_code == 200


async def test_after_the_rotation_the_new_key_signs(gateway: Running):
    new = await gateway.change(add_key)
    await gateway.change(retire_all_but, new)
    assert (await gateway.get(await gateway.token())).status_code == 200


def retire_all_but(context: Context, staying: SigningKey) -> None:
    with context.store.transaction() as transaction:
        for key in context.store.snapshot(now=clock()).key_ring.keys:
            transaction.save_signing_key(replace(key, retired_at=clock() if key.kid != staying.kid else None))


async def test_a_retired_key_is_gone_and_verifies_nothing(gateway: Running, token: str):
    await gateway.change(retire_every_key)
    assert await keys(gateway) == []
    assert (await gateway.get(token)).status_code == 401


async def test_it_may_be_cached_and_read_from_any_page(gateway: Running):
    """RFC 9111 §5.2.2.9: it is public. A browser needs the CORS header."""
    answer = await gateway.http.get(JWKS)
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_it_is_there_while_the_api_is_off(gateway: Running):
    await gateway.change(switches.set_api, is_enabled=False)
    assert (await gateway.http.get(JWKS)).status_code == 200


async def test_head_is_answered(gateway: Running):
    """RFC 9110 §9.1: GET and HEAD are required of every server."""
    assert (await gateway.http.head(JWKS)).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_another_method_is_refused_with_those_allowed(gateway: Running, method: str):
    """RFC 9110 §15.5.6: a 405 carries `Allow`."""
    answer = await gateway.http.request(method, JWKS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
