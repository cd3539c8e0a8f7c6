"""Settings: the connected site, how the connection is, and disconnecting it."""

from collections.abc import Iterator
from typing import Final

from appconnect.console.settings_forms import at_controls, stopping
from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit
from appconnect.control import setup
from appconnect.control.context import InputError
from appconnect.control.credentials import check_credential
from appconnect.control.sessions import keep_for_setup
from appconnect.ports import ApplicationPassword, Health, PasswordState, UpstreamError

_PATH: Final = "/settings/site"


def site(visit: Visit) -> Result:
    """Which site it is, and as whom we act there."""
    address = visit.snapshot.site
    values = {
        "page_title": "Settings",
        "tab": "site",
        "address": address,
        "trouble": visit.card.trouble,
        "administrator": _administrator(visit),
        "clients": len(visit.snapshot.clients),
        "answers_elsewhere": address is not None and address.upstream_url != address.url,
    }
    return Shown("settings_site.html", values)


def check(visit: Visit) -> Result:
    """Ask WordPress what it says to our credentials now; a client's that is lost is replaced."""
    return Gone(_PATH, tuple(_findings(visit)))


def _findings(visit: Visit) -> Iterator[Notice]:
    try:
        _, user = setup.check_connection(visit.context)
    except (InputError, UpstreamError) as error:
        yield Notice("error", str(error))
        return
    yield Notice("success", f"WordPress answers and accepts the administrator's credential, as {user.login}.")
    clients = visit.snapshot.clients.values()
    found = {client.name: check_credential(visit.context, client.id) for client in clients}
    if found and all(health is Health.HEALTHY for health in found.values()):
        number = "the one client" if len(found) == 1 else f"all {len(found)} clients"
        yield Notice("success", f"The upstream credential of {number} is healthy.")
    for health, kind, text in _SAID:
        names = [name for name, one in found.items() if one is health]
        if names:
            yield Notice(kind, text.format(", ".join(names)))


_SAID: Final = (
    (Health.REPLACED, "warning", "The upstream credential was lost and has been replaced: {}."),
    (
        Health.LOST,
        "error",
        "The upstream credential is lost: {}. Edit the client and choose its Client Credentials User again.",
    ),
    (Health.UNKNOWN, "warning", "WordPress could not be asked about the upstream credential of: {}. Check again."),
)


def confirm_disconnecting(visit: Visit) -> Result:
    """What goes with the connection, or why it cannot go yet."""
    return _confirm(visit, None)


def disconnect(visit: Visit) -> Result:
    """Remove our password from WordPress and forget the site."""
    try:
        warnings = setup.disconnect(visit.context, keeps_session=visit.administrator.id)
        keep_for_setup(visit.context, visit.administrator)
    except (InputError, UpstreamError) as error:
        return _confirm(visit, error)
    done = Notice("success", "The site is disconnected.")
    return Gone("/setup", (done, *(Notice("warning", warning) for warning in warnings)))


def _confirm(visit: Visit, error: InputError | UpstreamError | None) -> Result:
    if visit.snapshot.site is None:
        return Gone(_PATH)
    administrator = _administrator(visit)
    login = administrator.login if administrator else "the administrator"
    password = (
        f"The application password with which App Connect acts as {login} is removed from WordPress."
        if administrator is None or administrator.is_ours
        else f"The application password of {login} stays in WordPress, as it was not made by App Connect."
    )
    consequences = (
        password,
        "This gateway then knows no site: nobody gets an access token, and every call is answered with 503.",
        "Every other session of the console ends: its administrators are this site's.",
        "Signing keys, settings and activity are kept. WordPress itself is not changed.",
    )
    values = {
        "page_title": "Disconnect site",
        "tab": "site",
        "consequences": consequences,
        "stopping": stopping(visit, visit.snapshot.clients.values()),
    }
    problems = at_controls(error, {}) if isinstance(error, InputError) else ()
    notices = (Notice("error", str(error)),) if isinstance(error, UpstreamError) else ()
    status = 400 if problems else 502 if notices else 200
    return Shown("settings_disconnect.html", values, status, problems, notices)


def _administrator(visit: Visit) -> ApplicationPassword | None:
    kept = visit.context.store.application_passwords()
    return next((one for one in kept if one.client_id is None and one.state is PasswordState.IN_USE), None)


PAGES: Final = (
    PageRoute(_PATH, site, section="settings"),
    PageRoute(f"{_PATH}/check", post=check, section="settings"),
    PageRoute(f"{_PATH}/disconnect", confirm_disconnecting, disconnect, section="settings"),
)
