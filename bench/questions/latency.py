"""How much later does an answer of 8 KB come, at one connection?"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.answers import Answer, Row, Spread, at_most
from bench.measuring import Load
from bench.peers import envoy, gateway, nginx_auth, nginx_proxy
from bench.peers.upstream import SMALL
from bench.running import Bench
from bench.words import microseconds

PEERS: Final = (gateway.gateway, nginx_auth.nginx_auth, envoy.envoy, nginx_proxy.nginx_proxy)
MOST_ADDED: Final = 1.25
MOST_P99: Final = 1.75


def run(bench: Bench) -> Answer:
    """One request after the other: medians above the stand-in's own of the same round, and 99th percentiles."""
    direct = bench.upstream.peer
    with bench.peers(*PEERS) as peers:
        found = bench.compare([direct, *peers], SMALL, connections=1)
    added = {peer.name: _added(found[peer.name], found[direct.name]) for peer in peers}
    without = found[direct.name]
    rows = [Row(direct.name, f"{microseconds(median(_medians(without)))} at the median", beside=_p99(without))]
    rows += [_row(peer.name, added, found) for peer in peers]
    beside = nginx_auth.NAME
    p99 = Spread.of_ratios(*([run.p99_seconds for run in found[name]] for name in (gateway.NAME, beside)))
    aims = (
        at_most(
            f"median added at one connection, beside {beside}",
            MOST_ADDED,
            Spread.of_ratios(added[gateway.NAME], added[beside]),
        ),
        at_most(f"p99 at one connection, beside {beside}", MOST_P99, p99),
    )
    return Answer(tuple(rows), aims)


def _row(name: str, added: dict[str, list[float]], found: dict[str, list[Load]]) -> Row:
    ratio = Spread.of_ratios(added[gateway.NAME], added[name])
    figure = f"{microseconds(median(added[name]))} added at the median"
    if name == gateway.NAME:
        return Row(name, figure, beside=_p99(found[name]))
    return Row(name, figure, ratio.ratio, ratio.range, _p99(found[name]))


def _added(runs: Sequence[Load], without: Sequence[Load]) -> list[float]:
    return [one - other for one, other in zip(_medians(runs), _medians(without), strict=True)]


def _medians(runs: Sequence[Load]) -> list[float]:
    return [run.p50_seconds for run in runs]


def _p99(runs: Sequence[Load]) -> str:
    return f"p99 {microseconds(median(run.p99_seconds for run in runs))}"
