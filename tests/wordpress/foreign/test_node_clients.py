"""OAuth clients from npm, as their documentation shows them, against the gateway and WordPress."""

import re

import pytest

from tests.wordpress.foreign.conftest import Backend
from tests.wordpress.foreign.npm import HERE, Node

AUTHENTICATION_METHODS = pytest.mark.parametrize(
    "authentication", ["ClientSecretBasic", "ClientSecretPost"], ids=["client_secret_basic", "client_secret_post"]
)


@AUTHENTICATION_METHODS
def test_openid_client_discovers_publishes_introspects_and_revokes(backend: Backend, node: Node, authentication):
    printed = node.run("openid_client.mjs", backend.environment | {"AUTHENTICATION": authentication})
    assert 3590 <= printed["expiresIn"] <= 3600
    assert "POST /wp-json/wp/v2/posts" in printed["grantedRestRoutes"]
    assert printed["created"] == 201
    assert backend.stored_post(printed["id"]) == {
        "title": "Grüße von openid-client",
        "status": "publish",
        "author": "author",
    }
    assert printed["readTitle"] == "Grüße von openid-client"
    assert printed["introspected"]["active"] is True
    assert printed["introspected"]["client_id"] == backend.client.client_id
    assert printed["introspected"]["sub"] == "author"
    assert printed["afterRevocation"] == {"active": False}
    assert printed["refusal"] == {"status": 401, "error": "invalid_token"}
    assert printed["wrongSecret"]["scheme"] == "basic"
    assert printed["wrongSecret"]["error"] == "invalid_client"


@AUTHENTICATION_METHODS
def test_oauth4webapi_finds_everything_from_the_api_and_verifies_the_token(
    backend: Backend, node: Node, authentication
):
    printed = node.run("oauth4webapi.mjs", backend.environment | {"AUTHENTICATION": authentication})
    assert printed["claims"]["iss"] == backend.issuer
    assert printed["claims"]["aud"] == f"{backend.issuer}/wp-json"
    assert printed["claims"]["client_id"] == backend.client.client_id
    assert printed["claims"]["sub"] == "author"
    assert printed["otherAudience"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED"
    assert printed["created"] == 201
    assert backend.stored_post(printed["id"]) == {
        "title": "Grüße von oauth4webapi",
        "status": "publish",
        "author": "author",
    }
    assert printed["readTitle"] == "Grüße von oauth4webapi"
    assert printed["forbidden"] == {"status": 403, "error": "insufficient_scope"}
    assert printed["introspected"]["active"] is True
    assert printed["introspected"]["jti"] == printed["claims"]["jti"]
    assert printed["afterRevocation"] == {"active": False}
    assert printed["refusal"]["status"] == 401
    assert printed["refusal"]["error"] == "invalid_token"


@pytest.mark.parametrize("method", ["header", "body"], ids=["client_secret_basic", "client_secret_post"])
def test_simple_oauth2_publishes_and_revokes(backend: Backend, node: Node, method):
    printed = node.run("simple_oauth2.mjs", backend.environment | {"AUTHORIZATION_METHOD": method})
    assert printed["isExpired"] is False
    assert printed["created"] == 201
    assert backend.stored_post(printed["id"]) == {
        "title": "Grüße von simple-oauth2",
        "status": "publish",
        "author": "author",
    }
    assert printed["readTitle"] == "Grüße von simple-oauth2"
    assert printed["refused"] == 401
    assert 'error="invalid_token"' in printed["challenge"]
    assert printed["wrongSecret"]["status"] == 401
    assert printed["wrongSecret"]["error"] == "invalid_client"


def test_the_lock_file_names_no_host():
    """So that npm installs from the registry of whoever runs this; the hashes say what it must be."""
    lock = (HERE / "package-lock.json").read_text()
    assert re.findall(r"\w+://", lock) == []
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
