"""What do large bodies cost, down and up, beside nginx that decides nothing?"""

from dataclasses import dataclass
from typing import Final

from bench.answers import Aim, Answer, Row, Spread, at_least
from bench.measuring import Peer, load
from bench.peers import gateway, nginx_proxy
from bench.peers.upstream import LARGE, MIDDLE, SIZES, SMALL
from bench.processes import resident_bytes
from bench.running import Bench
from bench.words import cost, megabytes

PEERS: Final = (gateway.gateway, nginx_proxy.nginx_proxy, nginx_proxy.nginx_proxy_tuned)
MOST_GROWTH_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """A body of some size in one direction, and the ratio that is wanted."""

    name: str
    path: str
    is_upload: bool
    connections: int
    least: float


CASES: Final = (
    Case("256 KB down", MIDDLE, is_upload=False, connections=16, least=0.85),
    Case("20 MB down", LARGE, is_upload=False, connections=4, least=0.9),
    Case("256 KB up", MIDDLE, is_upload=True, connections=16, least=0.85),
    Case("20 MB up", LARGE, is_upload=True, connections=4, least=0.9),
)


_TUNED: Final = (
    "nginx's defaults pass an answer on through small buffers and put an upload into a file first. "
    "Tuned, it has buffers of 64 KB and passes uploads on as they come; that is beyond the aim, and shown beside it."
)


def run(bench: Bench) -> Answer:
    """Requests for each second of CPU, and how much more memory ours took than for small bodies."""
    rows: list[Row] = []
    aims: list[Aim] = []
    with bench.peers(*PEERS) as peers:
        ours = peers[0]
        load(ours, SMALL, connections=max(case.connections for case in CASES), seconds=1)
        before = resident_bytes(ours.pids)
        most = 0
        for case in CASES:
            bench.say(f"  {case.name}")
            rows_of, aims_of, memory = _ask(bench, case, peers)
            rows, aims, most = rows + rows_of, aims + aims_of, max(most, memory)
    growth = most - before
    text = f"{megabytes(growth)} over {megabytes(before)}"
    is_met = growth <= MOST_GROWTH_BYTES
    aims.append(Aim("memory growth by large bodies", f"at most {megabytes(MOST_GROWTH_BYTES)}", text, is_met))
    return Answer(tuple(rows), tuple(aims), notes=(_TUNED,))


def _ask(bench: Bench, case: Case, peers: list[Peer]) -> tuple[list[Row], list[Aim], int]:
    found = bench.compare(
        peers,
        case.path,
        connections=case.connections,
        method="POST" if case.is_upload else "GET",
        body=b"x" * SIZES[case.path] if case.is_upload else None,
        content_type="image/jpeg" if case.is_upload else None,
    )
    ours = found[gateway.NAME]
    rows = [cost(f"{peer.name}, {case.name}", ours, found[peer.name]) for peer in peers]
    per_core = {name: [one.per_core for one in runs] for name, runs in found.items()}
    aims = [
        at_least(
            f"{case.name}, per core, beside {peer.name}",
            case.least,
            Spread.of_ratios(per_core[gateway.NAME], per_core[peer.name]),
        )
        for peer in peers
        if peer.name == nginx_proxy.NAME
    ]
    return rows, aims, max(one.rss_bytes for one in ours)
