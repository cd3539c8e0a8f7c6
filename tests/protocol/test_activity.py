"""Activity, from the request to the database: what is kept, what is counted, and what a request never waits for.

A gateway that ends writes what it has; so each test lets one serve, and then reads.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from appconnect.control import activity
from appconnect.control.clients import Draft, edit_client
from appconnect.control.context import Context
from appconnect.control.switches import set_api
from appconnect.control_plane import clock, control_context, open_store
from appconnect.core.activity import DAY_SECONDS, ClientUse, Health, Refusal, hour_of
from appconnect.settings import Settings
from tests.protocol.conftest import (
    BACKEND,
    HANGING_UP,
    INTROSPECT,
    POSTS,
    SILENCE,
    STRANGER,
    TOKEN,
    Recorder,
    Running,
    eventually,
    reply,
    running,
)

ME: Final = "/wp-json/wp/v2/users/me"
GET_POSTS: Final = f"GET {POSTS}"
Act = Callable[[Running], Awaitable[Any]]
After = Callable[[Act], Awaitable[Context]]


@pytest.fixture
def after(settings: Settings, upstream: Recorder) -> After:
    """Lets a gateway serve what `act` does, ends it, and gives the control plane of then."""

    async def serve(act: Act, **changed: Any) -> Context:
        chosen = replace(settings, **changed)
        async with running(chosen, upstream.url) as gateway:
            await act(gateway)
        return control_context(chosen, open_store(chosen), actor="test")

    return serve


def asking(path: str, method: str = "GET", **options: Any) -> Act:
    """One request of `backend` with a token."""

    async def act(gateway: Running) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await gateway.token()}", **options.pop("headers", {})}
        return await gateway.http.request(method, path, headers=headers, **options)

    return act


def files_of(settings: Settings) -> list[Path]:
    return list(settings.database_path.parent.glob("app-connect.db*"))


def only(context: Context) -> Refusal:
    (refusal,) = activity.refusals(context).items
    return refusal


def use_of(context: Context, client_id: str | None = BACKEND.id) -> ClientUse:
    (step,) = activity.usage(context, client_id, since=clock() - 20 * DAY_SECONDS).steps
    return replace(step.use, last_at=0)


# -- what is allowed --------------------------------------------------------------------------------------------------


async def test_an_allowed_request_counts_for_its_client_and_its_rule(after: After):
    context = await after(asking(POSTS))
    assert use_of(context) == ClientUse(tokens=1, allowed=1)
    report = activity.rule_reports(context, BACKEND.id)[0]
    assert (str(report.rule), report.requests, report.last_hour) == (GET_POSTS, 1, hour_of(clock()))
    assert activity.refusals(context).items == ()


async def test_what_wordpress_forbids_is_an_allowed_request(after: After, upstream: Recorder):
    """The allowlist let it pass; the answer is WordPress's."""
    upstream.replies = [reply(b"{}", status="403 Forbidden")]
    context = await after(asking(POSTS))
    assert use_of(context) == ClientUse(tokens=1, allowed=1)


async def test_a_request_that_is_sent_again_after_its_credential_was_replaced_is_one(after: After, upstream: Recorder):
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [reply(b"[]", is_anonymous=True), reply(b"[]")]
    context = await after(asking(POSTS))
    assert len(upstream.requests) == 2
    assert use_of(context) == ClientUse(tokens=1, allowed=1)


async def test_a_client_that_leaves_while_it_is_answered_had_an_allowed_request(after: After, upstream: Recorder):
    upstream.replies, leaves = [SILENCE], asyncio.Event()

    async def act(gateway: Running) -> None:
        exchange = asyncio.create_task(gateway.exchange("GET", POSTS, token=await gateway.token(), leaves=leaves))
        await eventually(lambda: len(upstream.requests) == 1)
        leaves.set()
        await exchange

    assert use_of(await after(act)) == ClientUse(tokens=1, allowed=1)


async def test_the_last_use_of_each_secret_is_known(after: After):
    begun = clock()
    context = await after(asking(POSTS))
    found = activity.client_activity(context)
    assert [use.last_at is not None and use.last_at >= begun for use in found[BACKEND.id].secrets] == [True]
    assert [use.last_at for use in found[STRANGER.id].secrets] == [None]


async def test_introspection_is_a_use_of_the_secret_too(after: After):
    async def act(gateway: Running) -> None:
        await gateway.http.post(INTROSPECT, auth=STRANGER.basic, data={"token": "x"})

    found = activity.client_activity(await after(act))[STRANGER.id]
    assert found.secrets[0].last_at is not None
    assert found.last_at is not None


async def test_the_health_of_a_credential_is_known_and_since_when(after: After, upstream: Recorder):
    begun = clock()

    async def act(gateway: Running) -> None:
        await asking(POSTS)(gateway)
        await eventually(lambda: upstream.wordpress.checks == 1)
        await eventually(lambda: not [task for task in asyncio.all_tasks() if "CredentialHealth" in repr(task)])

    check = activity.client_activity(await after(act))[BACKEND.id].check
    assert check is not None
    assert check.health is Health.HEALTHY
    assert begun <= check.since <= clock()


# -- what is refused --------------------------------------------------------------------------------------------------


async def test_a_refusal_has_the_whole_request_and_the_rule_that_would_have_allowed_it(after: After):
    begun = clock()
    refusal = only(await after(asking(f"{ME}?context=edit")))
    assert begun <= refusal.at <= clock()
    assert replace(refusal, at=0) == Refusal(
        0, BACKEND.id, "no_rule", "GET", ME, "context=edit", f"GET {ME}", "192.0.2.1", True
    )


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/wp-json/wp/v2/pages", "no_rule"),
        ("POST", "/wp-json/wp/v2/users", "power_route"),
        ("GET", f"{POSTS}?_embed=1", "embed_off"),
        ("GET", "/wp-json/wp/v2//posts", "malformed_path"),
        ("GET", f"{POSTS}?_method=PUT&_method=GET", "ambiguous_method"),
        ("GET", "/wp-admin/", "not_a_rest_route"),
    ],
)
async def test_each_reason_is_kept(after: After, method: str, path: str, code: str):
    context = await after(asking(path, method))
    refusal = only(context)
    assert (refusal.client_id, refusal.code, refusal.method) == (BACKEND.id, code, method)
    assert use_of(context) == ClientUse(tokens=1, refused=1)


async def test_a_request_is_kept_by_its_one_meaning(after: After):
    """As the editor and "Try a request" will show it, whatever it looked like on the wire."""
    refusal = only(await after(asking("/?rest_route=/wp/v2/users/me&_method=DELETE&a=b", "POST")))
    assert (refusal.method, refusal.path, refusal.query) == ("DELETE", ME, "a=b")


async def test_of_a_batch_the_request_inside_is_kept(after: After):
    async def act(gateway: Running) -> None:
        await gateway.change(edit_client, BACKEND.id, Draft(allow=["POST /wp-json/batch/v1"]))
        parts = [{"method": "POST", "path": "/wp/v2/posts"}, {"method": "DELETE", "path": "/wp/v2/users/1"}]
        await asking("/wp-json/batch/v1", "POST", json={"requests": parts})(gateway)

    refusal = only(await after(act))
    assert (refusal.method, refusal.path) == ("DELETE", "/wp-json/wp/v2/users/1")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(HANGING_UP, "upstream_broken", id="broken"),
        pytest.param(
            reply(b"<p>", ("Content-Type", "text/html"), status="502 Bad Gateway"), "upstream_page", id="page"
        ),
    ],
)
async def test_a_request_that_wordpress_did_not_answer_is_kept(
    after: After, upstream: Recorder, answer: Any, code: str
):
    upstream.otherwise = answer
    context = await after(asking(POSTS))
    assert (only(context).code, only(context).path) == (code, POSTS)
    assert use_of(context) == ClientUse(tokens=1, refused=1)


async def test_an_unreachable_wordpress_is_kept(settings: Settings):
    async with running(settings, "http://127.0.0.1:1") as gateway:
        await asking(POSTS)(gateway)
    assert only(gateway.context).code == "upstream_unreachable"


async def test_a_lost_credential_is_kept(after: After, upstream: Recorder):
    upstream.wordpress.lose(BACKEND)
    upstream.wordpress.makes_passwords = False
    upstream.replies = [reply(b"[]", is_anonymous=True)]
    context = await after(asking(POSTS))
    assert only(context).code == "upstream_credential"
    check = activity.client_activity(context)[BACKEND.id].check
    assert check is not None
    assert check.health is Health.LOST


async def test_a_request_beyond_the_clients_places_is_kept(settings: Settings, upstream: Recorder):
    upstream.replies = [SILENCE]
    few = replace(settings, max_in_flight_per_client=1, max_wait_seconds=0.05)
    async with running(few, upstream.url) as gateway:
        holding = asyncio.create_task(gateway.exchange("GET", POSTS, token=await gateway.token()))
        await eventually(lambda: len(upstream.requests) == 1)
        await asking(POSTS)(gateway)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
    assert only(gateway.context).code == "too_many_requests"


async def test_the_switched_off_api_is_kept(after: After):
    async def act(gateway: Running) -> None:
        token = await gateway.token()
        await gateway.change(set_api, is_enabled=False)
        await gateway.get(token)
        await gateway.request_token()

    found = activity.refusals(await after(act)).items
    assert [refusal.code for refusal in found] == ["temporarily_unavailable", "api_disabled"]


# -- by whom ----------------------------------------------------------------------------------------------------------


async def test_a_token_that_no_longer_counts_is_kept_under_the_client_that_it_names(after: After):
    async def act(gateway: Running) -> None:
        await gateway.get(gateway.forge(expires_at=clock() - 1))

    context = await after(act)
    assert (only(context).client_id, only(context).code) == (BACKEND.id, "invalid_token")
    assert activity.client_activity(context)[BACKEND.id].last_at is None  # nobody has proven to be backend


async def test_a_token_that_names_nobody_we_know_is_kept_without_a_client(after: After):
    async def act(gateway: Running) -> None:
        await gateway.get(gateway.forge(client_id="ac_unknown"))
        await gateway.get("nonsense")

    found = activity.refusals(await after(act)).items
    assert [(refusal.client_id, refusal.code) for refusal in found] == [(None, "invalid_token")] * 2


async def test_a_wrong_secret_is_kept_under_the_client_without_being_a_use_of_it(after: After):
    async def act(gateway: Running) -> None:
        await gateway.request_token(replace(BACKEND, secret="wrong"))

    context = await after(act)
    assert replace(only(context), at=0) == Refusal(
        0, BACKEND.id, "invalid_client", "POST", TOKEN, "", None, "192.0.2.1"
    )
    found = activity.client_activity(context)[BACKEND.id]
    assert (found.last_at, found.secrets[0].last_at) == (None, None)


async def test_an_unknown_client_id_is_never_kept(after: After, settings: Settings):
    """It may be anything that somebody typed, a secret among it."""

    async def act(gateway: Running) -> None:
        await gateway.request_token(replace(BACKEND, id="ac_of-nobody"))

    context = await after(act)
    assert (only(context).client_id, only(context).code) == (None, "invalid_client")
    assert not any(b"ac_of-nobody" in file.read_bytes() for file in files_of(settings))


async def test_an_error_of_an_authenticated_client_at_the_token_endpoint_is_kept(after: After):
    async def act(gateway: Running) -> None:
        await gateway.request_token(scope="posts")

    context = await after(act)
    assert (only(context).client_id, only(context).code) == (BACKEND.id, "invalid_scope")
    assert use_of(context) == ClientUse(refused=1)
    assert activity.client_activity(context)[BACKEND.id].secrets[0].last_at is not None


async def test_a_secret_in_the_address_is_not_kept(after: After):
    async def act(gateway: Running) -> None:
        await gateway.http.post(f"{TOKEN}?client_secret={BACKEND.secret}&a=1")

    refusal = only(await after(act))
    assert (refusal.code, refusal.query) == ("invalid_request", "client_secret=[redacted]&a=1")


async def test_credentials_in_the_wrong_place_are_kept_as_a_mistake(after: After):
    async def act(gateway: Running) -> None:
        await gateway.http.get(POSTS, auth=BACKEND.basic)

    refusal = only(await after(act))
    assert (refusal.client_id, refusal.code) == (None, "token_required")


async def test_of_visitors_nothing_is_kept(after: After, upstream: Recorder):
    async def act(gateway: Running) -> None:
        await gateway.http.get("/")
        await gateway.http.get("/wp-login.php", headers={"Cookie": "a=b"})
        await gateway.http.get(TOKEN)

    context = await after(act)
    assert activity.refusals(context).items == ()
    assert activity.usage(context, None, since=0).steps == ()


async def test_of_a_passed_on_visitor_that_wordpress_does_not_answer_nothing_is_kept(
    settings: Settings, upstream: Recorder
):
    upstream.otherwise = HANGING_UP
    async with running(replace(settings, untokened="pass"), upstream.url) as gateway:
        assert (await gateway.http.get("/")).status_code == 502
    assert activity.refusals(gateway.context).items == ()


# -- beside the requests ----------------------------------------------------------------------------------------------


async def test_recording_moves_no_revision(gateway: Running, token: str):
    """A revision makes every worker load all it knows anew."""
    before = gateway.store.revision()
    await gateway.get(token)
    await gateway.get(token, ME)
    await eventually(lambda: len(activity.refusals(gateway.context).items) == 1)
    assert gateway.store.revision() == before


async def test_without_the_database_requests_are_served_and_nothing_of_them_is_lost(
    settings: Settings, upstream: Recorder, capsys: pytest.CaptureFixture[str]
):
    """No part of an answer needs it; what was recorded waits, and is there when it is back."""
    home, away = settings.database_path.parent, settings.database_path.parent / "away"
    async with running(settings, upstream.url) as gateway:
        token = await gateway.token()
        move_database(home, away)
        assert (await gateway.get(token)).status_code == 200
        assert (await gateway.get(token, ME)).status_code == 403
        await eventually(lambda: "activity cannot be written" in capsys.readouterr().err)
        move_database(away, home)
    assert only(gateway.context).code == "no_rule"
    assert use_of(gateway.context) == ClientUse(tokens=1, allowed=1, refused=1)


async def test_a_worker_that_ends_without_the_database_says_that_it_loses_what_it_has(
    settings: Settings, upstream: Recorder, capsys: pytest.CaptureFixture[str]
):
    home = settings.database_path.parent
    async with running(settings, upstream.url) as gateway:
        await gateway.token()
        move_database(home, home / "away")
    assert "activity that waited in memory is lost" in capsys.readouterr().err


def move_database(old: Path, new: Path) -> None:
    new.mkdir(exist_ok=True)
    for file in old.glob("app-connect.db*"):
        with suppress(FileNotFoundError):  # SQLite removes its own when the last connection closes
            file.rename(new / file.name)


async def test_several_workers_add_up(settings: Settings, upstream: Recorder):
    async with running(settings, upstream.url) as one, running(settings, upstream.url) as other:
        await asking(POSTS)(one)
        await asking(POSTS)(other)
    assert use_of(one.context) == ClientUse(tokens=2, allowed=2)
    assert activity.rule_reports(one.context, BACKEND.id)[0].requests == 2
