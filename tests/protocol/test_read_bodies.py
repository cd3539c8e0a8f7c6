"""Bodies that a decision depends on are read, decided on and passed on whole; every other one streams unread."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from appconnect.control.clients import Draft, edit_client, set_enabled
from appconnect.core.body import MAX_READ_BYTES
from appconnect.settings import Settings
from tests.protocol.conftest import BACKEND, POSTS, STRANGER, Recorder, Running, eventually, pieces, running

BATCH = "/wp-json/batch/v1"
JSON, FORM = ("content-type", "application/json"), ("content-type", "application/x-www-form-urlencoded")
CHUNKED = ("transfer-encoding", "chunked")
FIVE = f"POST {POSTS}/5"


def length(body: bytes) -> tuple[str, str]:
    return "content-length", str(len(body))


async def token_for(gateway: Running, *rules: str) -> str:
    """A token of a client that has these rules alone."""
    policy = gateway.store.snapshot(now=0).policies.values()
    old = [str(rule) for each in policy if each.client_id == BACKEND.id for rule in each.rules]
    await gateway.change(
        edit_client, BACKEND.id, Draft(allow=rules, disallow=[rule for rule in old if rule not in rules])
    )
    return await gateway.token()


async def ask(gateway: Running, token: str, target: str, content: bytes, *headers: tuple[str, str]) -> Any:
    return await gateway.exchange("POST", target, length(content), *headers, token=token, body=pieces(content))


# -- batches ----------------------------------------------------------------------------------------------------------


async def test_a_batch_goes_on_as_it_was_parsed(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, f"POST {BATCH}", f"POST {POSTS}")
    body = (
        b'{"extra": 1, "requests": [ {"path": "/wp/v2/posts/?a=%62", "x": 2, "body": {"title": "gr\\u00f6\\u00dfe"}}]}'
    )
    answer = await ask(gateway, token, BATCH + "?_fields=id", body, ("content-type", "text/plain, application/json"))
    assert answer.status == 200
    (sent,) = upstream.requests
    assert sent.line == "POST /wp-json/batch/v1?rest_route=/batch/v1&_fields=id HTTP/1.1"
    assert sent.values("content-type") == [b"application/json"]
    assert sent.values("content-length") == [str(len(sent.body)).encode()]
    part = {"method": "POST", "path": "/wp/v2/posts?a=b", "body": {"title": "größe"}, "headers": {}}
    assert json.loads(sent.body) == {"validation": "normal", "requests": [part]}


async def test_a_batch_that_is_denied_never_reaches_wordpress(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, f"POST {BATCH}", f"POST {POSTS}")
    parts = [{"path": "/wp/v2/posts"}, {"path": "/wp/v2/users"}]
    answer = await ask(gateway, token, BATCH, json.dumps({"requests": parts}).encode(), JSON)
    assert (answer.status, answer.code) == (403, "app_connect_forbidden_request")
    assert json.loads(answer.body)["data"] == {"status": 403, "rule": "POST /wp-json/wp/v2/users", "part": 2}
    assert upstream.requests == []


async def test_a_batch_without_its_rule_is_denied_before_it_is_read(gateway: Running):
    token = await token_for(gateway, f"POST {POSTS}")
    never = pieces(asyncio.Event())
    answer = await gateway.exchange("POST", BATCH, ("content-length", "9"), JSON, token=token, body=never)
    assert (answer.status, answer.code) == (403, "app_connect_forbidden_request")


async def test_a_batch_that_arrives_in_pieces_is_put_together(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, f"POST {BATCH}", f"POST {POSTS}")
    body = pieces(b'{"requests": [{"pa', b'th": "/wp/v2/posts"}]}')
    answer = await gateway.exchange("POST", BATCH, CHUNKED, JSON, token=token, body=body)
    assert answer.status == 200
    assert len(upstream.requests) == 1


# -- limits -----------------------------------------------------------------------------------------------------------


async def test_a_body_that_is_too_long_to_be_read_is_refused_before_it_is(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, FIVE)
    announced = ("content-length", str(MAX_READ_BYTES + 1))
    answer = await gateway.exchange("POST", f"{POSTS}/5", announced, JSON, token=token, body=pieces(asyncio.Event()))
    assert (answer.status, answer.code) == (413, "app_connect_body_too_large")
    assert upstream.requests == []


async def test_a_body_that_grows_too_long_is_refused(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, FIVE)
    body = pieces(*[b" " * 1_000_000] * 3)
    answer = await gateway.exchange("POST", f"{POSTS}/5", CHUNKED, JSON, token=token, body=body)
    assert (answer.status, answer.code) == (413, "app_connect_body_too_large")
    assert upstream.requests == []


async def test_a_body_that_breaks_off_is_nobodys(gateway: Running, upstream: Recorder):
    token, gone = await token_for(gateway, FIVE), asyncio.Event()
    gone.set()
    answer = await gateway.exchange(
        "POST",
        f"{POSTS}/5",
        ("content-length", "9"),
        JSON,
        token=token,
        body=pieces(b"{"),
        leaves=gone,
        is_cut_off=True,
    )
    assert answer.status == 0
    assert upstream.requests == []


# -- an object that a rule names --------------------------------------------------------------------------------------


async def test_a_body_that_was_read_goes_on_byte_for_byte(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, FIVE)
    body = b'{ "id":5 ,\n"title":"gr\\u00f6\\u00dfe" }'
    assert (await ask(gateway, token, f"{POSTS}/5", body, JSON)).status == 200
    assert upstream.requests[0].body == body


async def test_another_object_in_the_body_is_denied(gateway: Running, upstream: Recorder):
    token = await token_for(gateway, FIVE)
    answer = await ask(gateway, token, f"{POSTS}/5", b'{"id": 6}', JSON)
    assert (answer.status, answer.code) == (403, "app_connect_forbidden_request")
    assert upstream.requests == []


async def test_a_picture_is_not_read(gateway: Running, upstream: Recorder):
    """Its end comes only after WordPress has its beginning."""
    token, begun = await token_for(gateway, FIVE), asyncio.Event()
    sending = asyncio.create_task(
        gateway.exchange(
            "POST", f"{POSTS}/5", CHUNKED, ("content-type", "image/png"), token=token, body=pieces(b"a", begun, b"b")
        )
    )
    await eventually(lambda: b"a" in upstream.begun_bodies)
    begun.set()
    assert (await sending).status == 200


# -- a second token (RFC 6750 §2) -------------------------------------------------------------------------------------


@pytest.fixture
async def open_gateway(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """A gateway before the whole site."""
    async with running(replace(settings, untokened="pass"), upstream.url) as application:
        yield application


@pytest.mark.parametrize("name", ["access_token", "access.token", "%61ccess_token", "access_token[]"])
async def test_a_token_beside_one_in_the_query_is_refused(gateway: Running, upstream: Recorder, token: str, name: str):
    answer = await gateway.exchange("GET", f"{POSTS}?{name}=x", token=token)
    assert (answer.status, answer.code) == (400, "app_connect_invalid_request")
    assert 'error="invalid_request"' in dict(answer.headers)[b"www-authenticate"].decode()
    assert upstream.requests == []


async def test_a_token_beside_one_in_a_form_is_refused(gateway: Running, upstream: Recorder, token: str):
    answer = await ask(gateway, token, POSTS, b"title=x&access_token=y", FORM)
    assert (answer.status, answer.code) == (400, "app_connect_invalid_request")
    assert upstream.requests == []


async def test_a_form_beside_a_token_goes_on_whole(gateway: Running, upstream: Recorder, token: str):
    assert (await ask(gateway, token, POSTS, b"title=access_token", FORM)).status == 200
    assert upstream.requests[0].body == b"title=access_token"


@pytest.mark.parametrize("target", [POSTS + "?access_token={}", "/?x=1&access%5Ftoken={}"])
async def test_a_token_in_the_query_never_reaches_wordpress(open_gateway: Running, upstream: Recorder, target: str):
    token = await open_gateway.token()
    answer = await open_gateway.exchange("GET", target.format(token))
    assert (answer.status, answer.code) == (401, "app_connect_token_required")
    assert "in the query or a form is not accepted" in json.loads(answer.body)["message"]
    assert upstream.requests == []


async def test_a_token_in_a_form_never_reaches_wordpress(open_gateway: Running, upstream: Recorder):
    content = f"a=1&access_token={await open_gateway.token()}".encode()
    answer = await open_gateway.exchange("POST", POSTS, length(content), FORM, body=pieces(content))
    assert (answer.status, answer.code) == (401, "app_connect_token_required")
    assert upstream.requests == []


@pytest.mark.parametrize("content", [b"access_token=of-another-plugin", b"a=1&b=2"])
async def test_other_forms_pass_untouched(open_gateway: Running, upstream: Recorder, content: bytes):
    assert (await open_gateway.exchange("POST", "/contact/", length(content), FORM, body=pieces(content))).status == 200
    assert upstream.requests[0].body == content


# -- a change while a body arrives ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "content_type"),
    [(FIVE, "application/json"), (f"POST {POSTS}/*", "application/json"), (f"POST {POSTS}/*", FORM[1])],
    ids=["read for the decision", "streamed", "a form"],
)
async def test_a_slow_sender_outlives_no_change(gateway: Running, upstream: Recorder, rule: str, content_type: str):
    """The rest of the body comes after the client was disabled: WordPress gets no whole request of it."""
    token, is_disabled = await token_for(gateway, rule), asyncio.Event()
    sending = asyncio.create_task(
        gateway.exchange(
            "POST",
            f"{POSTS}/5",
            CHUNKED,
            ("content-type", content_type),
            token=token,
            body=pieces(b'{"title":', is_disabled, b' "x"}'),
        )
    )
    await asyncio.sleep(0)
    await gateway.change(set_enabled, BACKEND.id, is_enabled=False)
    is_disabled.set()
    answer = await sending
    assert (answer.status, answer.code) == (401, "app_connect_invalid_token")
    assert upstream.requests == []


async def test_a_slow_sender_is_not_disturbed_by_a_change_of_something_else(gateway: Running, upstream: Recorder):
    token, is_changed = await token_for(gateway, f"POST {POSTS}/*"), asyncio.Event()
    body = pieces(b'{"title":', is_changed, b' "x"}')
    sending = asyncio.create_task(gateway.exchange("POST", f"{POSTS}/5", CHUNKED, JSON, token=token, body=body))
    await asyncio.sleep(0)
    await gateway.change(set_enabled, STRANGER.id, is_enabled=False)
    is_changed.set()
    assert (await sending).status == 200
    assert upstream.requests[0].body == b'{"title": "x"}'


@pytest.mark.parametrize("name", ["wp_scrape_key", "wp_customize", "customize.theme"])
async def test_a_form_by_which_core_would_act_before_the_route_is_refused(
    gateway: Running, upstream: Recorder, token: str, name: str
):
    answer = await ask(gateway, token, POSTS, f"title=x&{name}=on".encode(), FORM)
    assert (answer.status, answer.code) == (400, "app_connect_unsupported_parameter")
    assert upstream.requests == []
