"""Signing in through WordPress's own approval page, and out."""

from typing import Final

from appconnect.console.approval import Pending as _Pending
from appconnect.console.approval import begun, brought_back, browser_of, by_hand, pasted, safe_next, send_away
from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit
from appconnect.control.context import InputError
from appconnect.control.sessions import end_session, sign_in
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import SiteProblem, UpstreamError

NAME: Final = "App Connect sign-in"
_BACK: Final = "/sign-in/back"
_HOME: Final = "/clients"


def show(visit: Visit) -> Result:
    """One button; what it does and does not give away is said beside it."""
    if visit.session is not None and visit.session.is_administrator:
        return Gone(safe_next(visit.query.text("next")) or _HOME)
    values = {"next": safe_next(visit.query.text("next")), "is_connected": visit.snapshot.site is not None}
    return Shown("sign_in.html", values, form_targets=(visit.card.origin,) if visit.card.origin else ())


def begin(visit: Visit) -> Result:
    """On to WordPress."""
    card = visit.card
    if card.description is None:
        waiting = Notice("info", "WordPress is just being asked about the site. Try again in a moment.")
        return Gone("/sign-in", (_trouble(card.trouble) if card.trouble else waiting,))
    pending = begun(visit, next_=visit.form.text("next"))
    return send_away(visit, pending, card.description, back=_BACK, name=NAME)


def come_back(visit: Visit) -> Result:
    """The way back: whatever comes of it, the address with the password is left at once."""
    found = brought_back(visit)
    return _refused(found) if isinstance(found, Notice) else _sign_in(visit, *found)


def show_by_hand(visit: Visit) -> Result:
    """For a gateway that WordPress will not come back to."""
    pending, description = _Pending.of(visit), visit.card.description
    if pending is None or description is None:
        return Gone("/sign-in")
    return by_hand(pending, description, name=NAME, action="/sign-in/back/by-hand")


def take_by_hand(visit: Visit) -> Result:
    """What was pasted from WordPress's page."""
    found = pasted(visit)
    return _refused(found) if isinstance(found, Notice) else _sign_in(visit, *found)


def sign_out(visit: Visit) -> Result:
    """End this session."""
    end_session(visit.context, visit.administrator.id)
    return Gone("/sign-in", (Notice("success", "You are signed out."),), ends_session=True)


def _sign_in(visit: Visit, pending: _Pending, credential: UpstreamCredential) -> Result:
    try:
        began = sign_in(visit.context, credential, app_id=pending.app_id, browser=browser_of(visit))
    except InputError as error:
        return _refused(Notice("error", str(error)))
    except UpstreamError as error:
        return _refused(_trouble(error))
    return Gone(pending.next or _HOME, begun=began)


def _refused(notice: Notice) -> Gone:
    return Gone("/sign-in", (notice,), is_failed_proof=notice.kind == "error")


def _trouble(error: UpstreamError) -> Notice:
    if error.problem is SiteProblem.NOT_AN_ADMINISTRATOR:
        text = "Only administrators of the site can use App Connect. Log out of WordPress, then begin again as one."
        return Notice("error", f"{error.facts} {text}")
    return Notice("error", str(error))


PAGES: Final = (
    PageRoute("/sign-in", show, begin, is_public=True),
    PageRoute("/sign-in/back/by-hand", show_by_hand, take_by_hand, is_public=True, is_proof=True),
    PageRoute("/sign-in/back/{state}", come_back, is_public=True, is_proof=True),
    PageRoute("/sign-out", post=sign_out),
)
