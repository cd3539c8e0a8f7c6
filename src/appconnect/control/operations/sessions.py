"""Operations on the console's sessions."""

from dataclasses import dataclass
from typing import Final

from appconnect.control import sessions as control
from appconnect.control.operations.operation import (
    AnyOperation,
    Caller,
    Input,
    Operation,
    Output,
    Page,
    PageWanted,
    page,
)
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContent(Output):
    """A session of the console."""

    session_id: str
    """Its ID, which is no secret."""
    login: str
    """Who is signed in."""
    browser: str
    """With which browser, as that says."""
    created_at: int
    """Since when, in seconds since the epoch."""
    expires_at: int
    """Until when at most."""
    used_at: int
    """When it was last used, to a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNamed(Input):
    """Which session."""

    session: str
    """The session's ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Output):
    """A session that is over."""

    session_id: str
    """Its ID."""
    login: str
    """Who was signed in."""


def _content(session: Session) -> SessionContent:
    return SessionContent(
        session_id=session.id,
        login=session.login or "",
        browser=session.browser,
        created_at=session.created_at,
        expires_at=session.expires_at,
        used_at=session.used_at,
    )


def _list(caller: Caller, wanted: PageWanted) -> Page[SessionContent]:
    return page([_content(one) for one in control.all_sessions(caller.context)], wanted, lambda one: one.session_id)


def _end(caller: Caller, given: SessionNamed) -> SessionEnded:
    ended = control.end_session(caller.context, given.session)
    return SessionEnded(session_id=ended.id, login=ended.login or "")


LIST: Final = Operation(
    name="sessions.list",
    method="GET",
    path="/sessions",
    scope=AdminScope.SESSIONS_READ,
    summary="List who is signed in to the console, the last used session first.",
    takes=PageWanted,
    gives=Page[SessionContent],
    run=_list,
)
END: Final = Operation(
    name="sessions.end",
    method="DELETE",
    path="/sessions/{session}",
    scope=AdminScope.SESSIONS_WRITE,
    summary="End a session of the console: its browser has to sign in again.",
    takes=SessionNamed,
    gives=SessionEnded,
    run=_end,
)

SESSIONS: Final[tuple[AnyOperation, ...]] = (LIST, END)
