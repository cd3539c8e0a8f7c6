"""Sending a browser to WordPress's approval page, and knowing it again when it comes back.

What was begun is kept in a cookie of that browser alone: nobody can finish in another's browser what they began in
their own (login CSRF, session fixation), and strangers write nothing into the database.
"""

import json
import re
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from appconnect.console.passing import sealed_value, unsealed_value
from appconnect.console.web import PENDING_SECONDS, PREFIX, Away, Form, Notice, Result, Shown, Visit
from appconnect.control.setup import authorize_url
from appconnect.core.secret import Secret
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import SiteDescription

_NEXT: Final = re.compile(r"/(?:clients|activity|settings|try|help)(?:/[\w.-]+)*/?(?:\?[^#\\]*)?")
NOT_BEGUN: Final = Notice(
    "error",
    "This was not begun in this browser, or too long ago. Begin again here. If you have just approved, remove "
    "App Connect (…) under Application Passwords in your WordPress profile.",
)
NOT_APPROVED: Final = Notice("info", "You did not approve, so nothing was connected and nobody was signed in.")


@dataclass(frozen=True, slots=True)
class Pending:
    """What a browser began: the state that must come back, and the `app_id` that its password will have.

    The browser keeps it sealed, for one purpose and, where it has a session, for that session: nobody can make one or
    carry one over from another browser's session. `expires_at` is in seconds since the epoch.
    """

    state: str
    app_id: str
    expires_at: int
    next: str = ""
    site: str = ""
    upstream: str = ""

    def to_cookie(self, visit: Visit) -> str:
        """As a cookie's value."""
        return sealed_value(visit.context, json.dumps(asdict(self)), _purpose(visit))

    @classmethod
    def of(cls, visit: Visit) -> "Pending | None":
        """What this browser began; None where there is nothing, or nothing of ours, or nothing any more."""
        text = unsealed_value(visit.context, visit.pending, _purpose(visit))
        pending = cls(**json.loads(text)) if text is not None else None
        return pending if pending is not None and visit.context.clock() < pending.expires_at else None


def _purpose(visit: Visit) -> str:
    """Setting up is for the session that does it; signing in begins without one."""
    is_setup = visit.request.url.path.startswith(f"{PREFIX}/setup")
    return f"setup/{visit.administrator.id}" if is_setup else "sign-in"


def begun(visit: Visit, *, next_: str = "", site: str = "", upstream: str = "") -> Pending:
    """Something new to bring back."""
    context = visit.context
    expires_at = context.clock() + PENDING_SECONDS
    return Pending(context.entropy(16).hex(), context.new_uuid(), expires_at, safe_next(next_), site, upstream)


def send_away(visit: Visit, pending: Pending, description: SiteDescription, *, back: str, name: str) -> Result:
    """On to WordPress's approval page, which comes back to `back`, or shows the password where it would not.

    It takes an address that is not https only where the site is of type local
    (`wp_is_authorize_application_redirect_url_valid`), and only there application passwords work over http.
    """
    public_url = visit.snapshot.public_url
    if public_url.startswith("https://") or description.address.url.startswith("http://"):
        success_url = f"{public_url}{PREFIX}{back}/{pending.state}"
        url = authorize_url(description, app_id=pending.app_id, success_url=success_url, name=name)
        return Away(url, pending.to_cookie(visit))
    return Away(f"{public_url}{PREFIX}{back}/by-hand", pending.to_cookie(visit))


def by_hand(pending: Pending, description: SiteDescription, *, name: str, action: str) -> Shown:
    """The page for a gateway without https: approve in another tab, and paste what WordPress shows."""
    url = authorize_url(description, app_id=pending.app_id, success_url=None, name=name)
    return Shown("approve_by_hand.html", {"authorize_url": url, "action": action, "site_name": description.name})


def brought_back(visit: Visit) -> tuple[Pending, UpstreamCredential] | Notice:
    """What WordPress sent back with this browser, or why it is nothing."""
    pending, query = Pending.of(visit), visit.query
    if pending is None or not compare_digest(pending.state.encode(), visit.parameter("state").encode()):
        return NOT_BEGUN
    if query.text("success") == "false":
        return NOT_APPROVED
    return _with_credential(pending, query.text("user_login"), query.text("password"))


def pasted(visit: Visit) -> tuple[Pending, UpstreamCredential] | Notice:
    """What an administrator pasted from WordPress's page."""
    pending = Pending.of(visit)
    if pending is None:
        return NOT_BEGUN
    return _with_credential(pending, *_pasted_fields(visit.form))


def _pasted_fields(form: Form) -> tuple[str, str]:
    return form.text("username"), "".join(form.text("password").split())


def _with_credential(pending: Pending, login: str, password: str) -> tuple[Pending, UpstreamCredential] | Notice:
    if not login or not password:
        return Notice("error", "The username or the password is missing. Copy both from the page that WordPress shows.")
    return pending, UpstreamCredential(login, Secret(password))


def safe_next(wanted: str) -> str:
    """Where to go afterwards: a page of the console, never an address that somebody else chose."""
    return wanted if _NEXT.fullmatch(wanted) and ".." not in urlsplit(wanted).path else ""


def browser_of(visit: Visit) -> str:
    """What the browser calls itself, to tell sessions apart."""
    return str(visit.request.headers.get("user-agent", "unknown"))
