"""Reading an allowlist as an administrator types it, and the advice that goes with it."""

from collections.abc import Iterable, Sequence

from appconnect.control.context import InputProblem
from appconnect.core.decision import covered_rules, power_routes_left_closed, power_routes_opened
from appconnect.core.policy import AccessMode
from appconnect.core.rules import RouteRule, RuleSyntaxError, fold_case

_BATCH = "batch"


def parse_rules(texts: Sequence[str], field: str) -> tuple[tuple[RouteRule, ...], list[InputProblem]]:
    """The rules in order, each once, and a problem for each text that is none."""
    rules: dict[RouteRule, None] = {}
    problems = []
    for text in texts:
        try:
            rule = RouteRule.parse(text)
        except RuleSyntaxError as error:
            problems.append(InputProblem(field, f"{text!r}, column {error.column}: {error.problem}.", error.remedy))
            continue
        if rule.segments and fold_case(rule.segments[0]) == _BATCH:
            remedy = "Leave the rule out and have the client send its requests one by one."
            problems.append(InputProblem(field, f"{text!r}: batch requests are not accepted.", remedy))
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
    said += [
        f"{rule} does not keep the client to {segment}: in WordPress a parameter of the query or the body, such as id, "
        "outranks the ID in the path. What the user may not touch is the only limit."
        for rule in listed
        for segment in rule.segments
        if segment.isdigit()
    ]
    if access_mode is AccessMode.FULL:
        said.append("Full access opens every REST route that the user may use. Restricted is safer.")
    elif not listed:
        said.append("The allowlist is empty, so every request is denied. Add rules with `app-connect clients edit`.")
    return said
