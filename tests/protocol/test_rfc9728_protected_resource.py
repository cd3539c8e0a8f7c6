"""RFC 9728: what the REST API says of itself, and how a client finds that."""

import re
from typing import Any

import pytest

from tests.protocol.conftest import JWKS, POSTS, PUBLIC_URL, RESOURCE, Running

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture
async def metadata(gateway: Running) -> dict[str, Any]:
    return dict((await gateway.http.get(f"{WELL_KNOWN}/wp-json")).json())


async def test_it_is_a_json_object_between_host_and_path(gateway: Running):
    """§3.1: the well-known text goes between the host and the path of the resource."""
    answer = await gateway.http.get(f"{WELL_KNOWN}/wp-json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=UTF-8")


async def test_the_resource_is_the_one_asked_about(metadata: dict[str, Any]):
    """§3.3: a client compares the two and gives up where they differ."""
    assert metadata["resource"] == RESOURCE


async def test_asked_about_the_host_it_answers_about_the_host(gateway: Running):
    """§3.3, for clients that know only the host."""
    assert (await gateway.http.get(WELL_KNOWN)).json()["resource"] == PUBLIC_URL


async def test_the_authorization_server_is_the_one_whose_metadata_is_here(gateway: Running, metadata: dict[str, Any]):
    """§2 `authorization_servers`: issuers as RFC 8414 has them."""
    (server,) = metadata["authorization_servers"]
    found = await gateway.http.get(f"{server}/.well-known/oauth-authorization-server")
    assert found.json()["issuer"] == server


async def test_tokens_are_taken_from_the_header_only(metadata: dict[str, Any]):
    """§2 `bearer_methods_supported`, as RFC 6750 §2 has them."""
    assert metadata["bearer_methods_supported"] == ["header"]


async def test_the_keys_are_where_it_says(gateway: Running, metadata: dict[str, Any]):
    """§2 `jwks_uri`."""
    assert metadata["jwks_uri"] == PUBLIC_URL + JWKS


async def test_no_other_resource_is_described(gateway: Running):
    """§3.1: what is not protected here has no metadata here."""
    answer = await gateway.http.get(f"{WELL_KNOWN}/elsewhere")
    assert answer.status_code in (401, 404)


async def test_the_challenge_says_where_it_is(gateway: Running):
    """§5.1 `resource_metadata`: a client that knows nothing but a route finds everything."""
    challenge = (await gateway.http.get(POSTS)).headers["www-authenticate"]
    (address,) = re.findall('resource_metadata="([^"]*)"', challenge)
    assert (await gateway.http.get(address)).json()["resource"] == RESOURCE


async def test_it_may_be_read_from_any_page(gateway: Running):
    answer = await gateway.http.get(f"{WELL_KNOWN}/wp-json")
    assert answer.headers["access-control-allow-origin"] == "*"
