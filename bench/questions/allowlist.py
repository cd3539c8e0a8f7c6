"""What does a match cost in a long allowlist, beside a short one and beside Envoy's RBAC?"""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Self

from appconnect.core.canonical import CanonicalRequest, canonicalize
from appconnect.core.decision import Allow, decide
from appconnect.core.headers import Fields, Request
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import STAR, Method, RouteRule
from appconnect.core.templates import RouteTemplates
from bench.answers import Answer, Row, Spread, at_least, at_most
from bench.measuring import Load, NotMeasured, Peer, interleaved, load
from bench.peers.envoy_rbac import envoy_rbac
from bench.running import Bench

SHORT, LONG = 10, 10_000
REQUESTS: Final = 1000
"""So many different ones, spread over the rules: a long list is not judged by what the processor has in its cache."""
CONNECTIONS: Final = 16
_REPEATS: Final = 20
_WORST_SEGMENTS: Final = 13
_LIMIT: Final = (
    "Envoy tries one rule after the other. Its generic matching tree would look up literals, but no wildcard in a path."
)
_USER: Final = ServiceUser(2, "author", frozenset(("author",)), frozenset(("edit_posts",)))


def run(bench: Bench) -> Answer:
    """`Allowlist.matching` and the whole of `decide` in this process, and Envoy with as many rules."""
    short, long, worst = _Searched.of_length(SHORT), _Searched.of_length(LONG), _worst()
    measured: dict[str, Callable[[], float]] = {
        f"a match, {SHORT} rules": lambda: _match_seconds(short.policy, short.requests),
        f"a match, {LONG:,} rules": lambda: _match_seconds(long.policy, long.requests),
        f"a decision, {SHORT} rules": lambda: _decision_seconds(short.policy, short.requests),
        f"a decision, {LONG:,} rules": lambda: _decision_seconds(long.policy, long.requests),
        "a decision by the middle rule": lambda: _decision_seconds(long.policy, [long.middle] * REQUESTS),
        f"the worst of {2**_WORST_SEGMENTS:,} rules": lambda: _match_seconds(worst.policy, worst.requests),
    }
    return _answer(_in_turn(measured, bench), _envoy(bench, short, long))


# -- rules and requests -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Searched:
    """An allowlist, requests that search it, and the one that its middle rule allows."""

    policy: Policy
    requests: Sequence[CanonicalRequest]
    middle: CanonicalRequest

    @classmethod
    def of_length(cls, count: int) -> Self:
        """Collections and their items in a hundred plugins' namespaces, and requests spread evenly over them."""
        routes = (f"/wp-json/plugin-{number % 100}/v1/collection-{number // 100}" for number in range(count // 2))
        rules = [RouteRule.parse(f"GET {route}{items}") for route in routes for items in ("", "/*")]
        spread = itertools.islice(itertools.cycle(rules[:: max(1, count // REQUESTS)]), REQUESTS)
        return cls(_policy(rules), [_request(rule.path) for rule in spread], _request(rules[count // 2].path))


def _worst() -> _Searched:
    """Every mix of one literal and `*` in each segment, and a request that none of them allows: it meets every node."""
    shapes = itertools.product(("a", STAR), repeat=_WORST_SEGMENTS)
    request = _request("/wp-json" + "/a" * _WORST_SEGMENTS)
    return _Searched(_policy([RouteRule(Method.POST, segments) for segments in shapes]), [request], request)


def _policy(rules: Sequence[RouteRule]) -> Policy:
    return Policy("ac_bench", _USER, AccessMode.RESTRICTED, tuple(rules))


def _request(path: str) -> CanonicalRequest:
    """A GET of a rule's path, with something in the place of a wildcard."""
    return canonicalize(
        Request(Method.GET, path.replace(STAR, "5").encode(), b"", Fields(((b"host", b"api.example.com"),)))
    )


# -- in this process --------------------------------------------------------------------------------------------------


def _match_seconds(policy: Policy, requests: Sequence[CanonicalRequest]) -> float:
    """Seconds for one search of an allowlist, to its end."""
    matching = policy.allowlist.matching
    began = time.process_time()
    for request in requests:
        for _ in matching(request.method, request.segments):
            pass
    return (time.process_time() - began) / len(requests)


def _decision_seconds(policy: Policy, requests: Sequence[CanonicalRequest]) -> float:
    """Seconds for one decision by two policies, which searches twice and asks for the route's parameters."""
    began = time.process_time()
    decisions = [decide(request, policy, policy, _TEMPLATES) for request in requests]
    passed = time.process_time() - began
    if not all(isinstance(decision, Allow) for decision in decisions):
        raise NotMeasured("A request was not allowed by the rule that it was made from.")
    return passed / len(requests)


_TEMPLATES: Final = RouteTemplates(("/wp/v2/posts", r"/wp/v2/posts/(?P<id>[\d]+)"))


def _in_turn(measured: dict[str, Callable[[], float]], bench: Bench) -> dict[str, list[float]]:
    """The best of some repeats in each round: what is slower was held up by something else."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}: in process")
        best = {name: float("inf") for name in measured}
        for name, one in list(measured.items()) * _REPEATS:
            best[name] = min(best[name], one())
        for name, seconds in best.items():
            found[name].append(seconds)
    return found


# -- Envoy ------------------------------------------------------------------------------------------------------------


def _envoy(bench: Bench, short: _Searched, long: _Searched) -> dict[str, list[Load]]:
    """Without rules, with few and with many; each asked for the rule in the middle, as it tries one after the other."""
    cases = (((), long), (short.policy.rules, short), (long.policy.rules, long))
    with ExitStack() as running:
        peers = [running.enter_context(envoy_rbac(bench, rules)) for rules, _ in cases]
        bench.versions["Envoy RBAC"] = peers[0].version
        path_of = {peer.name: searched.middle.path for peer, (_, searched) in zip(peers, cases, strict=True)}

        def requests(peer: Peer, seconds: float) -> Load:
            return load(peer, path_of[peer.name], connections=CONNECTIONS, seconds=seconds)

        return interleaved(
            peers,
            lambda peer: requests(peer, bench.seconds),
            bench.rounds,
            warm_up=lambda peer: requests(peer, 1),
            say=bench.say,
        )


# -- the answer -------------------------------------------------------------------------------------------------------


def _answer(found: dict[str, list[float]], envoy: dict[str, list[Load]]) -> Answer:
    short_match, long_match, short_decision, long_decision, middle, _ = found.values()
    none, few, many = ([run.cpu_per_request for run in runs] for runs in envoy.values())
    added_by_few = [with_rules - without for with_rules, without in zip(few, none, strict=True)]
    added_by_many = [with_rules - without for with_rules, without in zip(many, none, strict=True)]
    growth, faster = Spread.of_ratios(long_match, short_match), Spread.of_ratios(added_by_many, middle)
    ratios = (None, growth, None, Spread.of_ratios(long_decision, short_decision), None, None)
    return Answer(
        rows=(
            *(_row(name, seconds, ratio) for (name, seconds), ratio in zip(found.items(), ratios, strict=True)),
            _row(f"added by Envoy's RBAC, {SHORT} rules", added_by_few),
            _row(f"added by Envoy's RBAC, {LONG:,} rules", added_by_many, faster),
        ),
        aims=(
            at_most(f"a match in {LONG:,} rules, beside one in {SHORT}", 2, growth),
            at_least(f"what Envoy's RBAC adds with {LONG:,} rules, beside our whole decision", 4, faster, limit=_LIMIT),
        ),
        notes=(
            f"In process: CPU time of {REQUESTS} different requests over all rules, the best of {_REPEATS} repeats.",
            "A decision searches two policies and asks what parameters the rule pins down.",
            "Envoy: CPU per request with the filter less that without it, for the rule in the middle of its list.",
            f"The worst: every mix of a literal and `*` in {_WORST_SEGMENTS} segments, and a request that none allows.",
        ),
    )


def _row(name: str, seconds: Sequence[float], ratio: Spread | None = None) -> Row:
    spread = Spread.of(seconds)
    return Row(
        peer=name,
        figure=f"{1e6 * spread.median:,.2f} µs",
        ratio=ratio.ratio if ratio else "",
        spread=ratio.range if ratio else "",
        beside=f"{1e6 * spread.low:,.2f} to {1e6 * spread.high:,.2f} µs",
    )
