"""The one question of the product: may this canonical request be forwarded?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from appconnect.core.batch import BATCH_SEGMENTS, Batch, is_batch
from appconnect.core.canonical import CanonicalRequest
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.power import READING, harmful_parameters, power_route
from appconnect.core.rules import STAR, Method, RouteRule, is_rule
from appconnect.core.templates import RouteTemplates, pinned_by_route


class Reason(StrEnum):
    """Why a request was denied."""

    NO_RULE = "no_rule"
    POWER_ROUTE = "power_route"
    EMBED_OFF = "embed_off"
    OTHER_OBJECT = "other_object"
    UNREADABLE_BODY = "unreadable_body"


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may go on; `rule` is what allowed it, or None where full access did."""

    rule: RouteRule | None


@dataclass(frozen=True, slots=True)
class Deny:
    """The request may not go on; `would_allow` is the rule that would have let it pass, where a rule alone would.

    `part` counts from 1 where it is a request inside a batch that is denied.
    """

    reason: Reason
    would_allow: RouteRule | None = None
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """It depends on what the body says: read it, and ask again."""


Decision = Allow | Deny
_NEEDS_BODY = Undecided()


def decide(
    request: CanonicalRequest,
    granted: Policy,
    current: Policy,
    templates: RouteTemplates,
    batch: Batch | None = None,
) -> Decision | Undecided:
    """Allow only what the token's policy granted and the client's policy allows now.

    Pure, so that gateway, CLI and tests cannot disagree. `Undecided` is never an answer to a request whose parameters
    are known (and, where it is one, whose `batch` is given).
    """
    whole = _decide_by_one(request, granted, templates)
    if isinstance(whole, Allow) and current is not granted:
        whole = _decide_by_one(request, current, templates)
    if not isinstance(whole, Allow):
        return whole
    if request.method is not Method.POST or not is_batch(request):
        return whole
    if batch is None:
        return _NEEDS_BODY
    decisions = (decide(part.request, granted, current, templates) for part in batch.parts)
    denied = (_of_part(number, decision) for number, decision in enumerate(decisions, start=1))
    return next((deny for deny in denied if deny is not None), whole)  # all or nothing


def _of_part(number: int, decision: Decision | Undecided) -> Deny | None:
    match decision:
        case Allow():
            return None
        case Deny():
            return replace(decision, part=number)
        case Undecided():  # a batch inside a batch, which WordPress does not run either
            return Deny(Reason.NO_RULE, part=number)
        case _:
            assert_never(decision)


def _decide_by_one(request: CanonicalRequest, policy: Policy, templates: RouteTemplates) -> Decision | Undecided:
    rules, allowing = _naming_rules(request, policy), None
    for rule in rules:
        if _keeps_to(rule, request, templates):
            allowing = rule
            break
    match policy.access_mode:
        case AccessMode.RESTRICTED:
            is_allowed = allowing is not None
        case AccessMode.FULL:
            is_allowed = allowing is not None or power_route(request) is None
        case _:
            assert_never(policy.access_mode)
    if is_allowed:
        is_embed_denied = request.embeds and not policy.allows_embed
        return Deny(Reason.EMBED_OFF) if is_embed_denied else Allow(allowing)
    return _denied(request, rules)


def _naming_rules(request: CanonicalRequest, policy: Policy) -> Sequence[RouteRule]:
    """The rules that match and, where the route needs one that names it, name it."""
    matching = policy.allowlist.matching(request.method, request.segments)
    if request.method in READING:
        return matching
    power = power_route(request)
    needed = power.segments if power is not None else BATCH_SEGMENTS if is_batch(request) else ()
    return [rule for rule in matching if rule.names(needed)] if needed else matching


def _keeps_to(rule: RouteRule, request: CanonicalRequest, templates: RouteTemplates) -> bool:
    """Whether the request acts on what the rule names: no parameter says otherwise. Unread ones count as the worst."""
    pinned = templates.pinned_by(rule)
    if request.method is Method.POST:
        pinned += pinned_by_route(request.method, request.segments)
    if not pinned:
        return True
    parameters = request.parameters
    return parameters is not None and all(
        parameter.value == pin.value(request.route_segments)
        for pin in pinned
        for parameter in parameters
        if parameter.name == pin.name
    )


def _denied(request: CanonicalRequest, rules: Sequence[RouteRule]) -> Deny | Undecided:
    power = power_route(request)
    if request.parameters is None and (rules or (power is not None and harmful_parameters(request))):
        assert request.body is not None
        return _NEEDS_BODY if request.body.can_be_read else Deny(Reason.UNREADABLE_BODY)
    if rules:
        return Deny(Reason.OTHER_OBJECT)
    return Deny(Reason.NO_RULE if power is None else Reason.POWER_ROUTE, _rule_for(request))


def _rule_for(request: CanonicalRequest) -> RouteRule | None:
    """The rule for just this request. A caller who writes `*` must not have a wildcard advised to an administrator."""
    rule = RouteRule(request.method, request.route_segments)
    return rule if STAR not in request.route and is_rule(str(rule)) else None
