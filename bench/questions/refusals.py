"""What does a refusal cost, beside nginx with a Python service, and beside WordPress that refuses in PHP?"""

from typing import Final

from bench.answers import Aim, Answer, Spread, at_least
from bench.measuring import Load, Peer, interleaved, load
from bench.peers import caddy, envoy, gateway, nginx_auth, wordpress
from bench.peers.upstream import DENIED
from bench.running import Bench
from bench.words import cost

PEERS: Final = (gateway.gateway, nginx_auth.nginx_auth, envoy.envoy, caddy.caddy, wordpress.refusing)
CONNECTIONS: Final = 16
AIMS: Final = {nginx_auth.NAME: 1.2, wordpress.NAME: 200.0}
_POST: Final = b'{"title": "A post", "content": "Its text", "status": "publish"}'


def run(bench: Bench) -> Answer:
    """403 for what no rule allows; WordPress: for a post by a user who may not write one."""
    with bench.peers(*PEERS) as peers:
        found = interleaved(
            peers,
            lambda peer: _refused(peer, bench.seconds),
            bench.rounds,
            warm_up=lambda peer: _refused(peer, 1),
            say=bench.say,
        )
    per_core = {name: [one.per_core for one in runs] for name, runs in found.items()}
    aims: list[Aim] = [
        at_least(f"refusals, per core, beside {name}", least, Spread.of_ratios(per_core[gateway.NAME], per_core[name]))
        for name, least in AIMS.items()
    ]
    return Answer(tuple(cost(peer.name, found[gateway.NAME], found[peer.name]) for peer in peers), tuple(aims))


def _refused(peer: Peer, seconds: float) -> Load:
    if peer.name == wordpress.NAME:
        return load(
            peer,
            "/wp-json/wp/v2/posts",
            connections=wordpress.WORKERS,
            seconds=seconds,
            method="POST",
            body=_POST,
            content_type="application/json",
            expected=403,
        )
    return load(peer, DENIED, connections=CONNECTIONS, seconds=seconds, expected=403)
