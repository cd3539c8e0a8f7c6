"""Laws of decisions: what a token grants can only shrink."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from appconnect.core.canonical import CanonicalRequest
from appconnect.core.decision import Allow, Decision, Deny, Undecided
from appconnect.core.decision import decide as decide_with
from appconnect.core.policy import AccessMode, Policy, still_covers
from appconnect.core.rules import Method
from appconnect.core.templates import RouteTemplates
from tests.property.strategies import policies, requests

READING = {Method.GET, Method.HEAD, Method.OPTIONS}


TEMPLATES = RouteTemplates(["/wp/v2/posts/(?P<id>[\\d]+)", "/wp/v2/users/(?P<id>[\\d]+)"])


def decide(request: CanonicalRequest, granted: Policy, current: Policy) -> Decision | Undecided:
    return decide_with(request, granted, current, TEMPLATES)


def is_allowed(request: CanonicalRequest, granted: Policy, current: Policy) -> bool:
    return isinstance(decide(request, granted, current), Allow)


@given(requests, policies, policies)
@settings(max_examples=200)
def test_a_decision_is_the_intersection_of_both_policies(request, granted, current):
    alone = is_allowed(request, granted, granted), is_allowed(request, current, current)
    assert is_allowed(request, granted, current) == all(alone)


@given(requests, policies, policies)
def test_it_does_not_matter_which_policy_came_first(request, one, other):
    assert is_allowed(request, one, other) == is_allowed(request, other, one)


@given(requests, policies, policies, st.sets(st.integers(0, 7)))
@settings(max_examples=200)
def test_taking_rules_away_never_allows_more(request, granted, current, taken):
    left = tuple(rule for at, rule in enumerate(current.rules) if at not in taken)
    narrowed = replace(current, rules=left)
    assert is_allowed(request, granted, narrowed) <= is_allowed(request, granted, current)


@given(requests, policies, policies)
def test_restricting_never_allows_more(request, granted, current):
    narrowed = replace(current, access_mode=AccessMode.RESTRICTED)
    assert is_allowed(request, granted, narrowed) <= is_allowed(request, granted, current)


@given(requests, policies, policies)
def test_switching_embedding_off_never_allows_more(request, granted, current):
    narrowed = replace(current, allows_embed=False)
    assert is_allowed(request, granted, narrowed) <= is_allowed(request, granted, current)


@given(requests, policies, policies)
def test_widening_the_client_never_allows_what_the_token_does_not_grant(request, granted, current):
    widened = replace(current, access_mode=AccessMode.FULL, allows_embed=True)
    assert is_allowed(request, granted, widened) <= is_allowed(request, granted, granted)


@given(policies, policies)
def test_no_change_of_rules_makes_a_token_invalid(granted, current):
    assert still_covers(granted, current)


@given(requests, policies)
@settings(max_examples=200)
def test_writing_users_plugins_and_themes_always_needs_a_rule_that_says_so(request, policy):
    """Whatever a policy is like: without the very word in a rule, no power."""
    said = {segment.lower() for rule in policy.rules for segment in rule.segments}
    word = "".join(request.segments[2:3])
    is_power = request.segments[:2] == ("wp", "v2") and word in {"users", "plugins", "themes"}
    needs_word = is_power and request.method not in READING and word not in said
    assert not (needs_word and is_allowed(request, policy, policy))


@given(requests, policies)
@settings(max_examples=200)
def test_a_rule_that_is_named_allows_the_request_alone(request, policy):
    decision = decide(request, policy, policy)
    rules = (decision.rule,) if isinstance(decision, Allow) and decision.rule else policy.rules
    alone = replace(policy, access_mode=AccessMode.RESTRICTED, rules=rules)
    is_by_rule = isinstance(decision, Allow) and decision.rule is not None
    assert not is_by_rule or is_allowed(request, alone, alone)


@given(requests, policies)
@settings(max_examples=200)
def test_adding_the_rule_that_a_denial_names_allows_the_request(request, policy):
    """But for batches, and for embedding, which needs a switch."""
    plain = request._replace(embeds=False)
    decision = decide(plain, policy, policy)
    advised = (decision.would_allow,) if isinstance(decision, Deny) and decision.would_allow else ()
    helped = replace(policy, rules=policy.rules + advised)
    assert plain.segments == ("batch", "v1") or is_allowed(plain, helped, helped)


@given(requests, policies)
def test_a_policy_that_was_kept_decides_as_before(request, policy):
    kept = Policy.from_json(policy.to_json())
    assert decide(request, kept, kept) == decide(request, policy, policy)
