"""The first run: the one-time link, the site's address, WordPress's approval, and the first administrator."""

from typing import Final

from appconnect.console.approval import Pending, begun, brought_back, browser_of, by_hand, pasted, send_away
from appconnect.console.web import Gone, Notice, Page, PageRoute, Result, Shown, Visit
from appconnect.control.context import InputError, InputProblem
from appconnect.control.sessions import begin, is_link, use_link
from appconnect.control.setup import APP_NAME, connect, look_at_site
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import SiteDescription, UpstreamError

_BACK: Final = "/setup/back"
_FIELDS: Final = {"SITE_URL": "site", "--upstream": "upstream"}


def show_link(visit: Visit) -> Result:
    """What the one-time link opens; only the button uses it up, so that no preview of a chat does."""
    return Shown("setup_link.html", {"is_valid": is_link(visit.context, visit.parameter("token"))})


def use(visit: Visit) -> Result:
    """Begin the session that may connect the site."""
    began = use_link(visit.context, visit.parameter("token"), browser=browser_of(visit))
    if began is None:
        return Shown("setup_link.html", {"is_valid": False}, status=410)
    return Gone("/setup", begun=began)


def _may_connect(page: Page) -> Page:
    """Only an administrator may connect again: the one-time link is for a gateway without a site."""

    def guarded(visit: Visit) -> Result:
        if visit.snapshot.site is not None and not visit.administrator.is_administrator:
            text = "A site is connected already. Sign in as one of its administrators."
            return Gone("/sign-in", (Notice("info", text),), ends_session=True)
        return page(visit)

    return guarded


def show(visit: Visit) -> Result:
    """Which WordPress it is."""
    site = visit.snapshot.site
    upstream = site.upstream_url if site is not None and site.upstream_url != site.url else ""
    return _form(visit, site.url if site else "", upstream)


def look(visit: Visit) -> Result:
    """Look at the site before anybody is sent there; then on to its approval page."""
    site, upstream = visit.form.text("site"), visit.form.text("upstream")
    if not site:
        problem = InputProblem("site", "The address is missing.", "Write the one that visitors use.")
        return _form(visit, site, upstream, problems=(problem,), status=400)
    try:
        description = _look_at(visit, site, upstream)
    except InputError as error:
        problems = tuple(InputProblem(_FIELDS.get(one.field, ""), one.problem, one.remedy) for one in error.problems)
        return _form(visit, site, upstream, problems=problems, status=400)
    except UpstreamError as error:
        return _form(visit, site, upstream, problems=(InputProblem("site", error.facts, error.remedy),), status=400)
    pending = begun(visit, site=site, upstream=upstream)
    return send_away(visit, pending, description, back=_BACK, name=APP_NAME)


def come_back(visit: Visit) -> Result:
    """The way back: whatever comes of it, the address with the password is left at once."""
    found = brought_back(visit)
    return Gone("/setup", (found,)) if isinstance(found, Notice) else _connect(visit, *found)


def show_by_hand(visit: Visit) -> Result:
    """For a gateway that WordPress will not come back to."""
    pending = Pending.of(visit)
    if pending is None or not pending.site:
        return Gone("/setup")
    description = _look_at(visit, pending.site, pending.upstream)
    return by_hand(pending, description, name=APP_NAME, action="/setup/back/by-hand")


def take_by_hand(visit: Visit) -> Result:
    """What was pasted from WordPress's page."""
    found = pasted(visit)
    return Gone("/setup/back/by-hand", (found,)) if isinstance(found, Notice) else _connect(visit, *found)


def _connect(visit: Visit, pending: Pending, credential: UpstreamCredential) -> Result:
    """Keep the administrator's password, and sign them in: the approval has proven who they are."""
    try:
        description = _look_at(visit, pending.site, pending.upstream)
        connected = connect(
            visit.context,
            description,
            credential.login,
            credential.password,
            was_made_for_us=True,
            may_replace=visit.administrator.is_administrator,
        )
    except (InputError, UpstreamError) as error:
        return Gone("/setup", (Notice("error", str(error)),), is_failed_proof=True)
    began = begin(visit.context, connected.administrator, browser=browser_of(visit))
    if visit.session is not None:
        visit.context.store.sessions.end(visit.session.id)
    notices = [Notice("success", f"Connected to {description.name} as {connected.administrator.login}.")]
    notices += [Notice("warning", warning) for warning in connected.warnings]
    return Gone("/settings" if not visit.snapshot.clients else "/clients", tuple(notices), begun=began)


def _look_at(visit: Visit, site: str, upstream: str) -> SiteDescription:
    return look_at_site(visit.context, site if "://" in site else f"https://{site}", upstream or None)


def _form(
    visit: Visit, site: str, upstream: str, *, problems: tuple[InputProblem, ...] = (), status: int = 200
) -> Shown:
    values = {"site_url": site, "upstream": upstream, "public_url": visit.snapshot.public_url}
    return Shown("setup.html", values, status, problems, form_targets=("https:", "http:"))


PAGES: Final = (
    PageRoute("/setup", _may_connect(show), _may_connect(look), is_for_setup=True),
    PageRoute("/setup/back/by-hand", _may_connect(show_by_hand), _may_connect(take_by_hand), is_for_setup=True),
    PageRoute("/setup/back/{state}", _may_connect(come_back), is_for_setup=True),
    PageRoute("/setup/{token}", show_link, use, is_public=True),
)
