"""RFC 8414: what the authorization server says of itself."""

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from appconnect.control import switches
from appconnect.core.clients import GrantType
from tests.protocol.conftest import BACKEND, PUBLIC_URL, RESOURCE, Running

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def metadata(gateway: Running) -> dict[str, Any]:
    return dict((await gateway.http.get(WELL_KNOWN)).json())


async def test_it_is_a_json_object_at_the_well_known_address(gateway: Running):
    """§3, §3.2: 200 and `application/json`."""
    answer = await gateway.http.get(WELL_KNOWN)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=UTF-8")


async def test_the_issuer_is_the_address_that_it_was_asked_at(metadata: dict[str, Any]):
    """§3.3: a client compares the two and gives up where they differ. §2: no query, no fragment."""
    assert metadata["issuer"] == PUBLIC_URL


async def test_the_issuer_is_the_one_in_the_tokens(gateway: Running, metadata: dict[str, Any], token: str):
    """RFC 9068 §4: a resource server compares `iss` with it."""
    answer = await gateway.http.post(metadata["introspection_endpoint"], auth=BACKEND.basic, data={"token": token})
    assert answer.json()["iss"] == metadata["issuer"]


async def test_a_token_can_be_had_where_it_says(gateway: Running, metadata: dict[str, Any]):
    """§2 `token_endpoint`."""
    data = {"grant_type": metadata["grant_types_supported"][0]}
    answer = await gateway.http.post(metadata["token_endpoint"], auth=BACKEND.basic, data=data)
    assert answer.status_code == 200


async def test_a_token_can_be_revoked_where_it_says(gateway: Running, metadata: dict[str, Any], token: str):
    """§2 `revocation_endpoint`."""
    answer = await gateway.http.post(metadata["revocation_endpoint"], auth=BACKEND.basic, data={"token": token})
    assert answer.status_code == 200


async def test_the_keys_are_where_it_says(gateway: Running, metadata: dict[str, Any]):
    """§2 `jwks_uri`."""
    assert (await gateway.http.get(metadata["jwks_uri"])).json()["keys"]


async def test_only_client_credentials_are_offered(metadata: dict[str, Any]):
    """§2: left out, `grant_types_supported` would mean authorization_code and implicit."""
    assert metadata["grant_types_supported"] == ["client_credentials"]


async def test_there_is_no_authorization_endpoint(metadata: dict[str, Any]):
    """§2: it may be missing where no grant type uses it; then there is no response type either."""
    assert "authorization_endpoint" not in metadata
    assert metadata["response_types_supported"] == []


@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
async def test_the_ways_to_authenticate_are_named(metadata: dict[str, Any], endpoint: str):
    """§2 `…_endpoint_auth_methods_supported`."""
    methods = metadata[f"{endpoint}_endpoint_auth_methods_supported"]
    assert methods == ["client_secret_basic", "client_secret_post"]


async def test_the_protected_resource_is_named(metadata: dict[str, Any]):
    """RFC 9728 §4: by which a client may check that the two belong together."""
    assert metadata["protected_resources"] == [RESOURCE]


async def test_a_foreign_library_finds_nothing_wrong_with_its_addresses(metadata: dict[str, Any]):
    """§2, as Authlib checks it; its checks of response types know no server without an authorization endpoint."""
    document = AuthorizationServerMetadata(metadata)
    document.validate_issuer()
    document.validate_token_endpoint()
    document.validate_jwks_uri()
    document.validate_grant_types_supported()
    document.validate_token_endpoint_auth_methods_supported()
    document.validate_revocation_endpoint()
    document.validate_introspection_endpoint()


async def test_it_is_there_while_the_api_and_the_grant_type_are_off(gateway: Running):
    await gateway.change(switches.set_api, is_enabled=False)
    await gateway.change(switches.set_grant_type, GrantType.CLIENT_CREDENTIALS, is_enabled=False)
    assert (await gateway.http.get(WELL_KNOWN)).status_code == 200


async def test_it_may_be_cached_and_read_from_any_page(gateway: Running):
    answer = await gateway.http.get(WELL_KNOWN)
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_it_is_asked_with_get(gateway: Running):
    """§3.1: an HTTP GET request."""
    answer = await gateway.http.post(WELL_KNOWN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
