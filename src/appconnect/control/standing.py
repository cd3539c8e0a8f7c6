"""Whether somebody who was an administrator of the site still is one: what a session and a token of theirs stand on."""

from enum import StrEnum

from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.control.setup import require_administrator
from appconnect.core.sessions import UNREACHABLE_SECONDS, UNVOUCHED_SECONDS
from appconnect.ports import SiteProblem, UpstreamError

_NOBODY = frozenset((SiteProblem.NO_SUCH_USER, SiteProblem.NOT_AN_ADMINISTRATOR))
_AWAY = frozenset((SiteProblem.UNREACHABLE, SiteProblem.WRONG_CERTIFICATE, SiteProblem.UNEXPECTED_ANSWER))


class Standing(StrEnum):
    """What WordPress says of a user."""

    STANDS = "stands"
    FELL = "fell"
    UNREACHABLE = "unreachable"  # it cannot be asked
    UNVOUCHED = "unvouched"  # it does not answer us, and whoever made it so may be the one in question


def standing_of(context: Context, user: str) -> Standing:
    """Ask WordPress about a user, by ID or login."""
    try:
        to = passwords.connection(context)
        require_administrator(to.site.find_user(to.administrator.credential, user))
    except InputError:
        return Standing.FELL  # no site is connected, so there are no administrators
    except UpstreamError as error:
        if error.problem in _NOBODY:
            return Standing.FELL
        return Standing.UNREACHABLE if error.problem in _AWAY else Standing.UNVOUCHED
    return Standing.STANDS


def is_over(standing: Standing, *, checked_at: int, now: int) -> bool:
    """Whether what rests on a user ends now; `checked_at` is when WordPress last said that they stand (seconds)."""
    match standing:
        case Standing.STANDS:
            return False
        case Standing.FELL:
            return True
        case Standing.UNREACHABLE:
            return now - checked_at >= UNREACHABLE_SECONDS
        case Standing.UNVOUCHED:
            return now - checked_at >= UNVOUCHED_SECONDS
