"""The routes from which a client could leave the gateway or grow: open only to a rule that spells them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from appconnect.core.body import Parameter
from appconnect.core.canonical import CanonicalRequest
from appconnect.core.rules import DOUBLE_STAR, STAR, Allowlist, Method, RouteRule, fold_case


@dataclass(frozen=True, slots=True)
class PowerRoute:
    """A route of WordPress core, with all below it, that gives out credentials or power when it is written to."""

    segments: tuple[str, ...]
    why: str


_USERS: Final = PowerRoute(
    ("wp", "v2", "users"), "creates, deletes and changes users, with their passwords, e-mail and roles"
)
_SETTINGS: Final = PowerRoute(("wp", "v2", "settings"), "changes the site's address and its administrator's e-mail")
POWER_ROUTES: Final = (
    PowerRoute(("wp", "v2", "users", STAR, "application-passwords"), "makes credentials that bypass the gateway"),
    _USERS,
    PowerRoute(("wp", "v2", "plugins"), "installs and changes plugins"),
    PowerRoute(("wp", "v2", "themes"), "installs and changes themes"),
    _SETTINGS,
)
READING: Final = frozenset((Method.GET, Method.HEAD, Method.OPTIONS))
"""The methods that give no power, whatever the route."""
_UPDATING: Final = frozenset((Method.POST, Method.PUT, Method.PATCH))
_USER_POWER: Final = frozenset((b"password", b"email", b"roles", b"username"))
"""`WP_REST_Users_Controller::update_item`: what makes a user somebody else, or lets somebody else become it."""
_SITE_POWER: Final = frozenset((b"email", b"url"))
"""`WP_REST_Settings_Controller::update_item`: where the site's pages lead, and who is written to about it."""


def power_route(request: CanonicalRequest) -> PowerRoute | None:
    """The power route that a request is at; it may depend on `request.parameters`, unread ones count as the worst."""
    if request.method in READING:
        return None
    route = next((route for route in POWER_ROUTES if _is_at(route, request.segments)), None)
    names = harmful_parameters(request)
    return None if names and not _has_any(request.parameters, names) else route


def harmful_parameters(request: CanonicalRequest) -> frozenset[bytes]:
    """Where it is parameters that make the difference, those that give power: one user's, or the site's settings."""
    if request.method not in _UPDATING:
        return frozenset()
    if request.segments == _SETTINGS.segments:
        return _SITE_POWER
    users, rest = request.segments[:3], request.segments[3:]
    is_one_user = users == _USERS.segments and len(rest) == 1 and (rest[0] == "me" or rest[0].isdecimal())
    return _USER_POWER if is_one_user else frozenset()


def _has_any(parameters: tuple[Parameter, ...] | None, names: frozenset[bytes]) -> bool:
    return parameters is None or any(parameter.name in names for parameter in parameters)


def _is_at(route: PowerRoute, segments: Sequence[str]) -> bool:
    wanted = route.segments
    return len(segments) >= len(wanted) and all(
        want in (STAR, segment) for want, segment in zip(wanted, segments, strict=False)
    )


# -- what an administrator should know of rules -----------------------------------------------------------------------


def power_routes_opened(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, PowerRoute]]:
    """The rules that spell out a power route, each with the first that it names; for a warning when they are saved."""
    named = ((rule, _first_named(rule)) for rule in rules if rule.method not in READING)
    return [(rule, route) for rule, route in named if route is not None]


def _first_named(rule: RouteRule) -> PowerRoute | None:
    return next((route for route in POWER_ROUTES if rule.names(route.segments)), None)


def power_routes_left_closed(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, PowerRoute]]:
    """The wildcard rules that seem to open a power route and do not, as they do not spell it out."""
    return [
        (rule, route)
        for rule in rules
        for route in POWER_ROUTES
        if rule.method not in READING and not rule.names(route.segments) and _reaches(rule, route.segments)
    ]


def covered_rules(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, RouteRule]]:
    """The needless rules, each with one that covers it, for advice to whoever writes an allowlist.

    Of two that are the same, or the same but for capitals, the later one is needless.
    """
    allowlist, seen, found = Allowlist(rules), set[RouteRule](), list[tuple[RouteRule, RouteRule]]()
    for rule in allowlist.rules:
        other = rule if rule in seen else _covering(rule, allowlist)
        seen.add(rule)
        found += [(rule, other)] if other is not None else []
    return found


def _covering(rule: RouteRule, allowlist: Allowlist) -> RouteRule | None:
    """What allows a request that is spelled as the rule is includes every rule that covers it."""
    matching = allowlist.matching(rule.method, [fold_case(segment) for segment in rule.segments])
    return next((other for other in matching if other != rule and _covers(other, rule)), None)


def _covers(wide: RouteRule, narrow: RouteRule) -> bool:
    """A wildcard covers less than it matches: it does not open the power routes that the other rule names."""
    return narrow.is_covered_by(wide) and all(wide.names(route.segments) for _, route in power_routes_opened([narrow]))


def _reaches(rule: RouteRule, wanted: Sequence[str]) -> bool:
    own = [fold_case(segment) for segment in rule.segments]
    if own and own[-1] == DOUBLE_STAR:
        own = own[:-1] + [STAR] * max(1, len(wanted) - len(own) + 1)
    return len(own) >= len(wanted) and all(
        STAR in (have, want) or have == want for have, want in zip(own, wanted, strict=False)
    )
