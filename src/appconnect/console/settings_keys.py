"""Settings: the signing keys."""

from typing import Final

from appconnect.console.settings_forms import at_controls
from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit, attempted
from appconnect.control import keys
from appconnect.control.clients import MAX_TOKEN_LIFETIME_SECONDS, NOTICE_SECONDS
from appconnect.control.context import InputError, NotFoundError
from appconnect.control.durations import duration

_PATH: Final = "/settings/keys"
_STATES: Final = {
    keys.KeyState.SIGNS: ("Signs", "good", "New access tokens are signed with it."),
    keys.KeyState.VERIFIES: ("Verifies", "warning", "Access tokens that it signed still count."),
    keys.KeyState.RETIRED: ("Retired", "off", "Access tokens that it signed are void."),
}


def key_list(visit: Visit) -> Result:
    """Every key that is kept."""
    return _list(visit)


def _list(visit: Visit) -> Shown:
    rows = [(key, *_STATES[key.state]) for key in keys.signing_keys(visit.context)]
    return Shown("settings_keys.html", {"page_title": "Settings", "tab": "keys", "keys": rows})


def rotate(visit: Visit) -> Result:
    """Sign with a new key; it stops nobody."""

    def act() -> Result:
        new = keys.rotate_key(visit.context)
        text = (
            f"The key {new.kid} signs new access tokens within {duration(NOTICE_SECONDS)}. "
            f"The one before it still verifies for {duration(MAX_TOKEN_LIFETIME_SECONDS)}."
        )
        return Gone(_PATH, (Notice("success", text),))

    return attempted(act, lambda error: _again(_list(visit), error))


def confirm_retiring(visit: Visit) -> Result:
    """What a retired key voids."""
    return _confirm(visit)


def _confirm(visit: Visit) -> Shown:
    key = _wanted(visit)
    consequences = (
        "Access tokens that it signed are void within a second, also those that have not expired.",
        "Clients that show such a token are answered with 401, and get a new one with their Client Secret.",
        "It cannot be undone: a retired key never counts again.",
    )
    values = {"page_title": "Retire key", "tab": "keys", "key": key, "consequences": consequences}
    return Shown("settings_key_retire.html", values)


def retire(visit: Visit) -> Result:
    """End a key at once."""
    kid = _wanted(visit).kid

    def act() -> Result:
        key = keys.retire_key(visit.context, kid)
        return Gone(
            _PATH, (Notice("success", f"The key {key.kid} is retired. Access tokens that it signed are void."),)
        )

    return attempted(act, lambda error: _again(_list(visit), error))


def _wanted(visit: Visit) -> keys.KeyReport:
    kid = visit.parameter("kid")
    found = next((key for key in keys.signing_keys(visit.context) if key.kid == kid), None)
    if found is None:
        raise NotFoundError.of("Key", f"There is no signing key {kid!r}.", "See the list of keys.")
    return found


def _again(shown: Shown, error: InputError) -> Shown:
    return Shown(shown.template, shown.values, 400, at_controls(error, {}))


PAGES: Final = (
    PageRoute(_PATH, key_list, section="settings"),
    PageRoute(f"{_PATH}/rotate", post=rotate, section="settings"),
    PageRoute(f"{_PATH}/{{kid}}/retire", confirm_retiring, retire, section="settings"),
)
