"""OAuth clients from PyPI, as their documentation shows them, against the gateway and WordPress."""

import warnings
from typing import Any

import httpx
import pytest
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.wordpress.foreign.conftest import Backend

with warnings.catch_warnings(record=True):  # Authlib says at import that it would rather have httpx's successor
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
    from authlib.oauth2.rfc8414 import get_well_known_url

AUTHENTICATION_METHODS = pytest.mark.parametrize("authentication", ["client_secret_basic", "client_secret_post"])


@pytest.fixture
def oauthlib_over_http(monkeypatch):
    """Oauthlib refuses http unless it is told that this is a test."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def metadata(backend: Backend) -> dict[str, Any]:
    """What the authorization server says about itself, found as RFC 8414 §3 has it."""
    answer = httpx.get(get_well_known_url(backend.issuer, external=True))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found["issuer"] == backend.issuer
    return found


@pytest.mark.parametrize("include_client_id", [None, True], ids=["client_secret_basic", "client_secret_post"])
def test_requests_oauthlib_publishes_and_reads_back(backend: Backend, metadata, oauthlib_over_http, include_client_id):
    client_id, secret = backend.client.basic
    with OAuth2Session(client=BackendApplicationClient(client_id)) as http:
        token = http.fetch_token(metadata["token_endpoint"], client_secret=secret, include_client_id=include_client_id)
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] == 3600

        created = http.post(backend.posts_url, json={"title": "Grüße von requests-oauthlib", "status": "publish"})
        assert created.status_code == 201
        post_id = created.json()["id"]
        assert backend.stored_post(post_id) == {
            "title": "Grüße von requests-oauthlib",
            "status": "publish",
            "author": "author",
        }
        read = http.get(f"{backend.posts_url}/{post_id}")
        assert read.json()["title"]["rendered"] == "Grüße von requests-oauthlib"

        revoked = http.post(
            metadata["revocation_endpoint"],
            data={"token": token["access_token"]},
            auth=HTTPBasicAuth(client_id, secret),
            withhold_token=True,
        )
        assert revoked.status_code == 200
        refused = http.get(f"{backend.posts_url}/{post_id}")
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_requests_oauthlib_understands_that_the_secret_is_wrong(backend: Backend, metadata, oauthlib_over_http):
    with (
        OAuth2Session(client=BackendApplicationClient(backend.client.client_id)) as http,
        pytest.raises(InvalidClientError, match="Invalid Client: the client ID or the client secret is wrong"),
    ):
        http.fetch_token(metadata["token_endpoint"], client_secret="wrong")


@AUTHENTICATION_METHODS
def test_authlib_publishes_reads_back_introspects_and_revokes(backend: Backend, metadata, authentication):
    with OAuth2Client(
        *backend.client.basic,
        token_endpoint_auth_method=authentication,
        revocation_endpoint_auth_method=authentication,
        token_endpoint=metadata["token_endpoint"],
    ) as http:
        token = http.fetch_token()
        created = http.post(backend.posts_url, json={"title": "Grüße von Authlib", "status": "publish"})
        assert created.status_code == 201
        post_id = created.json()["id"]
        assert backend.stored_post(post_id) == {"title": "Grüße von Authlib", "status": "publish", "author": "author"}
        read = http.get(f"{backend.posts_url}/{post_id}")
        assert read.json()["title"]["rendered"] == "Grüße von Authlib"

        introspected = http.introspect_token(metadata["introspection_endpoint"], token_type_hint="access_token").json()
        assert introspected["active"] is True
        assert introspected["client_id"] == backend.client.client_id
        assert introspected["exp"] - introspected["iat"] == token["expires_in"]

        assert http.revoke_token(metadata["revocation_endpoint"], token_type_hint="access_token").status_code == 200
        assert http.introspect_token(metadata["introspection_endpoint"]).json() == {"active": False}
        refused = http.get(f"{backend.posts_url}/{post_id}")
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@AUTHENTICATION_METHODS
async def test_authlib_does_the_same_asynchronously(backend: Backend, metadata, authentication):
    async with AsyncOAuth2Client(
        *backend.client.basic,
        token_endpoint_auth_method=authentication,
        revocation_endpoint_auth_method=authentication,
        token_endpoint=metadata["token_endpoint"],
    ) as http:
        await http.fetch_token()
        created = await http.post(backend.posts_url, json={"title": "Später von Authlib", "status": "publish"})
        assert created.status_code == 201
        post_id = created.json()["id"]
        assert backend.stored_post(post_id) == {"title": "Später von Authlib", "status": "publish", "author": "author"}
        read = await http.get(f"{backend.posts_url}/{post_id}")
        assert read.json()["title"]["rendered"] == "Später von Authlib"

        introspected = await http.introspect_token(metadata["introspection_endpoint"])
        assert introspected.json()["active"] is True
        revoked = await http.revoke_token(metadata["revocation_endpoint"])
        assert revoked.status_code == 200
        introspected = await http.introspect_token(metadata["introspection_endpoint"])
        assert introspected.json() == {"active": False}
        refused = await http.get(f"{backend.posts_url}/{post_id}")
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_authlib_renews_by_itself_a_token_that_ends_within_its_leeway(backend: Backend, metadata):
    renewed = []
    with OAuth2Client(
        *backend.client.basic,
        token_endpoint=metadata["token_endpoint"],
        leeway=3600,
        update_token=lambda token, **old: renewed.append((old["access_token"], token["access_token"])),
    ) as http:
        first = http.fetch_token()["access_token"]
        created = http.post(backend.posts_url, json={"title": "Renewed", "status": "publish"})
        assert created.status_code == 201
        assert renewed == [(first, http.token["access_token"])]
        assert first != http.token["access_token"]


def test_authlib_understands_that_the_secret_is_wrong(backend: Backend, metadata):
    with (
        OAuth2Client(backend.client.client_id, "wrong", token_endpoint=metadata["token_endpoint"]) as http,
        pytest.raises(OAuthError, match="invalid_client: Invalid Client: the client ID or the client secret is wrong"),
    ):
        http.fetch_token()
