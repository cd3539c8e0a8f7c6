"""Settings: Grant Types, the API switch and the token lifetime."""

from typing import Any, Final

from starlette.exceptions import HTTPException

from appconnect.console.settings_forms import at_controls, stopping
from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit, attempted
from appconnect.control import switches
from appconnect.control.clients import MAX_TOKEN_LIFETIME_SECONDS, MIN_TOKEN_LIFETIME_SECONDS
from appconnect.control.context import InputError
from appconnect.control.durations import duration
from appconnect.core.clients import Client, GrantType

_EXPLAINED: Final = {
    GrantType.CLIENT_CREDENTIALS: "Allows server-to-server authentication: a backend service gets access tokens with "
    "its Client ID and Client Secret, and acts as the WordPress user that its client names.",
}


# -- Grant Types ------------------------------------------------------------------------------------------------------


def grant_types(visit: Visit) -> Result:
    """The grant types of the site, each on or off."""
    on = visit.snapshot.switches.grant_types
    rows = [(one, _EXPLAINED[one], one in on, len(_using(visit, one))) for one in GrantType]
    values = {
        "page_title": "Settings",
        "tab": "grant-types",
        "grant_types": rows,
        "is_first": not visit.snapshot.clients,
    }
    return Shown("settings_grant_types.html", values)


def enable_grant_type(visit: Visit) -> Result:
    """Enable a grant type: one click, as it stops nobody."""
    grant_type = _wanted(visit)
    switches.set_grant_type(visit.context, grant_type, is_enabled=True)
    return Gone("/settings", (Notice("success", f"{grant_type.label} is enabled."),))


def confirm_disabling(visit: Visit) -> Result:
    """What stops when a grant type is disabled."""
    grant_type = _wanted(visit)
    consequences = (
        "No client gets an access token by it any more.",
        "Access tokens that were issued by it stop working within a second.",
        "Clients, secrets and allowlists are kept: enable it again and everything is as before.",
    )
    values = {
        "tab": "grant-types",
        "act": f"Disable {grant_type.label}",
        "back": "/settings",
        "action": f"/settings/grant-types/{grant_type}/disable",
    }
    return _confirm(visit, values, consequences, _using(visit, grant_type))


def disable_grant_type(visit: Visit) -> Result:
    """Disable a grant type."""
    grant_type = _wanted(visit)
    switches.set_grant_type(visit.context, grant_type, is_enabled=False)
    return Gone("/settings", (Notice("success", f"{grant_type.label} is disabled. Its clients have stopped."),))


def _wanted(visit: Visit) -> GrantType:
    try:
        return GrantType(visit.parameter("grant_type"))
    except ValueError as error:
        raise HTTPException(404, "There is no such grant type.") from error


def _using(visit: Visit, grant_type: GrantType) -> list[Client]:
    return [one for one in visit.snapshot.clients.values() if one.is_enabled and grant_type in one.grant_types]


# -- API --------------------------------------------------------------------------------------------------------------


def api(visit: Visit) -> Result:
    """The switch that stops everything at once."""
    values = {
        "page_title": "Settings",
        "tab": "api",
        "is_on": visit.snapshot.switches.is_api_enabled,
        "clients": len(_enabled(visit)),
    }
    return Shown("settings_api.html", values)


def enable_api(visit: Visit) -> Result:
    """Switch the API on."""
    switches.set_api(visit.context, is_enabled=True)
    return Gone("/settings/api", (Notice("success", "The API is enabled."),))


def confirm_api_off(visit: Visit) -> Result:
    """What stops when the API is switched off."""
    consequences = (
        "Every client stops within a second: calls and token requests are answered with 503.",
        "Requests that are already with WordPress end as they would.",
        "Visitors and the administration of WordPress are not touched, nor is this console.",
        "Nothing is deleted: enable the API again and access tokens that have not expired work as before.",
    )
    values = {"tab": "api", "act": "Disable API", "back": "/settings/api", "action": "/settings/api/disable"}
    return _confirm(visit, values, consequences, _enabled(visit))


def disable_api(visit: Visit) -> Result:
    """Switch the API off."""
    switches.set_api(visit.context, is_enabled=False)
    return Gone("/settings/api", (Notice("success", "The API is disabled. Every client has stopped."),))


def _enabled(visit: Visit) -> list[Client]:
    return [one for one in visit.snapshot.clients.values() if one.is_enabled]


def _confirm(visit: Visit, values: dict[str, Any], consequences: tuple[str, ...], clients: list[Client]) -> Result:
    more = {"page_title": values["act"], "consequences": consequences, "stopping": stopping(visit, clients)}
    return Shown("settings_confirm.html", {**values, **more})


# -- Token Lifetime ---------------------------------------------------------------------------------------------------


def token_lifetime(visit: Visit) -> Result:
    """How long new access tokens live."""
    return _lifetime_form(visit, str(visit.snapshot.switches.token_lifetime_seconds))


def set_token_lifetime(visit: Visit) -> Result:
    """Change it."""

    def act() -> Result:
        changed = switches.set_token_lifetime(visit.context, _seconds(visit.form.text("token_lifetime")))
        text = f"New access tokens live {duration(changed.token_lifetime_seconds)}."
        return Gone("/settings/token-lifetime", (Notice("success", text),))

    def again(error: InputError) -> Result:
        shown = _lifetime_form(visit, visit.form.text("token_lifetime"))
        problems = at_controls(error, {"Token Lifetime": "token_lifetime"})
        return Shown(shown.template, shown.values, 400, problems)

    return attempted(act, again)


def _lifetime_form(visit: Visit, typed: str) -> Shown:
    own = sorted(
        (one for one in visit.snapshot.clients.values() if one.token_lifetime_seconds is not None),
        key=lambda one: one.name.casefold(),
    )
    values = {
        "page_title": "Settings",
        "tab": "token-lifetime",
        "typed": typed,
        "now": duration(visit.snapshot.switches.token_lifetime_seconds),
        "least": MIN_TOKEN_LIFETIME_SECONDS,
        "most": MAX_TOKEN_LIFETIME_SECONDS,
        "own": [(one, duration(one.token_lifetime_seconds or 0)) for one in own],
    }
    return Shown("settings_token_lifetime.html", values)


def _seconds(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    problem = f"{text!r} is not a number of seconds." if text else "is missing."
    remedy = (
        f"Choose {MIN_TOKEN_LIFETIME_SECONDS} to {MAX_TOKEN_LIFETIME_SECONDS:,} seconds, such as 3,600 for one hour."
    )
    raise InputError.of("Token Lifetime", problem, remedy)


_GRANT_TYPE: Final = "/settings/grant-types/{grant_type}"

PAGES: Final = (
    PageRoute("/settings", grant_types, section="settings"),
    PageRoute(f"{_GRANT_TYPE}/enable", post=enable_grant_type, section="settings"),
    PageRoute(f"{_GRANT_TYPE}/disable", confirm_disabling, disable_grant_type, section="settings"),
    PageRoute("/settings/api", api, section="settings"),
    PageRoute("/settings/api/enable", post=enable_api, section="settings"),
    PageRoute("/settings/api/disable", confirm_api_off, disable_api, section="settings"),
    PageRoute("/settings/token-lifetime", token_lifetime, set_token_lifetime, section="settings"),
)
