"""Who was an administrator and is none any more: their sessions and their tokens go with them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from appconnect.control import sessions
from appconnect.control.admin_tokens import create_token, known_token, living_tokens
from appconnect.control.context import Context
from appconnect.control_plane import clock
from appconnect.core.admin_tokens import AdminScope, AdminToken
from appconnect.core.audit import AuditEventType
from appconnect.core.sessions import UNREACHABLE_SECONDS, UNVOUCHED_SECONDS
from appconnect.ports import WordPressUser
from tests.protocol.admin import Users
from tests.protocol.conftest import Recorder, Running, basic

BOSS = WordPressUser(3, "boss", "", "", frozenset(("administrator",)), frozenset(("manage_options",)))
HELD = dict.fromkeys(("manage_options", "list_users", "edit_users"), True)
MINUTE = 61

At = Callable[[int], Context]


@pytest.fixture
def wordpress(upstream: Recorder) -> Users:
    users = Users()
    users.users[3] = {"id": 3, "username": "boss", "roles": ["administrator"], "capabilities": HELD}
    upstream.wordpress = users
    return users


@pytest.fixture
def at(wordpress: Users, gateway: Running) -> At:
    """The control plane so many seconds later; WordPress is asked in a thread, as the console does."""
    begun = clock()
    return lambda seconds: replace(gateway.context, clock=lambda: begun + seconds, actor="console:boss")


def demote(wordpress: Users) -> None:
    wordpress.users[3] = {"id": 3, "username": "boss", "roles": ["editor"], "capabilities": {"edit_posts": True}}


def lose_our_credential(wordpress: Users) -> None:
    del wordpress.passwords[basic("admin", "adminpass")]


async def found(gateway: Running, context: Context, token: str) -> bool:
    return await gateway.change(lambda _: sessions.find_session(context, token)) is not None


# -- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_session_goes_on_as_long_as_its_user_is_an_administrator(gateway, at):
    token = sessions.begin(at(0), BOSS, browser="Firefox").token

    assert [await found(gateway, at(seconds), token) for seconds in (MINUTE, 2 * MINUTE, 3_600)] == [True] * 3


async def test_a_session_ends_within_a_minute_of_a_demotion_and_says_why(gateway, wordpress, at):
    token = sessions.begin(at(0), BOSS, browser="Firefox").token
    demote(wordpress)

    assert await found(gateway, at(MINUTE - 2), token)
    assert not await found(gateway, at(MINUTE), token)
    event = gateway.store.audit_events(limit=1)[0]
    assert (event.type, event.subject) == (AuditEventType.SESSION_ENDED, "boss")
    assert event.details == "no administrator of the site any more"


async def test_a_session_ends_with_its_user(gateway, wordpress, at):
    token = sessions.begin(at(0), BOSS, browser="Firefox").token
    del wordpress.users[3]
    wordpress.users[3] = {"id": 9, "username": "boss", "roles": [], "capabilities": {}}

    assert not await found(gateway, at(MINUTE), token)


async def test_while_wordpress_is_away_a_session_goes_on_for_an_hour(gateway, wordpress, at):
    token = sessions.begin(at(0), BOSS, browser="Firefox").token
    wordpress.is_away = True

    assert await found(gateway, at(UNREACHABLE_SECONDS - 1), token)
    assert not await found(gateway, at(UNREACHABLE_SECONDS + MINUTE), token)


async def test_without_our_own_credential_a_session_goes_on_for_ten_minutes(gateway, wordpress, at):
    """Whoever is about to be demoted could take it away first."""
    token = sessions.begin(at(0), BOSS, browser="Firefox").token
    lose_our_credential(wordpress)

    assert await found(gateway, at(UNVOUCHED_SECONDS - 1), token)
    assert not await found(gateway, at(UNVOUCHED_SECONDS + MINUTE), token)


async def test_wordpress_is_asked_once_a_minute_even_when_it_does_not_answer(gateway, wordpress, at):
    token = sessions.begin(at(0), BOSS, browser="Firefox").token
    lose_our_credential(wordpress)

    await found(gateway, at(MINUTE), token)
    asked = len(wordpress.asked)
    await found(gateway, at(MINUTE + 30), token)

    assert len(wordpress.asked) == asked


# -- administrator tokens ---------------------------------------------------------------------------------------------


async def token_of(gateway: Running, context: Context, name: str, maker: AdminToken | None = None) -> str:
    made = await gateway.change(
        lambda _: create_token(
            context, name=name, scopes=list(AdminScope), lifetime_seconds=3_600 if maker else 86_400, maker=maker
        )
    )
    return str(made.secret.reveal())


async def known(gateway: Running, context: Context, secret: str) -> AdminToken | None:
    token: AdminToken | None = await gateway.change(lambda _: known_token(context, secret))
    return token


async def test_a_token_goes_with_the_administrator_who_made_it(gateway, wordpress, at):
    secret = await token_of(gateway, at(0), "Deployment")
    assert await known(gateway, at(1), secret) is not None
    demote(wordpress)

    assert await known(gateway, at(1 + MINUTE), secret) is None
    assert living_tokens(at(1 + MINUTE)) == []


async def test_a_token_that_a_token_made_goes_with_them_too(gateway, wordpress, at):
    parent = await known(gateway, at(1), await token_of(gateway, at(0), "Deployment"))
    child = await token_of(gateway, replace(at(1), actor="api:Deployment"), "Child", parent)
    demote(wordpress)

    assert await known(gateway, at(2), child) is None


async def test_a_token_of_the_operator_stands_on_nobody_in_wordpress(gateway, wordpress, at):
    secret = await token_of(gateway, replace(at(0), actor="cli:root"), "Deployment")
    demote(wordpress)
    wordpress.is_away = True

    assert await known(gateway, at(UNREACHABLE_SECONDS + MINUTE), secret) is not None


async def test_a_token_outlives_a_wordpress_that_is_away_by_an_hour(gateway, wordpress, at):
    secret = await token_of(gateway, at(0), "Deployment")
    wordpress.is_away = True

    assert await known(gateway, at(UNREACHABLE_SECONDS - 1), secret) is not None
    assert await known(gateway, at(UNREACHABLE_SECONDS + MINUTE), secret) is None
