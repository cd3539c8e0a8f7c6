"""Reading an allowlist as an administrator types it, and the advice that goes with it."""

from collections.abc import Iterable, Sequence

from appconnect.control.context import InputProblem
from appconnect.core.policy import AccessMode
from appconnect.core.power import covered_rules, power_routes_left_closed, power_routes_opened
from appconnect.core.rules import RouteRule, RuleSyntaxError

MAX_RULES = 10_000
MAX_RULE_CHARACTERS = 500
_SHOWN_CHARACTERS = 60


def parse_rules(texts: Sequence[str], field: str) -> tuple[tuple[RouteRule, ...], list[InputProblem]]:
    """The rules in order, each once, and a problem for each text that is none."""
    rules: dict[RouteRule, None] = {}
    problems = []
    if len(texts) > MAX_RULES:
        remedy = "Let wildcards stand for many routes, or make several clients."
        return (), [InputProblem(field, f"{len(texts)} rules are more than the {MAX_RULES} of a client.", remedy)]
    for text in texts:
        if len(text) > MAX_RULE_CHARACTERS:
            shown = f"{text[:_SHOWN_CHARACTERS]}…"
            remedy = f"A rule has at most {MAX_RULE_CHARACTERS} characters."
            problems.append(InputProblem(field, f"{shown!r} is too long.", remedy))
            continue
        try:
            rule = RouteRule.parse(text)
        except RuleSyntaxError as error:
            problems.append(InputProblem(field, f"{text!r}, column {error.column}: {error.problem}.", error.remedy))
            continue
        rules[rule] = None
    return tuple(rules), problems


def advice(rules: Iterable[RouteRule], access_mode: AccessMode) -> list[str]:
    """What whoever saves these rules should know."""
    listed = list(rules)
    said = [f"{rule} is needless: {other} covers it." for rule, other in covered_rules(listed)]
    said += [
        f"{rule} {route.why}: whoever has this client's secret can do that."
        for rule, route in power_routes_opened(listed)
    ]
    said += [
        f"{rule} does not open /wp-json/{'/'.join(route.segments)}, which {route.why}; only a rule that names it does."
        for rule, route in power_routes_left_closed(listed)
    ]
    if access_mode is AccessMode.FULL:
        said.append("Full access opens every REST route that the user may use. Restricted is safer.")
    elif not listed:
        said.append("The allowlist is empty, so every request is denied. Add the routes that the client needs.")
    return said
