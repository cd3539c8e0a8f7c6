"""What does a permitted request of 8 KB cost, beside other gateways?"""

from collections.abc import Sequence
from typing import Final

from bench.answers import Aim, Answer, Row, Spread, at_least
from bench.measuring import Load, Peer, require
from bench.peers import caddy, envoy, gateway, nginx_auth, nginx_proxy
from bench.peers.upstream import DENIED, SMALL
from bench.running import Bench
from bench.words import cost

CONNECTIONS: Final = (16, 64)
PEERS: Final = (gateway.gateway, nginx_auth.nginx_auth, envoy.envoy, caddy.caddy, nginx_proxy.nginx_proxy)
AIMS: Final = {nginx_auth.NAME: 1.0, envoy.NAME: 1.0, caddy.NAME: 3.0}


def run(bench: Bench) -> Answer:
    """Requests for each second of CPU, by 16 and by 64 connections."""
    rows: list[Row] = []
    aims: list[Aim] = []
    with bench.peers(*PEERS) as peers:
        for peer in peers:
            if peer.headers:
                require(peer, DENIED, 403)
                require(peer, SMALL, 401, headers=())
        for connections in CONNECTIONS:
            bench.say(f"  {connections} connections")
            found = bench.compare(peers, SMALL, connections=connections)
            rows += [_row(peer, connections, found) for peer in peers]
            aims += _aims(peers, connections, found)
    return Answer(tuple(rows), tuple(aims))


def _row(peer: Peer, connections: int, found: dict[str, list[Load]]) -> Row:
    return cost(f"{peer.name}, {connections} connections", found[gateway.NAME], found[peer.name])


def _aims(peers: Sequence[Peer], connections: int, found: dict[str, list[Load]]) -> list[Aim]:
    return [
        at_least(
            f"permitted, 8 KB, {connections} connections, per core, beside {peer.name}",
            AIMS[peer.name],
            Spread.of_ratios([run.per_core for run in found[gateway.NAME]], [run.per_core for run in found[peer.name]]),
        )
        for peer in peers
        if peer.name in AIMS
    ]
