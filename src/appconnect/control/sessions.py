"""Who may use the console: the one-time link, signing in through WordPress, and the sessions that follow.

WordPress's approval page proves who somebody is: the application password that comes back was made a moment ago by the
user whom it stands for. It is looked at once and deleted.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from appconnect.control import passwords
from appconnect.control.context import CONSOLE, Context, InputError, NotFoundError
from appconnect.control.setup import require_administrator
from appconnect.control.standing import Standing, is_over, standing_of
from appconnect.core.audit import AuditEventType
from appconnect.core.sessions import LINK_SECONDS, SESSION_SECONDS, SETUP_SECONDS, Session
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import (
    ApplicationPassword,
    OwnPassword,
    PasswordState,
    UpstreamError,
    WordPressUser,
)

MAX_BROWSER_CHARACTERS = 200
USE_SECONDS = 60
"""How exactly it is kept when a session was used last."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has begun, and the token for its cookie."""

    session: Session
    token: str


# -- the one-time link ------------------------------------------------------------------------------------------------


def first_link(context: Context) -> str:
    """The console's address; a new one-time link while there is no site to sign in with.

    A link that was made before no longer counts.
    """
    snapshot = context.store.snapshot(now=context.clock())
    home = f"{snapshot.public_url}/app-connect/"
    if snapshot.site is not None:
        return home
    token = _new_token(context)
    context.store.sessions.keep_link(_digest(token), expires_at=context.clock() + LINK_SECONDS)
    return f"{home}setup/{token}"


def is_link(context: Context, token: str) -> bool:
    """Whether a link would still work; looking does not use it up."""
    return context.store.sessions.has_link(_digest(token), now=context.clock())


def use_link(context: Context, token: str, *, browser: str) -> Begun | None:
    """Begin a session that may connect a site; None for a link that is expired or used."""
    if not context.store.sessions.use_link(_digest(token), now=context.clock()):
        return None
    begun = _begin(context, None, browser=browser)
    _record(context, AuditEventType.SETUP_BEGUN, begun.session, begun.session.browser)
    return begun


# -- signing in -------------------------------------------------------------------------------------------------------


def sign_in(context: Context, credential: UpstreamCredential, *, app_id: str, browser: str) -> Begun:
    """Begin the session of an administrator whom WordPress's approval page has just made a password for.

    `app_id` is what the page was opened with: a password that was not made for this sign-in proves nothing, and stays.
    One that was is deleted, whether its user is an administrator or not.

    Raises:
        InputError: the password was made for something else.
        UpstreamError: WordPress does not know it, or the user is no administrator.

    """
    to = passwords.connection(context)
    user = to.site.current_user(credential)
    own = to.site.current_password(credential)
    if own.app_id.lower() != app_id.lower():
        raise InputError.of(
            "Password",
            "This application password was not made for this sign-in.",
            "Use the one that WordPress shows after you approve.",
        )
    _delete(context, to, user, credential, own)
    try:
        require_administrator(user)
    except UpstreamError as error:
        with context.store.transaction() as transaction:
            transaction.record(context.event(AuditEventType.SIGN_IN_REFUSED, user.login, error.facts))
        raise
    return begin(context, user, browser=browser)


def begin(context: Context, user: WordPressUser, *, browser: str) -> Begun:
    """Begin the session of an administrator who has just proven who they are; no one-time link counts any more."""
    begun = _begin(context, user, browser=browser)
    with context.store.transaction() as transaction:
        event = replace(context, actor=f"{CONSOLE}:{user.login}").event(AuditEventType.SIGNED_IN, user.login)
        transaction.record(event)
    return begun


def _delete(
    context: Context,
    to: passwords.Connection,
    user: WordPressUser,
    credential: UpstreamCredential,
    own: OwnPassword,
) -> None:
    """Delete the password that proved who somebody is; recorded first, so that a crash leaves none behind."""
    leaving = ApplicationPassword(
        app_id=own.app_id,
        user_id=user.id,
        login=user.login,
        client_id=None,
        state=PasswordState.TO_REMOVE,
        uuid=own.uuid,
    )
    with context.store.transaction() as transaction:
        transaction.save_application_password(leaving)
    with suppress(UpstreamError):
        to.site.delete_application_password(credential, user.id, own.uuid)
        with context.store.transaction() as transaction:
            transaction.forget_application_password(leaving.app_id)


# -- sessions ---------------------------------------------------------------------------------------------------------


def find_session(context: Context, token: str) -> Session | None:
    """The session of a cookie's token, where it has not expired and WordPress still knows its user as an administrator.

    WordPress is asked at most once a minute. Where it cannot tell, the session goes on for a while: an administrator
    must be able to see what is wrong, and to connect the site again.
    """
    now, kept = context.clock(), context.store.sessions
    found = kept.find(_digest(token))
    if found is None or found.is_expired(now=now):
        return None
    session = found if now - found.used_at < USE_SECONDS else replace(found, used_at=now)
    if found.needs_check(now=now):
        standing = standing_of(context, str(found.user_id))
        if is_over(standing, checked_at=found.checked_at, now=now):
            kept.end(found.id)
            _record(context, AuditEventType.SESSION_ENDED, found, _ENDINGS[standing])
            return None
        session = replace(session, asked_at=now, checked_at=now if standing is Standing.STANDS else found.checked_at)
    if session != found:
        kept.note(session)
    return session


_ENDINGS = {
    Standing.FELL: "no administrator of the site any more",
    Standing.UNREACHABLE: "WordPress could not be asked for an hour",
    Standing.UNVOUCHED: "WordPress did not answer our own credential for ten minutes",
}


def all_sessions(context: Context) -> Sequence[Session]:
    """Every administrator's session that has not expired, the last used first."""
    now = context.clock()
    return [one for one in context.store.sessions.all() if one.is_administrator and not one.is_expired(now=now)]


def end_session(context: Context, session_id: str) -> Session:
    """End a session: its browser has to sign in again."""
    found = next((one for one in context.store.sessions.all() if one.id == session_id), None)
    if found is None or not context.store.sessions.end(session_id):
        raise NotFoundError.of("session", f"There is no session {session_id!r}.", "It may have ended already.")
    if found.is_administrator:
        _record(context, AuditEventType.SESSION_ENDED, found, "")
    return found


def keep_for_setup(context: Context, session: Session) -> None:
    """Let a session connect a site and nothing else: its administrator's site is gone."""
    context.store.sessions.make_setup(session.id, expires_at=context.clock() + SETUP_SECONDS)


def end_other_sessions(context: Context, but: Session) -> int:
    """End every session but one; how many there were."""
    others = [one for one in all_sessions(context) if one.id != but.id]
    context.store.sessions.end_all(but=but.id)
    for one in others:
        _record(context, AuditEventType.SESSION_ENDED, one, "")
    return len(others)


def _record(context: Context, type_: AuditEventType, session: Session, details: str) -> None:
    with context.store.transaction() as transaction:
        transaction.record(context.event(type_, session.login or session.id, details))


def _begin(context: Context, user: WordPressUser | None, *, browser: str) -> Begun:
    token, now = _new_token(context), context.clock()
    session = Session(
        id=context.entropy(6).hex(),
        user_id=user.id if user else None,
        login=user.login if user else None,
        browser="".join(filter(str.isprintable, browser))[:MAX_BROWSER_CHARACTERS],
        created_at=now,
        expires_at=now + (SESSION_SECONDS if user else SETUP_SECONDS),
        checked_at=now,
        asked_at=now,
        used_at=now,
    )
    context.store.sessions.begin(session, _digest(token), now=now)
    return Begun(session, token)


def _new_token(context: Context) -> str:
    return context.entropy(32).hex()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
