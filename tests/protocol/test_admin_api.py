"""The admin API: what an administrator's program may do, and how it is told that it may not (RFC 6750, RFC 9457)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from openapi_spec_validator import validate

from appconnect.console.api import MAX_BODY_BYTES
from appconnect.console.openapi import document
from appconnect.control import admin_tokens
from appconnect.control.operations.operation import AnyOperation
from appconnect.control.operations.table import OPERATIONS
from appconnect.control_plane import clock
from appconnect.core.admin_tokens import AdminScope, new_admin_token
from appconnect.core.audit import AuditEventType
from appconnect.settings import Settings
from appconnect.throttle import FAILURES
from tests.protocol.admin import HOUR, OLD_KEY, SESSION, AdminApi, Users, admin_api_over, problems
from tests.protocol.conftest import BACKEND, STRANGER, Recorder, eventually

EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
NOTHING: dict[str, Any] = {}

CALLS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "clients.list": ("/clients", None),
    "clients.show": (f"/clients/{BACKEND.id}", None),
    "clients.add": (
        "/clients",
        {"name": "Third", "client_credentials_user": "2", "rest_route_allowlist": ["GET /wp-json/wp/v2/posts"]},
    ),
    "clients.edit": (f"/clients/{BACKEND.id}", {"name": "Backend Service"}),
    "clients.disable": (f"/clients/{BACKEND.id}/disable", NOTHING),
    "clients.enable": (f"/clients/{BACKEND.id}/enable", NOTHING),
    "clients.delete": (f"/clients/{BACKEND.id}", None),
    "clients.rotate-secret": (f"/clients/{BACKEND.id}/rotate-secret", {"overlap_seconds": 60}),
    "clients.revoke-tokens": (f"/clients/{BACKEND.id}/revoke-tokens", NOTHING),
    "settings.show": ("/settings", None),
    "settings.api": ("/settings/api", {"enabled": False}),
    "settings.grant-types": ("/settings/grant-types/client-credentials", {"enabled": False}),
    "settings.token-lifetime": ("/settings/token-lifetime", {"token_lifetime_seconds": 600}),
    "explain": (f"/clients/{BACKEND.id}/explain", {"path": "/wp-json/wp/v2/posts", "wordpress": False}),
    "keys.list": ("/keys", None),
    "keys.rotate": ("/keys/rotate", NOTHING),
    "keys.retire": (f"/keys/{OLD_KEY.kid}/retire", NOTHING),
    "status": ("/status", None),
    "site.disconnect": ("/site/disconnect", NOTHING),
    "routes.list": ("/routes", None),
    "routes.review": ("/routes/review", {"rest_route_allowlist": ["GET /wp-json/wp/v2/posts"]}),
    "routes.presets": ("/routes/presets", None),
    "users.find": ("/users?text=a", None),
    "users.create": ("/users", {"username": "posts-bot"}),
    "audit": ("/audit?limit=5", None),
    "activity.refusals": (f"/activity/refusals?client={BACKEND.id}", None),
    "activity.usage": ("/activity/usage?days=1", None),
    "activity.clients": ("/activity/clients", None),
    "activity.rules": (f"/clients/{BACKEND.id}/rules", None),
    "sessions.list": ("/sessions", None),
    "sessions.end": (f"/sessions/{SESSION.id}", None),
    "admin-tokens.list": ("/admin-tokens", None),
    "admin-tokens.create": ("/admin-tokens", {"name": "Child", "scopes": ["tokens:write"], "lifetime_seconds": HOUR}),
    "admin-tokens.revoke": ("/admin-tokens/Program", None),
}


@pytest.fixture
async def api(settings: Settings, upstream: Recorder) -> AsyncIterator[AdminApi]:
    upstream.wordpress = Users()
    async with admin_api_over(settings, upstream.url) as opened:
        yield opened


def delete_clients(api: AdminApi) -> None:
    with api.store.transaction() as transaction:
        transaction.delete_client(BACKEND.id)
        transaction.delete_client(STRANGER.id)
        transaction.forget_application_password(f"of-{BACKEND.id}")
        transaction.forget_application_password(f"of-{STRANGER.id}")


def nothing(_: AdminApi) -> None:
    """Most operations need nothing to be done before."""


NEEDED = {"site.disconnect": delete_clients}


async def perform(api: AdminApi, operation: AnyOperation, token: str | None) -> Any:
    path, body = CALLS[operation.name]
    NEEDED.get(operation.name, nothing)(api)
    request = {"json": body} if body is not None else {}
    return await api.call(operation.method, path, token, **request)


# -- every operation --------------------------------------------------------------------------------------------------


@EVERY_OPERATION
async def test_it_works_with_its_scope_alone(api: AdminApi, operation: AnyOperation):
    answer = await perform(api, operation, api.token(operation.scope))
    assert answer.status_code == operation.status, answer.text
    assert answer.headers["content-type"].startswith("application/json")


@EVERY_OPERATION
async def test_without_a_token_it_is_refused(api: AdminApi, operation: AnyOperation):
    """RFC 6750 §3.1: who has shown no token is told no error code."""
    revision = api.store.revision()
    path, body = CALLS[operation.name]
    answer = await api.call(operation.method, path, None, json=body)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="App Connect administration"'
    assert problems(answer) == [("token", "A token is needed.")]
    assert api.store.revision() == revision


@EVERY_OPERATION
async def test_with_every_scope_but_its_own_it_is_refused_and_the_scope_is_named(
    api: AdminApi, operation: AnyOperation
):
    """RFC 6750 §3.1."""
    token = api.token(*(scope for scope in AdminScope if scope is not operation.scope))
    revision = api.store.revision()
    path, body = CALLS[operation.name]
    answer = await api.call(operation.method, path, token, json=body)
    assert answer.status_code == 403
    assert f'error="insufficient_scope", scope="{operation.scope}"' in answer.headers["www-authenticate"]
    assert answer.json()["scope"] == operation.scope
    assert api.store.revision() == revision


@EVERY_OPERATION
async def test_a_field_that_it_has_not_is_explained(api: AdminApi, operation: AnyOperation):
    path, body = CALLS[operation.name]
    token = api.token()
    revision = api.store.revision()
    unknown = {"params": {"nonsense": "1"}} if operation.method == "GET" else {"json": {**(body or {}), "nonsense": 1}}
    answer = await api.call(operation.method, path.partition("?")[0], token, **unknown)
    assert answer.status_code == 422
    assert ("nonsense", "is not a field here.") in problems(answer)
    assert api.store.revision() == revision


@EVERY_OPERATION
async def test_no_answer_is_kept_sniffed_or_framed(api: AdminApi, operation: AnyOperation):
    headers = (await perform(api, operation, api.token())).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


def test_every_operation_is_called_here():
    assert set(CALLS) == {operation.name for operation in OPERATIONS}


def test_no_two_operations_share_an_address_or_a_name():
    assert len({(one.method, one.path) for one in OPERATIONS}) == len(OPERATIONS)
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)


# -- what they do -----------------------------------------------------------------------------------------------------


async def test_a_client_is_added_with_its_secret_and_where_to_use_it(api: AdminApi):
    path, body = CALLS["clients.add"]
    added = (await api.call("POST", path, api.token(), json=body)).json()
    assert added["client_secret"].startswith("acs_")
    assert added["token_endpoint"] == "https://api.example.com/wp-json/app-connect/v1/token"
    shown = (await api.call("GET", f"/clients/{added['client_id']}", api.token(name="Other"))).json()
    assert "client_secret" not in shown
    assert shown["rest_route_allowlist"] == ["GET /wp-json/wp/v2/posts"]


async def test_a_client_is_found_by_its_name_with_any_characters_in_it(api: AdminApi):
    token = api.token()
    await api.call("PATCH", f"/clients/{BACKEND.id}", token, json={"name": "Back/end ü?"})
    answer = await api.call("GET", "/clients/Back%2Fend%20%C3%BC%3F", token)
    assert answer.json()["client_id"] == BACKEND.id


async def test_a_change_is_audited_with_the_name_of_the_token(api: AdminApi):
    await api.call("POST", f"/clients/{BACKEND.id}/disable", api.token(name="Deployment"))
    (event,) = api.store.audit_events(limit=1)
    assert (event.type, event.actor, event.subject) == (AuditEventType.CLIENT_DISABLED, "api:Deployment", BACKEND.id)


async def test_after_a_change_the_worker_has_the_new_snapshot_before_it_answers(api: AdminApi):
    await api.call("POST", f"/clients/{BACKEND.id}/disable", api.token())
    assert api.caught_up == [api.store.revision()]


async def test_reading_makes_no_worker_load_anything(api: AdminApi):
    token = api.token()
    revision = api.store.revision()
    await api.call("GET", "/clients", token)
    assert (api.caught_up, api.store.revision()) == ([], revision)


async def test_a_list_comes_in_parts(api: AdminApi):
    token = api.token()
    first = (await api.call("GET", "/clients?limit=1", token)).json()
    second = (await api.call("GET", f"/clients?limit=1&cursor={first['next']}", token)).json()
    ids = [one["client_id"] for one in (*first["items"], *second["items"])]
    assert (ids, second["next"]) == ([BACKEND.id, STRANGER.id], None)


async def test_clients_are_found_by_a_part_of_their_name_in_any_case(api: AdminApi):
    found = (await api.call("GET", "/clients?text=STRANG", api.token())).json()
    assert [one["client_id"] for one in found["items"]] == [STRANGER.id]


async def test_a_site_that_clients_act_on_stays_connected(api: AdminApi):
    answer = await api.call("POST", "/site/disconnect", api.token(), json={})
    assert (answer.status_code, problems(answer)) == (422, [("site", "2 clients act on it still.")])


async def test_a_cursor_of_nothing_is_explained(api: AdminApi):
    answer = await api.call("GET", "/clients?cursor=nonsense", api.token())
    assert answer.status_code == 422
    assert problems(answer) == [("cursor", "It is of no list, or what it points at is gone.")]


# -- wrong input ------------------------------------------------------------------------------------------------------


async def test_everything_wrong_with_the_types_is_told_at_once(api: AdminApi):
    body = {"name": 3, "rest_route_allowlist": "GET /wp-json/wp/v2/posts", "embed": "yes", "nonsense": 1}
    answer = await api.call("POST", "/clients", api.token(), json=body)
    assert answer.status_code == 422
    assert sorted(field for field, _ in problems(answer)) == ["embed", "name", "nonsense", "rest_route_allowlist"]


async def test_everything_wrong_with_the_meaning_is_told_at_once_and_points_at_its_field(api: AdminApi):
    body = {"access_mode": "god", "token_lifetime_seconds": 5, "rest_route_allowlist": ["GET"]}
    answer = await api.call("POST", "/clients", api.token(), json=body)
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["problems"]} == {
        "#/name",
        "#/access_mode",
        "#/token_lifetime_seconds",
        "#/rest_route_allowlist",
        "#/client_credentials_user",
    }


async def test_a_number_in_quotes_is_no_number(api: AdminApi):
    body = {"token_lifetime_seconds": "600"}
    answer = await api.call("POST", "/settings/token-lifetime", api.token(), json=body)
    assert answer.status_code == 422


async def test_a_field_that_is_missing_is_named(api: AdminApi):
    answer = await api.call("POST", "/settings/token-lifetime", api.token(), json={})
    assert problems(answer) == [("token_lifetime_seconds", "is missing.")]


async def test_an_edit_of_nothing_is_explained(api: AdminApi):
    answer = await api.call("PATCH", f"/clients/{BACKEND.id}", api.token(), json={})
    assert (answer.status_code, problems(answer)) == (422, [("clients edit", "Nothing to change was given.")])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/clients/nobody"), ("DELETE", "/clients/nobody"), ("DELETE", "/admin-tokens/nobody")],
)
async def test_what_is_not_there_is_404(api: AdminApi, method: str, path: str):
    answer = await api.call(method, path, api.token())
    assert answer.status_code == 404
    assert "'nobody'" in answer.json()["detail"]


async def test_while_another_change_is_at_work_it_is_409(api: AdminApi, monkeypatch: pytest.MonkeyPatch):
    token = api.token()
    with api.store.exclusively() as is_alone:
        assert is_alone
        exclusively = api.store.exclusively
        monkeypatch.setattr(api.store, "exclusively", lambda: exclusively(wait_seconds=0))
        answer = await api.call("POST", "/settings/api", token, json={"enabled": False})
    assert answer.status_code == 409
    assert problems(answer) == [("gateway", "Another command is changing it.")]


async def test_while_wordpress_is_away_it_is_502_with_a_remedy(api: AdminApi, upstream: Recorder):
    upstream.wordpress.is_away = True
    path, body = CALLS["clients.add"]
    answer = await api.call("POST", path, api.token(), json=body)
    assert answer.status_code == 502
    (problem,) = answer.json()["problems"]
    assert (answer.json()["kind"], problem["field"]) == ("wordpress", "unreachable")
    assert problem["remedy"]


# -- HTTP -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/nonsense", "/clients/", "/clients//", "/clients/a/b/c", "/v1/clients"])
async def test_an_unknown_address_is_404(api: AdminApi, path: str):
    assert (await api.call("GET", path, api.token())).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/clients", "GET, POST"),
        ("POST", f"/clients/{BACKEND.id}", "DELETE, GET, PATCH"),
        ("GET", "/status", "POST"),
        ("HEAD", "/settings", "GET"),
        ("OPTIONS", "/settings", "GET"),
        ("POST", "/openapi.json", "GET"),
    ],
)
async def test_an_unknown_method_is_405_with_those_there_are(api: AdminApi, method: str, path: str, allowed: str):
    """RFC 9110 §15.5.6."""
    answer = await api.call(method, path, api.token())
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/jsonp"]
)
async def test_only_json_is_read(api: AdminApi, kind: str):
    answer = await api.call(
        "POST", "/settings/api", api.token(), content=b'{"enabled": false}', headers={"Content-Type": kind}
    )
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="the beginning of JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"enabled": true, "enabled": false}', id="a name that stands twice"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 100_000, id="more depth than anybody reads"),
    ],
)
async def test_a_body_that_is_no_object_is_400(api: AdminApi, body: bytes):
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", "/settings/api", api.token(), content=body, headers=headers)
    assert answer.status_code == 400


async def test_a_body_that_is_too_large_is_413(api: AdminApi):
    headers = {"Content-Type": "application/json"}
    content = b" " * (MAX_BODY_BYTES + 1)
    answer = await api.call("POST", "/settings/api", api.token(), content=content, headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", "/clients?limit=1&limit=2", None, id="in the query"),
        pytest.param("POST", "/settings/api?enabled=true", {"enabled": True}, id="in query and body"),
        pytest.param("PATCH", f"/clients/{BACKEND.id}", {"client": STRANGER.id, "name": "X"}, id="in path and body"),
        pytest.param("GET", f"/clients/{BACKEND.id}?client={STRANGER.id}", None, id="in path and query"),
    ],
)
async def test_what_is_given_twice_is_refused(api: AdminApi, method: str, path: str, body: dict[str, Any] | None):
    """One of the two would count, and who wrote the request could think of the other."""
    token = api.token()
    revision = api.store.revision()
    request = {"json": body} if body is not None else {}
    assert (await api.call(method, path, token, **request)).status_code in (404, 422)
    assert api.store.revision() == revision


# -- tokens -----------------------------------------------------------------------------------------------------------

Change = Callable[[str], list[tuple[str, str]]]
PRESENTED: dict[str, Change] = {
    "another token": lambda _: [("Authorization", f"Bearer {new_admin_token(bytes(32)).reveal()}")],
    "no token of ours": lambda _: [("Authorization", "Bearer nonsense")],
    "a token cut short": lambda token: [("Authorization", f"Bearer {token[:-1]}")],
    "another scheme": lambda token: [("Authorization", f"Basic {token}")],
    "nothing behind the scheme": lambda _: [("Authorization", "Bearer")],
    "two tokens": lambda token: [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
}


@pytest.mark.parametrize("presented", PRESENTED.values(), ids=PRESENTED)
async def test_what_is_not_one_valid_token_is_invalid_token(api: AdminApi, presented: Change):
    """RFC 6750 §3.1."""
    answer = await api.http.get("/app-connect/api/v1/settings", headers=presented(api.token()))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].endswith(', error="invalid_token"')


@pytest.mark.parametrize("place", ["query", "cookie"])
async def test_a_token_counts_nowhere_but_in_its_header(api: AdminApi, place: str):
    token = api.token()
    query = {"access_token": token} if place == "query" else {}
    cookies = {"Cookie": f"access_token={token}"} if place == "cookie" else {}
    answer = await api.http.get("/app-connect/api/v1/settings", params=query, headers=cookies)
    assert answer.status_code == 401


async def test_an_expired_token_is_refused(api: AdminApi, monkeypatch: pytest.MonkeyPatch):
    token = api.token(lifetime_seconds=HOUR)
    monkeypatch.setattr("appconnect.control_plane.clock", lambda: clock() + HOUR)
    answer = await api.call("GET", "/settings", token)
    assert answer.status_code == 401


async def test_a_revoked_token_is_refused_from_then_on(api: AdminApi):
    token = api.token(name="Old")
    assert (await api.call("GET", "/settings", token)).status_code == 200
    await api.call("DELETE", "/admin-tokens/Old", api.token(name="New"))
    assert (await api.call("GET", "/settings", token)).status_code == 401


async def test_its_last_use_is_known_and_moves_no_revision(api: AdminApi):
    token = api.token(name="Used")
    revision = api.store.revision()
    await api.call("GET", "/settings", token)
    (kept,) = api.store.admin_tokens.all()
    assert kept.used_at is not None
    assert api.store.revision() == revision


async def test_a_use_within_the_same_minute_writes_nothing(api: AdminApi):
    token = api.token()
    await api.call("GET", "/settings", token)
    (kept,) = api.store.admin_tokens.all()
    assert kept.used_at is not None
    api.store.admin_tokens.note_use(kept.id, now=kept.used_at + 59)
    assert api.store.admin_tokens.all() == [kept]


async def test_a_wrong_token_slows_down_who_shows_it_and_nobody_else(api: AdminApi):
    token = api.token()
    for _ in range(int(FAILURES.burst)):
        await api.call("GET", "/settings", "nonsense")
    waiting = asyncio.create_task(api.call("GET", "/settings", "nonsense"))
    assert (await api.call("GET", "/settings", token)).status_code == 200
    assert not waiting.done()
    waiting.cancel()


async def test_too_many_wrong_tokens_at_a_time_are_turned_away(api: AdminApi):
    guesses = [asyncio.create_task(api.call("GET", "/settings", "nonsense")) for _ in range(int(FAILURES.burst) + 10)]
    await eventually(lambda: any(one.done() and one.result().status_code == 429 for one in guesses))
    for one in guesses:
        one.cancel()


async def test_a_token_makes_no_token_that_may_more(api: AdminApi):
    token = api.token(AdminScope.TOKENS_WRITE, AdminScope.CLIENTS_READ)
    body = {"name": "Child", "scopes": ["clients:write", "clients:read"], "lifetime_seconds": HOUR}
    answer = await api.call("POST", "/admin-tokens", token, json=body)
    assert answer.status_code == 422
    assert problems(answer) == [("Scopes", "clients:write is more than 'Program' may do.")]


async def test_a_token_makes_no_token_that_lives_longer(api: AdminApi):
    token = api.token(lifetime_seconds=2 * HOUR)
    body = {"name": "Child", "scopes": ["clients:read"], "lifetime_seconds": 2 * HOUR + 60}
    answer = await api.call("POST", "/admin-tokens", token, json=body)
    assert problems(answer) == [("Lifetime", "It would outlive 'Program', which makes it.")]


async def test_what_a_revoked_token_has_made_goes_with_it(api: AdminApi):
    """Who stole a token must not keep what it opened in a copy."""
    parent = api.token(name="Parent")
    body = {"name": "Child", "scopes": ["settings:read", "tokens:write"], "lifetime_seconds": HOUR + 1_800}
    child = (await api.call("POST", "/admin-tokens", parent, json=body)).json()["admin_token"]
    body = {"name": "Grandchild", "scopes": ["settings:read"], "lifetime_seconds": HOUR}
    grandchild = (await api.call("POST", "/admin-tokens", child, json=body)).json()["admin_token"]
    revoked = await asyncio.to_thread(admin_tokens.revoke_token, api.context(), "Parent")
    assert [one.name for one in revoked] == ["Parent", "Child", "Grandchild"]
    assert (await api.call("GET", "/settings", grandchild)).status_code == 401


async def test_a_token_is_listed_without_itself(api: AdminApi):
    token = api.token(AdminScope.TOKENS_READ)
    answer = await api.call("GET", "/admin-tokens", token)
    assert token not in answer.text
    (listed,) = answer.json()["items"]
    assert (listed["name"], listed["scopes"], listed["created_by"]) == ("Program", ["tokens:read"], "test")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"name": "", "scopes": ["clients:read"]}, "Name", id="no name"),
        pytest.param({"name": "a\nb", "scopes": ["clients:read"]}, "Name", id="a name of two lines"),
        pytest.param({"name": "program", "scopes": ["clients:read"]}, "Name", id="the name of another"),
        pytest.param({"name": "Child", "scopes": []}, "Scopes", id="no scope"),
        pytest.param({"name": "Child", "scopes": ["clients:*"]}, "Scopes", id="a scope that is none"),
        pytest.param({"name": "C", "scopes": ["clients:read"], "lifetime_seconds": 3599}, "Lifetime", id="too short"),
        pytest.param(
            {"name": "C", "scopes": ["clients:read"], "lifetime_seconds": 366 * 86_400 + 1}, "Lifetime", id="too long"
        ),
    ],
)
async def test_a_token_that_cannot_be_made_is_explained(api: AdminApi, body: dict[str, Any], field: str):
    token = api.token(lifetime_seconds=366 * 86_400)
    answer = await api.call("POST", "/admin-tokens", token, json={"lifetime_seconds": HOUR, **body})
    assert answer.status_code == 422
    assert [name for name, _ in problems(answer)] == [field]


async def test_making_and_revoking_a_token_is_audited_without_it(api: AdminApi):
    token = api.token(name="Deployment")
    await asyncio.to_thread(admin_tokens.revoke_token, api.context(), "Deployment")
    revoked, created = api.store.audit_events(limit=2)
    assert (created.type, revoked.type) == (AuditEventType.ADMIN_TOKEN_CREATED, AuditEventType.ADMIN_TOKEN_REVOKED)
    assert token not in repr((created, revoked))


async def test_no_token_is_in_the_database_as_it_is(api: AdminApi):
    token = api.token()
    assert token.encode() not in b"".join(
        file.read_bytes() for file in api.settings.database_path.parent.glob("app-connect.db*")
    )


# -- the document -----------------------------------------------------------------------------------------------------


async def test_the_document_is_valid_openapi_and_names_every_operation(api: AdminApi):
    document = (await api.call("GET", "/openapi.json", api.token())).json()
    validate(document)
    assert document["openapi"].startswith("3.1.")
    named = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert named == {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize("scope", AdminScope)
async def test_the_document_is_for_every_scope(api: AdminApi, scope: AdminScope):
    assert (await api.call("GET", "/openapi.json", api.token(scope))).status_code == 200


async def test_the_document_is_not_for_everybody(api: AdminApi):
    assert (await api.call("GET", "/openapi.json", None)).status_code == 401


@EVERY_OPERATION
async def test_the_document_describes_every_field(operation: AnyOperation):
    described: dict[str, Any] = document()["paths"][operation.path][operation.method.lower()]
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    fields = {one["name"]: one for one in described.get("parameters", [])} | body.get("properties", {})
    assert set(fields) == {field.name for field in dataclasses.fields(operation.takes)}
    assert [name for name, field in fields.items() if not field["description"]] == []


@EVERY_OPERATION
async def test_what_an_operation_gives_is_what_the_document_says(api: AdminApi, operation: AnyOperation):
    answer = (await perform(api, operation, api.token())).json()
    content = document()["paths"][operation.path][operation.method.lower()]["responses"][str(operation.status)]
    name = content["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = document()["components"]["schemas"][name]
    assert set(answer) == set(schema["properties"])
    assert [field for field, one in schema["properties"].items() if not one.get("description")] == []
