"""Add New Client, and editing one: the same form, every button of which works without a script."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from appconnect.console import client_rules, client_users
from appconnect.console.client_typed import Typed, version_of
from appconnect.console.web import PREFIX, Gone, Notice, Result, Shown, Visit
from appconnect.control.clients import (
    MAX_TOKEN_LIFETIME_SECONDS,
    MIN_TOKEN_LIFETIME_SECONDS,
    Saved,
    add_client,
    edit_client,
    find_client,
)
from appconnect.control.context import InputError, InputProblem
from appconnect.control.review import Review, review, site_routes
from appconnect.control.role_names import role_name
from appconnect.control.service_users import create_service_user, find_users
from appconnect.core.clients import Client, GrantType
from appconnect.core.policy import Policy
from appconnect.core.rules import Method
from appconnect.ports import SiteProblem, SiteRoute, UpstreamError, WordPressUser

RULES, USERS = "_rule_editor.html", "_user_picker.html"
_BY_FILE, _BY_FORM = "give it with --application-password-file", "paste it in under Application Password below"
"""The remedy where WordPress lets nobody make an application password, for the command line and for the form."""


@dataclass(frozen=True, slots=True)
class Editing:
    """The form at one moment: of which client, what was typed, and what was found since."""

    visit: Visit
    typed: Typed
    client: Client | None = None
    policy: Policy | None = None
    review: Review | None = None
    users: tuple[WordPressUser, ...] | None = None
    is_picking: bool = False
    adds_row: bool = False
    takes_password: bool = False
    notices: tuple[Notice, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    status: int = 200
    partial: str | None = None

    def shows_only(self, part: str) -> bool:
        """Whether the answer is this part of the form, and not the page."""
        return self.visit.is_partial and self.partial == part

    @property
    def pressed(self) -> int:
        """The number of the row whose button was pressed."""
        value = next(
            (self.visit.form.text(name) for name in ("remove_rule", "use_rule") if self.visit.form.has(name)), ""
        )
        return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def new_form(visit: Visit) -> Result:
    """An empty form, once there is a site with users and routes."""
    if visit.snapshot.site is None:
        return Gone(
            "/settings/site", (Notice("warning", "Connect a WordPress site first: a client acts as its user."),)
        )
    return _shown(Editing(visit, Typed()))


def edit_form(visit: Visit) -> Result:
    """The form of a client as it is."""
    client, policy = find_client(visit.context, visit.parameter("client_id"))
    return _shown(Editing(visit, Typed.from_client(client, policy), client, policy))


def act_on_new(visit: Visit) -> Result:
    """What the pressed button of the empty form asks."""
    return _act(Editing(visit, Typed.from_form(visit.form)))


def act_on_edit(visit: Visit) -> Result:
    """What the pressed button of a client's form asks."""
    client, policy = find_client(visit.context, visit.parameter("client_id"))
    return _act(Editing(visit, Typed.from_form(visit.form), client, policy))


def _act(editing: Editing) -> Result:
    """Do what the pressed button says. Enter in a field presses none that changes anything: it checks the rules."""
    act, part = next((act for name, act in _ACTS.items() if editing.visit.form.has(name)), (_check, RULES))
    editing = replace(editing, partial=part)
    kept = replace(editing, typed=editing.typed.without_empty_rules())
    try:
        done = act(editing)
    except InputError as error:
        return _shown(replace(kept, problems=kept.typed.explained(error), status=400))
    except UpstreamError as error:
        remedy = error.remedy.replace(_BY_FILE, _BY_FORM)
        notice = Notice("error", f"{error.facts} {remedy}")
        return _shown(replace(kept, notices=(notice,), takes_password=remedy != error.remedy, status=502))
    return done if isinstance(done, Gone) else _shown(done)


# -- saving -----------------------------------------------------------------------------------------------------------


def _save(editing: Editing) -> Editing | Gone:
    editing = replace(editing, typed=editing.typed.without_empty_rules())
    if editing.client is None or editing.policy is None:
        saved = add_client(editing.visit.context, editing.typed.draft(None))
        assert saved.secret is not None
        shown_once = {"client_id": saved.client.id, "client_secret": saved.secret.reveal()}
        return Gone(f"/clients/{saved.client.id}/secret", _notices(editing, saved, "is registered"), shown_once)
    if editing.typed.version != version_of(editing.client, editing.policy):
        return _overtaken(editing, editing.client, editing.policy)
    saved = edit_client(editing.visit.context, editing.client.id, editing.typed.draft(editing.policy))
    return Gone(f"/clients/{saved.client.id}", _notices(editing, saved, "is saved"))


def _notices(editing: Editing, saved: Saved, done: str) -> tuple[Notice, ...]:
    """What was done, and what to know about it; a dead rule does not keep anybody from saving."""
    said = dict.fromkeys(_warnings(editing, saved))
    return Notice("success", f"The client {saved.client.name} {done}."), *(Notice("warning", text) for text in said)


def _warnings(editing: Editing, saved: Saved) -> list[str]:
    """What to know about the client and its rules; of a rule that opens nothing only that, and why."""
    login, rules = saved.policy.service_user.login, saved.policy.rules
    try:
        reviewed = review(editing.visit.context, rules, user=login, client_id=saved.client.id)
    except UpstreamError as error:
        return [*saved.warnings, f"The rules could not be checked against WordPress: {error.facts}"]
    opening_nothing = tuple(f"{report.rule} " for report in reviewed.rules if not report.opens)
    dead = [f"{report.rule}: {report.notes[0]}" for report in reviewed.rules if report.is_dead and report.notes]
    return [*(text for text in saved.warnings if not text.startswith(opening_nothing)), *dead]


def _overtaken(editing: Editing, client: Client, policy: Policy) -> Editing:
    """Somebody else saved the client since the form was opened: nothing is overwritten unseen."""
    text = (
        f"Somebody changed this client after you opened this page, so yours is not saved. It is now: {client.name}, "
        f"as {policy.service_user.login}, {policy.access_mode}, with {_listed(policy)}. "
        "What you typed is kept below; save again to put it in the place of theirs."
    )
    typed = replace(editing.typed, version=version_of(client, policy))
    return replace(editing, typed=typed, notices=(Notice("warning", text),), status=409)


def _listed(policy: Policy) -> str:
    return f"the rules {', '.join(policy.granted_rest_routes)}" if policy.rules else "no rules"


# -- the allowlist ----------------------------------------------------------------------------------------------------


def _check(editing: Editing) -> Editing:
    editing = replace(editing, typed=editing.typed.without_empty_rules())
    problems = tuple(editing.typed.rule_problems())
    if problems and not editing.typed.valid_rules:
        return replace(editing, problems=problems)
    client_id = editing.client.id if editing.client else None
    try:
        reviewed = review(
            editing.visit.context,
            editing.typed.valid_rules,
            user=editing.typed.user or None,
            client_id=client_id,
            access_mode=editing.typed.mode,
        )
    except UpstreamError as error:
        if error.problem is not SiteProblem.NO_SUCH_USER:
            raise
        missing = InputProblem("user", error.facts, error.remedy)
        return replace(editing, problems=(missing, *problems))
    return replace(editing, problems=problems, review=reviewed)


def _add_row(editing: Editing) -> Editing:
    return replace(editing, typed=editing.typed.without_empty_rules(), adds_row=True)


def _remove_rule(editing: Editing) -> Editing:
    number = editing.pressed
    left = tuple(rule for at, rule in enumerate(editing.typed.rules, 1) if at != number)
    return replace(editing, typed=replace(editing.typed, rules=left).without_empty_rules())


def _use_rule(editing: Editing) -> Editing:
    meant = client_rules.with_meant(editing.typed, editing.pressed)
    return _check(replace(editing, typed=replace(editing.typed, rules=meant)))


def _add_preset(editing: Editing) -> Editing:
    added = client_rules.preset(editing.visit.form.text("add_preset"))
    return _check(replace(editing, typed=editing.typed.with_rules(*added)))


def _pick(editing: Editing) -> Editing:
    return replace(editing, typed=editing.typed.without_empty_rules(), is_picking=True)


def _add_picked(editing: Editing) -> Editing:
    added = editing.visit.form.all("picked")
    return _check(replace(editing, typed=editing.typed.with_rules(*added), is_picking=not added))


# -- the service user -------------------------------------------------------------------------------------------------


def _find_user(editing: Editing) -> Editing:
    users = tuple(find_users(editing.visit.context, editing.typed.user))
    return replace(editing, typed=editing.typed.without_empty_rules(), users=users)


def _choose_user(editing: Editing) -> Editing:
    typed = replace(editing.typed, user=editing.visit.form.text("choose_user")).without_empty_rules()
    return replace(editing, typed=typed)


def _create_user(editing: Editing) -> Editing:
    typed = editing.typed.without_empty_rules()
    if not typed.valid_rules:
        problem = "Choose the rules first: the user gets the smallest role that fits them."
        raise InputError.of("Username", problem, "Add them in REST Route Allowlist below.")
    login = typed.new_login or client_users.suggested_login(typed.name)
    if not login:
        raise InputError.of("Username", "is missing.", "Write one, or give the client a name to make it of.")
    made = create_service_user(editing.visit.context, login, typed.valid_rules)
    text = (
        f"WordPress has the new user {made.user.login} with the role {role_name(made.role)}. Nobody knows its password."
    )
    chosen = replace(typed, user=made.user.login, new_login="")
    return replace(editing, typed=chosen, review=made.review, notices=(Notice("success", text),))


_Act = Callable[[Editing], Editing | Gone]
_ACTS: Final[dict[str, tuple[_Act, str | None]]] = {
    "save": (_save, None),
    "check": (_check, RULES),
    "add_row": (_add_row, RULES),
    "remove_rule": (_remove_rule, RULES),
    "use_rule": (_use_rule, RULES),
    "add_preset": (_add_preset, RULES),
    "add_picked": (_add_picked, RULES),
    "pick": (_pick, RULES),
    "choose_user": (_choose_user, USERS),
    "create_user": (_create_user, None),
    "find_user": (_find_user, USERS),
}
"""By the name of the button: what it does, and the part of the form that changes, which is all that htmx gets."""


# -- showing ----------------------------------------------------------------------------------------------------------


def _shown(editing: Editing) -> Shown:
    routes, trouble = _routes(editing)
    is_part = editing.partial is not None and editing.shows_only(editing.partial)
    values = {
        **_form_values(editing),
        **_rule_values(editing, routes),
        **_user_values(editing),
        "is_part": is_part,
    }
    status = 200 if is_part else editing.status  # htmx shows no other
    template = "client_edit.html" if editing.client else "client_new.html"
    notices = (*editing.notices, *trouble)
    return Shown(template, values, status, editing.problems, notices, editing.partial)


def _routes(editing: Editing) -> tuple[tuple[SiteRoute, ...], tuple[Notice, ...]]:
    """The site's routes; the form works without them, only less comfortably."""
    if editing.shows_only(USERS):
        return (), ()
    try:
        return site_routes(editing.visit.context), ()
    except UpstreamError as error:
        if editing.status != 200:
            return (), ()
        text = f"The site's routes cannot be listed now, so rules can only be typed. {error.facts} {error.remedy}"
        return (), (Notice("warning", text),)


def _form_values(editing: Editing) -> dict[str, Any]:
    client, switches = editing.client, editing.visit.snapshot.switches
    return {
        "page_title": f"Edit {client.name}" if client else "Add New Client",
        "client": client,
        "typed": editing.typed,
        "action": f"{PREFIX}/clients/{client.id}/edit" if client else f"{PREFIX}/clients/new",
        "is_grant_enabled": GrantType.CLIENT_CREDENTIALS in switches.grant_types,
        "site_lifetime_seconds": switches.token_lifetime_seconds,
        "least_seconds": MIN_TOKEN_LIFETIME_SECONDS,
        "most_seconds": MAX_TOKEN_LIFETIME_SECONDS,
        "takes_password": editing.takes_password
        or any(one.field == "application_password" for one in editing.problems),
    }


def _rule_values(editing: Editing, routes: tuple[SiteRoute, ...]) -> dict[str, Any]:
    choices = client_rules.choices(routes)
    is_checked = editing.review is not None
    return {
        "rule_rows": list(client_rules.rows(editing.typed, editing.review, adds_row=editing.adds_row)),
        "adds_row": editing.adds_row,
        "is_checked": is_checked,
        "rule_notes": editing.review.notes if editing.review else (),
        "choices": choices,
        "namespace_options": _options("Every namespace", sorted({choice.namespace for choice in choices} - {""})),
        "method_options": _options("Every method", [method for method in Method if method in _methods(choices)]),
        "presets": client_rules.presets(routes),
        "picker": client_rules.pick(editing.visit.form, routes, is_open=editing.is_picking),
    }


def _options(every: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [("", every), *((value, value) for value in values)]


def _methods(choices: Iterable[client_rules.Choice]) -> set[Method]:
    return {choice.method for choice in choices}


def _user_values(editing: Editing) -> dict[str, Any]:
    if editing.shows_only(RULES):
        return {}
    found = client_users.candidates(editing.users) if editing.users is not None else None
    return {
        "chosen": client_users.known_user(editing.visit.context, editing.typed.user) if found is None else None,
        "found_users": found,
        "suggested_login": client_users.suggested_login(editing.typed.name),
        "is_creating": bool(editing.typed.new_login) or any(one.field == "new_login" for one in editing.problems),
    }
