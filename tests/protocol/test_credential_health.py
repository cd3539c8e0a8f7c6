"""Credential health: WordPress answers a lost application password as it answers a visitor, with 200.

What looks as if it were for a visitor is passed on only once WordPress has said that the credential is right.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from appconnect.control.context import Context
from appconnect.core.keys import KeyRing
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteSwitches, Snapshot, UpstreamCredential
from appconnect.gateway.credentials import CHECK_INTERVAL_SECONDS, LOST_INTERVAL_SECONDS, CredentialHealth
from appconnect.ports import Health
from appconnect.settings import Settings
from tests.protocol.conftest import (
    BACKEND,
    POSTS,
    STRANGER,
    Recorder,
    Reply,
    Running,
    basic,
    eventually,
    reply,
    running,
    upstream_password,
)

MAKE = "POST /wp-json/wp/v2/users/2/application-passwords as admin"
REMOVE = "DELETE /wp-json/wp/v2/users/2/application-passwords/u1 as admin"
FOR_A_VISITOR = reply(b'["public"]', is_anonymous=True)
FOR_THE_AUTHOR = reply(b'["private"]')
UNAUTHORIZED = reply(b'{"code":"rest_forbidden"}', status="401 Unauthorized")


@pytest.fixture
async def checked(gateway: Running, upstream: Recorder, token: str) -> Running:
    """A gateway whose check of the first use, in the background, is over."""
    await gateway.get(token)
    await eventually(lambda: upstream.wordpress.checks == 1)
    await asyncio.gather(*_checks_under_way())
    upstream.requests.clear()
    return gateway


def _checks_under_way() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if "CredentialHealth._run" in repr(task.get_coro())]


# -- a credential that is right ---------------------------------------------------------------------------------------


async def test_an_answer_for_a_logged_in_user_needs_no_check(checked: Running, upstream: Recorder, token: str):
    upstream.replies = [FOR_THE_AUTHOR]
    assert (await checked.get(token)).json() == ["private"]
    assert upstream.wordpress.checks == 1


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(FOR_A_VISITOR, id="without no-cache"),
        pytest.param(reply(b'["public"]', ("Cache-Control", "max-age=600")), id="for caches"),
        pytest.param(reply(b'["public"]', status="404 Not Found", is_anonymous=True), id="not found"),
    ],
)
async def test_an_answer_that_looks_anonymous_is_passed_on_after_a_check(
    checked: Running, upstream: Recorder, token: str, said: Reply
):
    upstream.replies = [said]
    assert (await checked.get(token)).json() == ["public"]
    assert upstream.wordpress.checks == 2


async def test_a_401_is_passed_on_after_a_check(checked: Running, upstream: Recorder, token: str):
    """A route may have reasons of its own."""
    upstream.replies = [UNAUTHORIZED]
    answer = await checked.get(token)
    assert (answer.status_code, answer.json()) == (401, {"code": "rest_forbidden"})
    assert upstream.wordpress.checks == 2


async def test_a_403_to_a_logged_in_user_needs_no_check(checked: Running, upstream: Recorder, token: str):
    upstream.replies = [reply(b"{}", status="403 Forbidden")]
    assert (await checked.get(token)).status_code == 403
    assert upstream.wordpress.checks == 1


async def test_an_error_of_the_server_needs_no_check(checked: Running, upstream: Recorder, token: str):
    """It says nothing to anybody."""
    upstream.replies = [reply(b"Oops", status="500 Internal Server Error", is_anonymous=True)]
    assert (await checked.get(token)).status_code == 500
    assert upstream.wordpress.checks == 1


async def test_the_first_use_is_checked_in_the_background(gateway: Running, upstream: Recorder, token: str):
    """The request does not wait for it."""
    upstream.wordpress.gate = asyncio.Event()
    assert (await gateway.get(token)).status_code == 200
    await eventually(lambda: upstream.wordpress.checks == 1)
    upstream.wordpress.gate.set()


async def test_the_next_use_within_a_minute_is_not(checked: Running, upstream: Recorder, token: str):
    await checked.get(token)
    await checked.get(token)
    assert upstream.wordpress.checks == 1


# -- one that is lost and can be replaced -----------------------------------------------------------------------------


async def test_a_safe_request_is_repeated_with_the_new_credential(checked: Running, upstream: Recorder, token: str):
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [FOR_A_VISITOR, FOR_THE_AUTHOR]
    assert (await checked.get(token)).json() == ["private"]
    first, second = upstream.requests
    assert first.credential == basic("author", upstream_password(BACKEND))
    assert upstream.wordpress.passwords[second.credential] == 2


async def test_a_401_is_repeated_too(checked: Running, upstream: Recorder, token: str):
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [UNAUTHORIZED, FOR_THE_AUTHOR]
    assert (await checked.get(token)).json() == ["private"]


async def test_an_unsafe_request_is_not_repeated_and_the_client_is_told(
    checked: Running, upstream: Recorder, token: str
):
    """It may have had an effect."""
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [UNAUTHORIZED]
    answer = await checked.exchange("POST", POSTS, token=token)
    assert (answer.status, answer.code) == (502, "app_connect_upstream_credential")
    assert answer.values("retry-after") == [b"1"]
    assert len(upstream.requests) == 1


async def test_sent_again_the_unsafe_request_goes_on_with_the_new_credential(
    checked: Running, upstream: Recorder, token: str
):
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [UNAUTHORIZED]
    await checked.exchange("POST", POSTS, token=token)
    assert (await checked.exchange("POST", POSTS, token=token)).status == 200
    assert upstream.wordpress.passwords[upstream.requests[-1].credential] == 2


async def test_a_loss_that_the_background_check_finds_first_is_no_reason_to_pass_the_answer_on(
    gateway: Running, upstream: Recorder, token: str
):
    """By the time of the second check the credential is right, but it is not the one that was answered."""
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [FOR_A_VISITOR, FOR_THE_AUTHOR]
    assert (await gateway.get(token)).json() == ["private"]


async def test_the_lost_password_is_removed_from_wordpress(checked: Running, upstream: Recorder, token: str):
    """Nothing is orphaned, even where the loss was not a removal."""
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [FOR_A_VISITOR]
    await checked.get(token)
    assert (upstream.wordpress.asked.count(MAKE), upstream.wordpress.asked.count(REMOVE)) == (1, 1)


async def test_a_credential_that_became_that_of_another_user_is_replaced(
    checked: Running, upstream: Recorder, token: str
):
    upstream.wordpress.passwords[basic("author", upstream_password(BACKEND))] = 1
    upstream.replies = [FOR_A_VISITOR, FOR_THE_AUTHOR]
    assert (await checked.get(token)).json() == ["private"]
    assert upstream.wordpress.asked.count(MAKE) == 1


async def test_the_other_client_keeps_its_own(checked: Running, upstream: Recorder, token: str):
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [FOR_A_VISITOR]
    await checked.get(token)
    await checked.get(await checked.token(STRANGER))
    assert upstream.requests[-1].credential == basic("author", upstream_password(STRANGER))


# -- one that cannot be replaced --------------------------------------------------------------------------------------


def refuse_new_passwords(upstream: Recorder) -> None:
    upstream.wordpress.makes_passwords = False


def lose_the_administrator(upstream: Recorder) -> None:
    del upstream.wordpress.passwords[basic("admin", "adminpass")]


irreparable = pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(refuse_new_passwords, id="WordPress makes no new one"),
        pytest.param(lose_the_administrator, id="the administrator's is lost too"),
    ],
)


@irreparable
async def test_a_credential_that_cannot_be_replaced_is_told(
    checked: Running, upstream: Recorder, token: str, spoil: Any
):
    upstream.wordpress.lose(BACKEND)
    spoil(upstream)
    upstream.replies = [FOR_A_VISITOR]
    answer = await checked.get(token)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_connect_upstream_credential")
    assert "app-connect status" in answer.json()["message"]


@irreparable
async def test_while_it_is_lost_nothing_is_sent_and_nothing_is_tried(
    checked: Running, upstream: Recorder, token: str, spoil: Any
):
    upstream.wordpress.lose(BACKEND)
    spoil(upstream)
    upstream.replies = [FOR_A_VISITOR]
    await checked.get(token)
    asked = list(upstream.wordpress.asked)
    answers = [await checked.exchange("GET", POSTS, token=token) for _ in range(5)]
    assert {answer.code for answer in answers} == {"app_connect_upstream_credential"}
    assert (len(upstream.requests), upstream.wordpress.asked) == (1, asked)


@irreparable
async def test_nothing_is_orphaned_in_wordpress(checked: Running, upstream: Recorder, token: str, spoil: Any):
    upstream.wordpress.lose(BACKEND)
    spoil(upstream)
    upstream.replies = [FOR_A_VISITOR]
    before = dict(upstream.wordpress.passwords)
    await checked.get(token)
    assert upstream.wordpress.passwords == before


async def test_a_password_that_was_pasted_in_is_not_replaced(checked: Running, upstream: Recorder, token: str):
    """We were given it where we may not make one."""
    await checked.change(say_that_it_was_pasted)
    upstream.wordpress.lose(BACKEND)
    upstream.replies = [FOR_A_VISITOR]
    assert (await checked.get(token)).json()["code"] == "app_connect_upstream_credential"
    assert MAKE not in upstream.wordpress.asked


def say_that_it_was_pasted(context: Context) -> None:
    with context.store.transaction() as transaction:
        for password in context.store.application_passwords():
            transaction.save_application_password(replace(password, is_ours=False))


async def test_another_client_is_not_touched(checked: Running, upstream: Recorder, token: str):
    upstream.wordpress.lose(BACKEND)
    refuse_new_passwords(upstream)
    upstream.replies = [FOR_A_VISITOR]
    await checked.get(token)
    assert (await checked.get(await checked.token(STRANGER))).status_code == 200


async def test_while_wordpress_cannot_be_asked_the_answer_is_not_passed_on(
    checked: Running, upstream: Recorder, token: str
):
    """In doubt, an answer for a visitor is none for the client."""
    upstream.wordpress.is_away = True
    upstream.replies = [FOR_A_VISITOR]
    answer = await checked.get(token)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_connect_upstream_unchecked")


async def test_while_wordpress_cannot_be_asked_no_credential_is_replaced(
    checked: Running, upstream: Recorder, token: str
):
    upstream.wordpress.is_away = True
    upstream.replies = [FOR_A_VISITOR, FOR_THE_AUTHOR]
    await checked.get(token)
    upstream.wordpress.is_away = False
    assert (await checked.get(token)).json() == ["private"]
    assert MAKE not in upstream.wordpress.asked


# -- many at once -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def crowded(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    async with running(replace(settings, max_in_flight_per_client=20), upstream.url) as application:
        yield application


async def test_many_answers_in_doubt_share_a_check(crowded: Running, upstream: Recorder):
    """One that is under way may have asked too early; the next is for all."""
    token, wordpress = await crowded.token(), upstream.wordpress
    wordpress.gate, upstream.otherwise = asyncio.Event(), FOR_A_VISITOR
    requests = [asyncio.create_task(crowded.get(token)) for _ in range(20)]
    await eventually(lambda: len(upstream.requests) == 20)
    wordpress.gate.set()
    assert {answer.text for answer in await asyncio.gather(*requests)} == {'["public"]'}
    assert wordpress.checks <= 3


async def test_many_losses_make_one_new_password(crowded: Running, upstream: Recorder):
    token, wordpress = await crowded.token(), upstream.wordpress
    wordpress.gate, upstream.otherwise = asyncio.Event(), FOR_THE_AUTHOR
    upstream.replies = [FOR_A_VISITOR] * 20
    wordpress.lose(BACKEND)
    requests = [asyncio.create_task(crowded.get(token)) for _ in range(20)]
    await eventually(lambda: len(upstream.requests) == 20)
    wordpress.gate.set()
    assert {answer.text for answer in await asyncio.gather(*requests)} == {'["private"]'}
    assert wordpress.asked.count(MAKE) == 1


# -- when to check, by a clock of our own -----------------------------------------------------------------------------


@dataclass
class Timeline:
    """A moment, and what was checked when: a fake of the port that asks WordPress."""

    found: Health = Health.HEALTHY
    now: float = 1000.0
    checked_at: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    async def check(self, _: str) -> Health:
        self.checked_at.append(self.now)
        return self.found


async def test_a_credential_in_use_is_checked_once_a_minute():
    timeline = Timeline()
    credentials = CredentialHealth(timeline.check, timeline.monotonic)
    await _use(credentials, timeline, at=1000)
    await _use(credentials, timeline, at=1000 + CHECK_INTERVAL_SECONDS)
    await _use(credentials, timeline, at=1001 + CHECK_INTERVAL_SECONDS)
    assert timeline.checked_at == [1000, 1001 + CHECK_INTERVAL_SECONDS]


async def test_a_lost_credential_is_tried_again_after_a_while():
    timeline = Timeline(found=Health.LOST)
    credentials = CredentialHealth(timeline.check, timeline.monotonic)
    await credentials.check_now("backend")
    assert credentials.is_lost("backend")
    timeline.now += LOST_INTERVAL_SECONDS
    assert not credentials.is_lost("backend")


async def test_a_change_of_something_else_gives_a_lost_credential_no_second_chance():
    """A replacement that fails is such a change: else every worker would set off every other, again and again."""
    credentials = CredentialHealth(Timeline(found=Health.LOST).check, Timeline().monotonic)
    credentials.note(_snapshot(1, "lost"))
    await credentials.check_now("backend")
    credentials.note(_snapshot(2, "lost"))
    assert credentials.is_lost("backend")


async def test_a_new_credential_is_not_lost():
    credentials = CredentialHealth(Timeline(found=Health.LOST).check, Timeline().monotonic)
    credentials.note(_snapshot(1, "lost"))
    await credentials.check_now("backend")
    credentials.note(_snapshot(2, "pasted"))
    assert not credentials.is_lost("backend")


def _snapshot(revision: int, password: str) -> Snapshot:
    return Snapshot(
        revision=revision,
        public_url="https://your-site.com",
        site=None,
        switches=SiteSwitches(is_api_enabled=True, grant_types=frozenset(), token_lifetime_seconds=3600),
        key_ring=KeyRing(()),
        credentials={"backend": UpstreamCredential("author", Secret(password))},
    )


async def test_a_check_that_could_not_be_made_loses_nothing():
    timeline = Timeline(found=Health.UNKNOWN)
    credentials = CredentialHealth(timeline.check, timeline.monotonic)
    await credentials.check_now("backend")
    assert not credentials.is_lost("backend")


async def _use(credentials: CredentialHealth, timeline: Timeline, *, at: float) -> None:
    timeline.now = at
    credentials.note_use("backend")
    await asyncio.gather(*_checks_under_way())
