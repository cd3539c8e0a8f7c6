"""The allowlist editor: rows of rules with both locks, and the site's own routes to pick from."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from appconnect.console.client_typed import Typed, read_rule
from appconnect.console.web import Form
from appconnect.control.presets import PRESETS, Preset, presets_for
from appconnect.control.review import Permission, Review, RuleReport
from appconnect.core.rules import Method, RouteRule, RuleSyntaxError
from appconnect.core.shapes import shape_of
from appconnect.ports import SiteRoute

MOST_SHOWN: Final = 30
"""Of the routes that were found: more are narrowed down by whoever looks for one."""
PERMITTED: Final = {
    Permission.PERMITTED: "yes",
    Permission.DEPENDS: "depends",
    Permission.REFUSED: "no",
    Permission.UNKNOWN: "unknown",
}
"""The lock's states as the components name them."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A rule under both locks as pages show it; `permitted` is empty where no user was asked for."""

    rule: str
    routes: tuple[str, ...]
    permitted: str
    permitted_text: str
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the editor: its number from 1, its text, and the rules that were probably meant where it is none."""

    number: int
    text: str
    suggested: tuple[str, ...] = ()
    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule for all of one route, with the route's path for people."""

    rule: str
    method: Method
    path: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Picker:
    """What is looked for among the site's routes, and what was found; `more` counts what is not shown."""

    text: str
    namespace: str
    method: str
    is_open: bool
    found: tuple[Choice, ...]
    more: int


def locks(reviewed: Review) -> list[Lock]:
    """Every rule of a review."""
    return [_lock(report, reviewed) for report in reviewed.rules]


def rows(typed: Typed, reviewed: Review | None, *, adds_row: bool) -> Iterator[Row]:
    """The rows of the form, and an empty one where it is asked for or there is no other."""
    by_rule = {lock.rule: lock for lock in locks(reviewed)} if reviewed else {}
    for number, text in enumerate(typed.rules, 1):
        error = read_rule(text)
        yield Row(number, text, error.suggested if isinstance(error, RuleSyntaxError) else (), by_rule.get(text))
    if adds_row or not typed.rules:
        yield Row(len(typed.rules) + 1, "")


def with_meant(typed: Typed, number: int) -> tuple[str, ...]:
    """The rows with what was probably meant in one of them."""
    changed: list[str] = []
    for row in rows(typed, None, adds_row=False):
        changed += row.suggested if row.number == number and row.suggested else (row.text,)
    return tuple(changed)


def preset(wanted: str) -> tuple[str, ...]:
    """The rules of a job; none for an unknown one."""
    return tuple(str(rule) for one in PRESETS if one.id == wanted for rule in one.rules)


def presets(routes: tuple[SiteRoute, ...]) -> tuple[Preset, ...]:
    """The jobs that the site has routes for."""
    return _presets(routes)


def choices(routes: tuple[SiteRoute, ...]) -> tuple[Choice, ...]:
    """A rule for each method of each route of the site, each once."""
    return _choices(routes)


def pick(form: Form, routes: tuple[SiteRoute, ...], *, is_open: bool) -> Picker:
    """Look for routes: each word stands in the rule, in any case."""
    text, namespace, method = form.text("pick_text"), form.text("pick_namespace"), form.text("pick_method")
    words = text.casefold().split()
    found = [
        choice
        for choice in choices(routes)
        if namespace in ("", choice.namespace)
        and method in ("", choice.method)
        and all(word in f"{choice.method} {choice.path}".casefold() for word in words)
    ]
    return Picker(text, namespace, method, is_open, tuple(found[:MOST_SHOWN]), max(0, len(found) - MOST_SHOWN))


@lru_cache(maxsize=4)
def _presets(routes: tuple[SiteRoute, ...]) -> tuple[Preset, ...]:
    return tuple(presets_for(routes))


@lru_cache(maxsize=4)
def _choices(routes: tuple[SiteRoute, ...]) -> tuple[Choice, ...]:
    found: dict[str, Choice] = {}
    for route in routes:
        shape = shape_of(route.template)
        for method in Method:
            rule = f"{method} {shape.rule_path}"
            if method in route.methods and isinstance(read_rule(rule), RouteRule):
                found.setdefault(rule, Choice(rule, method, shape.path, route.namespace))
    return tuple(found.values())


def _lock(report: RuleReport, reviewed: Review) -> Lock:
    worst = "error" if report.is_dead else "warning"
    kinds = [worst] + ["warning"] * len(report.notes)
    return Lock(
        rule=str(report.rule),
        routes=tuple(opened.path for opened in report.opens),
        permitted=PERMITTED[report.permission] if reviewed.user else "",
        permitted_text=f"for {reviewed.user.login}" if reviewed.user else "",
        notes=tuple(zip(kinds, report.notes, strict=False)),
    )
