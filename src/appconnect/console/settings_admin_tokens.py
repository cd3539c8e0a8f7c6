"""Settings: administrator tokens, with which programs use the admin API."""

from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException

from appconnect.console.activity_words import actor_in_words
from appconnect.console.settings_forms import at_controls
from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit, attempted
from appconnect.control.admin_tokens import MAX_NAME_CHARACTERS, create_token, living_tokens, revoke_token, revoked_with
from appconnect.control.context import InputError
from appconnect.control.durations import duration
from appconnect.core.admin_tokens import AdminScope, AdminToken

_PATH: Final = "/settings/admin-tokens"
_CONTROLS: Final = {"Name": "name", "Scopes": "scopes", "Lifetime": "lifetime"}
_DAY: Final = 86_400
_LIFETIMES: Final = tuple((days * _DAY, duration(days * _DAY)) for days in (1, 7, 30, 90, 366))
_USUAL: Final = 30 * _DAY
_SOON: Final = 7 * _DAY


@dataclass(frozen=True, slots=True)
class _Row:
    token: AdminToken
    expires_soon: bool

    @property
    def scopes(self) -> list[AdminScope]:
        """In the order of the form."""
        return [scope for scope in AdminScope if scope in self.token.scopes]

    @property
    def created_by(self) -> str:
        """Who made it."""
        return actor_in_words(self.token.created_by)


def token_list(visit: Visit) -> Result:
    """The tokens that count now; a new one's secret is shown here once."""
    now = visit.context.clock()
    rows = [_Row(token, token.expires_at - now < _SOON) for token in reversed(living_tokens(visit.context))]
    values = {"page_title": "Settings", "tab": "admin-tokens", "rows": rows, "created": visit.secret}
    return Shown("settings_admin_tokens.html", values)


def new(visit: Visit) -> Result:
    """An empty form."""
    del visit
    return _form("", (), str(_USUAL))


def create(visit: Visit) -> Result:
    """Create a token, to be shown by the next page."""
    form = visit.form

    def act() -> Result:
        lifetime = form.text("lifetime")
        seconds = int(lifetime) if lifetime in {str(one) for one, _ in _LIFETIMES} else 0
        made = create_token(
            visit.context, name=form.text("name"), scopes=form.all("scopes"), lifetime_seconds=seconds, maker=None
        )
        return Gone(_PATH, secret={"name": made.token.name, "token": made.secret.reveal()})

    def again(error: InputError) -> Result:
        shown = _form(form.text("name"), tuple(form.all("scopes")), form.text("lifetime"))
        return Shown(shown.template, shown.values, 400, at_controls(error, _CONTROLS))

    return attempted(act, again)


def _form(name: str, scopes: tuple[str, ...], lifetime: str) -> Shown:
    values = {
        "page_title": "Add New Administrator Token",
        "tab": "admin-tokens",
        "name": name,
        "scopes": scopes,
        "lifetime": lifetime,
        "all_scopes": [(scope.value, scope.value, scope.meaning) for scope in AdminScope],
        "lifetimes": _LIFETIMES,
        "most": MAX_NAME_CHARACTERS,
    }
    return Shown("settings_admin_token_new.html", values)


def confirm_revoking(visit: Visit) -> Result:
    """What stops when a token is revoked."""
    return _confirm(visit)


def _confirm(visit: Visit) -> Shown:
    token = _wanted(visit)
    consequences = (
        "The next call with it is refused with 401.",
        "What was done with it stays done.",
        "It cannot be undone: the program then needs a new token.",
    )
    values = {
        "page_title": "Revoke administrator token",
        "tab": "admin-tokens",
        "revoked": [(one, actor_in_words(one.created_by)) for one in revoked_with(token, living_tokens(visit.context))],
        "consequences": consequences,
    }
    return Shown("settings_admin_token_revoke.html", values)


def revoke(visit: Visit) -> Result:
    """Revoke a token, and those that were made by it."""
    shown = _confirm(visit)

    def act() -> Result:
        names = ", ".join(one.name for one in revoke_token(visit.context, visit.parameter("token_id")))
        return Gone(_PATH, (Notice("success", f"Revoked: {names}."),))

    return attempted(act, lambda error: Shown(shown.template, shown.values, 400, at_controls(error, {})))


def _wanted(visit: Visit) -> AdminToken:
    found = next((one for one in living_tokens(visit.context) if one.id == visit.parameter("token_id")), None)
    if found is None:
        raise HTTPException(404, "There is no such administrator token. It may have expired or been revoked.")
    return found


PAGES: Final = (
    PageRoute(_PATH, token_list, section="settings"),
    PageRoute(f"{_PATH}/new", new, create, section="settings"),
    PageRoute(f"{_PATH}/{{token_id}}/revoke", confirm_revoking, revoke, section="settings"),
)
