"""RFC 8707: a client may name the resource that it wants a token for; here there is one."""

import httpx
import pytest

from tests.protocol.conftest import BACKEND, PUBLIC_URL, RESOURCE, TOKEN, Running


async def post(gateway: Running, body: str) -> httpx.Response:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return await gateway.http.post(TOKEN, auth=BACKEND.basic, headers=form, content=body)


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(RESOURCE, id="the REST API"),
        pytest.param(f"{RESOURCE}/", id="the REST API with a slash"),
        pytest.param(PUBLIC_URL, id="the host"),
    ],
)
async def test_our_resource_gets_a_token(gateway: Running, resource: str):
    """§2: an absolute URI that identifies the resource."""
    assert (await gateway.request_token(resource=resource)).status_code == 200


async def test_no_resource_is_the_only_one(gateway: Running):
    """§2: the server may choose where none is named."""
    assert (await gateway.request_token()).status_code == 200


async def test_an_empty_resource_is_none(gateway: Running):
    """RFC 6749 §3.2: a parameter without a value counts as not sent."""
    assert (await gateway.request_token(resource="")).status_code == 200


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("https://other.example/wp-json", id="another host"),
        pytest.param("http://api.example.com/wp-json", id="another scheme"),
        pytest.param(f"{RESOURCE}/wp/v2/posts", id="below the REST API"),
        pytest.param(f"{RESOURCE}?a=b", id="with a query"),
        pytest.param(f"{RESOURCE}#a", id="with a fragment"),
        pytest.param("/wp-json", id="relative"),
        pytest.param("api.example.com", id="no URI"),
    ],
)
async def test_another_resource_is_an_invalid_target(gateway: Running, resource: str):
    """§2: `invalid_target` where the resource is invalid, unknown or malformed."""
    answer = await gateway.request_token(resource=resource)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


async def test_the_error_says_which_resource_there_is(gateway: Running):
    answer = await gateway.request_token(resource="https://other.example/wp-json")
    assert RESOURCE in answer.json()["error_description"]


async def test_several_resources_may_be_named(gateway: Running):
    """§2: the one parameter that may be sent more than once."""
    body = f"grant_type=client_credentials&resource={RESOURCE}&resource={PUBLIC_URL}"
    assert (await post(gateway, body)).status_code == 200


async def test_one_wrong_resource_among_several_is_an_invalid_target(gateway: Running):
    """§2: unwilling to issue for all of them, the server says `invalid_target`."""
    body = f"grant_type=client_credentials&resource={RESOURCE}&resource=https://other.example"
    assert (await post(gateway, body)).json()["error"] == "invalid_target"
