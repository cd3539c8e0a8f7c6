"""The one question of the product: may this canonical request be forwarded?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from appconnect.core.canonical import CanonicalRequest
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import DOUBLE_STAR, STAR, Method, RouteRule, RuleSyntaxError, fold_case


class Reason(StrEnum):
    """Why a request was denied."""

    NO_RULE = "no_rule"
    POWER_ROUTE = "power_route"
    EMBED_OFF = "embed_off"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may go on; `rule` is what allowed it, or None where full access did."""

    rule: RouteRule | None


@dataclass(frozen=True, slots=True)
class Deny:
    """The request may not go on; `would_allow` is the rule that would have let it pass, where a rule can name it."""

    reason: Reason
    would_allow: RouteRule | None


Decision = Allow | Deny


def decide(request: CanonicalRequest, granted: Policy, current: Policy) -> Decision:
    """Allow only what the token's policy granted and the client's policy allows now.

    Pure, so that gateway, CLI and tests cannot disagree.
    """
    if request.segments == _BATCH:
        return Deny(Reason.BATCH, _rule_for(request))
    for policy in (granted, current):
        decision = _decide_by_one(request, policy)
        if isinstance(decision, Deny):
            return decision
    return decision


def _decide_by_one(request: CanonicalRequest, policy: Policy) -> Decision:
    segments = request.segments
    power = next((route for route in POWER_ROUTES if _is_at(route, request.method, segments)), None)
    matching = policy.allowlist.matching(request.method, segments)
    rule = next((rule for rule in matching if power is None or rule.names(power.segments)), None)
    match policy.access_mode:
        case AccessMode.RESTRICTED:
            is_allowed = rule is not None
        case AccessMode.FULL:
            is_allowed = rule is not None or power is None
        case _:
            assert_never(policy.access_mode)
    if not is_allowed:
        return Deny(Reason.NO_RULE if power is None else Reason.POWER_ROUTE, _rule_for(request))
    if request.embeds and not policy.allows_embed:
        return Deny(Reason.EMBED_OFF, _rule_for(request))
    return Allow(rule)


def _rule_for(request: CanonicalRequest) -> RouteRule | None:
    """The rule for just this request. A caller who writes `*` must not have a wildcard advised to an administrator."""
    rule = RouteRule(request.method, tuple(request.route.split("/")[1:]) if request.route != "/" else ())
    try:
        return RouteRule.parse(str(rule)) if STAR not in request.route else None
    except RuleSyntaxError:
        return None


# -- routes that mint credentials or power ----------------------------------------------------------------------------

_BATCH = ("batch", "v1")


@dataclass(frozen=True, slots=True)
class PowerRoute:
    """Routes from which a client could leave the gateway or grow: open only to a rule that spells them out."""

    segments: tuple[str, ...]
    why: str


POWER_ROUTES = (
    PowerRoute(("wp", "v2", "users", STAR, "application-passwords"), "makes credentials that bypass the gateway"),
    PowerRoute(("wp", "v2", "users"), "creates, deletes and changes users, with their passwords, e-mail and roles"),
    PowerRoute(("wp", "v2", "plugins"), "installs and changes plugins"),
    PowerRoute(("wp", "v2", "themes"), "installs and changes themes"),
)
_READING = frozenset((Method.GET, Method.HEAD, Method.OPTIONS))


def _is_at(route: PowerRoute, method: Method, segments: Sequence[str]) -> bool:
    wanted = route.segments
    return (
        method not in _READING
        and len(segments) >= len(wanted)
        and all(want in (STAR, segment) for want, segment in zip(wanted, segments, strict=False))
    )


def power_routes_opened(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, PowerRoute]]:
    """The rules that spell out a power route, each with the first that it names; for a warning when they are saved."""
    named = ((rule, _first_named(rule)) for rule in rules if rule.method not in _READING)
    return [(rule, route) for rule, route in named if route is not None]


def _first_named(rule: RouteRule) -> PowerRoute | None:
    return next((route for route in POWER_ROUTES if rule.names(route.segments)), None)


def power_routes_left_closed(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, PowerRoute]]:
    """The wildcard rules that seem to open a power route and do not, as they do not spell it out."""
    return [
        (rule, route)
        for rule in rules
        for route in POWER_ROUTES
        if rule.method not in _READING and not rule.names(route.segments) and _reaches(rule, route.segments)
    ]


def covered_rules(rules: Iterable[RouteRule]) -> list[tuple[RouteRule, RouteRule]]:
    """Pairs (rule, the rule that makes it needless), for advice to whoever writes an allowlist."""
    listed = list(rules)
    return [
        (rule, other)
        for at, rule in enumerate(listed)
        for before, other in enumerate(listed)
        if at != before and _covers(other, rule) and (at > before or not _covers(rule, other))
    ]


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
