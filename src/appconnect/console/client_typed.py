"""The client form as it was typed: read from a browser or from a client, and made a draft for the control plane."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Final, Self

from appconnect.console.web import Form
from appconnect.control.clients import Draft
from appconnect.control.context import InputError, InputProblem
from appconnect.core.clients import Client, ClientType, GrantType
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule, RuleSyntaxError
from appconnect.core.secret import Secret

CONTROLS: Final = {
    "Name": "name",
    "Grant Types": "grant_types",
    "Client Type": "client_type",
    "Access Mode": "access_mode",
    "Client Credentials User": "user",
    "Username": "new_login",
    "REST Route Allowlist": "rule",
    "Token Lifetime": "token_lifetime",
    "Application Password": "application_password",
}
"""The control of each label that the control plane names, in the form's order."""
_NO_NUMBER: Final = -1


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form. `version` names the state of the client that it was made from."""

    name: str = ""
    grant_types: tuple[str, ...] = (GrantType.CLIENT_CREDENTIALS.value,)
    client_type: str = ClientType.CONFIDENTIAL.value
    access_mode: str = AccessMode.RESTRICTED.value
    user: str = ""
    new_login: str = ""
    rules: tuple[str, ...] = ()
    token_lifetime: str = ""
    allows_embed: bool = False
    application_password: Secret | None = None
    version: str = ""

    @classmethod
    def from_form(cls, form: Form) -> Self:
        """The form as it was sent; empty rows stay, so that the numbers of the rows are those that were seen."""
        password = form.text("application_password")
        return cls(
            name=form.text("name"),
            grant_types=tuple(form.all("grant_types")),
            client_type=form.text("client_type"),
            access_mode=form.text("access_mode"),
            user=form.text("user"),
            new_login=form.text("new_login"),
            rules=tuple(value.strip() for name, value in form.pairs if name == "rule"),
            token_lifetime=form.text("token_lifetime"),
            allows_embed=form.has("allows_embed"),
            application_password=Secret(password) if password else None,
            version=form.text("policy"),
        )

    @classmethod
    def from_client(cls, client: Client, policy: Policy) -> Self:
        """The form of a client as it is."""
        return cls(
            name=client.name,
            grant_types=tuple(sorted(client.grant_types)),
            client_type=client.client_type.value,
            access_mode=policy.access_mode.value,
            user=policy.service_user.login,
            rules=policy.granted_rest_routes,
            token_lifetime=str(client.token_lifetime_seconds or ""),
            allows_embed=policy.allows_embed,
            version=version_of(client, policy),
        )

    def without_empty_rules(self) -> Self:
        """The same, each rule once and no row that is empty."""
        return replace(self, rules=tuple(dict.fromkeys(rule for rule in self.rules if rule)))

    def with_rules(self, *added: str) -> Self:
        """The same with more rules at the end."""
        return replace(self, rules=(*self.rules, *added)).without_empty_rules()

    @property
    def valid_rules(self) -> tuple[RouteRule, ...]:
        """The rules that can be read, in order."""
        return tuple(rule for rule in map(read_rule, self.rules) if isinstance(rule, RouteRule))

    @property
    def mode(self) -> AccessMode:
        """The access mode; restricted where none was chosen."""
        return AccessMode.FULL if self.access_mode == AccessMode.FULL else AccessMode.RESTRICTED

    def draft(self, policy: Policy | None) -> Draft:
        """What the control plane shall make of it: of a new client, or of one with this policy.

        To the control plane no user means the one that a client has already; in the form it is a mistake.
        """
        if policy is not None and not self.user:
            raise InputError.of("Client Credentials User", "is missing.")
        before = policy.granted_rest_routes if policy else ()
        is_same_user = policy is not None and self.user == policy.service_user.login
        return Draft(
            name=self.name,
            grant_types=self.grant_types,
            client_type=self.client_type or None,
            access_mode=self.access_mode or None,
            user=None if is_same_user or not self.user else self.user,
            allow=[rule for rule in self.rules if rule not in before],
            disallow=[rule for rule in before if rule not in self.rules],
            allows_embed=self.allows_embed,
            token_lifetime_seconds=_seconds(self.token_lifetime),
            application_password=self.application_password,
        )

    def explained(self, error: InputError) -> tuple[InputProblem, ...]:
        """The control plane's problems at the controls of the form, in its order, each rule's at its row."""
        found = [self._at_control(one) for one in error.problems if CONTROLS.get(one.field) != "rule"]
        return tuple(sorted((*found, *self.rule_problems()), key=_place))

    def rule_problems(self) -> list[InputProblem]:
        """What is wrong with each row that is no rule."""
        problems = []
        for number, text in enumerate(self.rules, 1):
            error = read_rule(text)
            if isinstance(error, RuleSyntaxError):
                sentence = f"{error.problem} (character {error.column})."
                problems.append(InputProblem(f"rule-{number}", sentence, error.remedy))
        return problems

    def _at_control(self, one: InputProblem) -> InputProblem:
        control = CONTROLS.get(one.field, "")
        problem = f"{one.field} {one.problem}" if one.problem[:1].islower() else one.problem
        if control == "token_lifetime" and _seconds(self.token_lifetime) == _NO_NUMBER:
            problem = f"{self.token_lifetime!r} is no number of seconds."
        elif control == "user" and not self.user:
            return InputProblem(control, problem, "Find one of the site's users, or create one for this client.")
        return InputProblem(control, problem, one.remedy)


def version_of(client: Client, policy: Policy) -> str:
    """A name for the state that the form shows: it does not change when WordPress changes the user's capabilities."""
    content = (
        client.name,
        sorted(client.grant_types),
        client.token_lifetime_seconds,
        policy.service_user.id,
        policy.access_mode,
        policy.granted_rest_routes,
        policy.allows_embed,
    )
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def read_rule(text: str) -> RouteRule | RuleSyntaxError:
    """A rule, or what is wrong with its text."""
    try:
        return RouteRule.parse(text)
    except RuleSyntaxError as error:
        return error


def _seconds(text: str) -> int:
    """The token lifetime as typed, with or without separators: 0, which means the site's own, for nothing."""
    text = text.replace(",", "")
    return 0 if not text else int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _NO_NUMBER


def _place(problem: InputProblem) -> tuple[int, int]:
    control, _, number = problem.field.partition("-")
    places = list(CONTROLS.values())
    return places.index(control) if control in places else len(places), int(number or 0)
