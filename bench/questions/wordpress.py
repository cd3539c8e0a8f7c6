"""What does the gateway cost before a real WordPress?"""

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bench.answers import Aim, Answer, Row, Spread, at_least
from bench.deployment import Deployment, initialize
from bench.measuring import NotMeasured, Peer, interleaved, load
from bench.peers import gateway, nginx_proxy, wordpress
from bench.processes import on_cores
from bench.running import Bench
from bench.words import beside, milliseconds
from demo.wordpress.servers import RunningSite
from demo.wordpress.site import ADMIN, NewUser, create_application_password

PATH: Final = "/wp-json/wp/v2/posts"
LEAST_THROUGHPUT: Final = 0.98
MOST_ADDED_SECONDS: Final = 0.001
NOTES: Final = (
    "Nothing but the load is pinned here: WordPress and the gateway share both cores.",
    "The CPU of each is its own and WordPress's.",
)
_TURNS_PER_ROUND: Final = 40
_TIMES_AS_LONG: Final = 3
"""WordPress answers few requests a second: its turns are longer."""


def run(bench: Bench) -> Answer:
    """Throughput at four connections, then medians at one; nothing is pinned but the load."""
    # WordPress tries a user's application passwords one by one, some milliseconds each: so each way to it has its own.
    users = NewUser("author", "author"), NewUser("writer", "author"), NewUser("editor", "author")
    with on_cores(), wordpress.wordpress_site(bench, *users) as (site, (author, _, editor), pids):
        direct = wordpress.as_user(site, author, pids)
        deployment = _connected(bench, site)
        with (
            nginx_proxy.before_wordpress(bench, urlsplit(site.url).netloc) as proxy,
            gateway.serving(deployment, is_pinned=False) as pid,
        ):
            proxied = replace(proxy, headers=wordpress.as_user(site, editor, pids).headers, pids=(*proxy.pids, *pids))
            served = gateway.gateway_peer(deployment, pid, _token(deployment))
            peers = direct, proxied, replace(served, pids=(pid, *pids))
            seconds = _TIMES_AS_LONG * bench.seconds
            found = interleaved(
                peers,
                lambda peer: load(peer, PATH, connections=wordpress.WORKERS, seconds=seconds),
                bench.rounds,
                warm_up=lambda peer: load(peer, PATH, connections=wordpress.WORKERS, seconds=1),
                say=bench.say,
            )
            times = _turns(peers, _TURNS_PER_ROUND * bench.rounds)
    bench.versions |= {peer.name: peer.version for peer in peers}
    rates = {name: [one.requests_per_second for one in loads] for name, loads in found.items()}
    throughput, by_nginx = (Spread.of_ratios(rates[peer.name], rates[direct.name]) for peer in (served, proxied))
    added, added_by_nginx = (
        median(after - before for before, after in zip(times[direct.name], times[peer.name], strict=True))
        for peer in (served, proxied)
    )
    rows = tuple(
        Row(
            peer.name,
            f"{milliseconds(median(times[peer.name]))} at the median of turns",
            beside=f"{wordpress.WORKERS} connections: {beside(found[peer.name])}",
        )
        for peer in peers
    )
    aims = (
        at_least("throughput on real WordPress, beside WordPress itself", LEAST_THROUGHPUT, throughput),
        Aim(
            "more than WordPress itself at the median",
            f"at most {milliseconds(MOST_ADDED_SECONDS)}",
            f"{milliseconds(added)} of {len(times[direct.name])} turns",
            added <= MOST_ADDED_SECONDS,
        ),
    )
    proxying = (
        f"nginx that proxies and decides nothing, in the gateway's place: {by_nginx.ratio} ({by_nginx.range}) the "
        f"throughput, {milliseconds(added_by_nginx)} more at the median."
    )
    return Answer(rows, aims, (*NOTES, proxying))


def _connected(bench: Bench, site: RunningSite) -> Deployment:
    """A gateway of its own, connected as the guide has it."""
    deployment = initialize(bench.new_folder("gateway"))
    password = create_application_password(site.site, ADMIN).password
    deployment.command("connect", site.url, "--username", ADMIN.login, "--password-file", "-", stdin=password)
    deployment.command("settings", "grant-types", "enable", "client-credentials")
    return deployment


def _token(deployment: Deployment) -> str:
    """A client's token, from the token endpoint."""
    rule = ("--allow", f"GET {PATH}")
    added = deployment.command("clients", "add", "--name", "Bench", "--user", "writer", *rule, "--json")
    client = json.loads(added)
    return deployment.token_of(client["client_id"], client["client_secret"])


def _turns(peers: Sequence[Peer], count: int) -> dict[str, list[float]]:
    """Seconds of one request to each, turn by turn; who is first changes each time."""
    timed = {peer.name: _Timed(peer) for peer in peers}
    found: dict[str, list[float]] = {name: [] for name in timed}
    names = list(timed)
    for number in range(count):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            found[name].append(timed[name].seconds())
    return found


class _Timed:
    """One keep-alive connection that is timed."""

    def __init__(self, peer: Peer) -> None:
        parts = urlsplit(peer.url)
        self._headers = dict(header.split(": ", 1) for header in peer.headers)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def seconds(self) -> float:
        """How long one request takes until its answer has been read."""
        began = time.perf_counter()
        self._http.request("GET", PATH, headers=self._headers)
        answer = self._http.getresponse()
        content = answer.read()
        ended = time.perf_counter()
        if answer.status != 200:
            raise NotMeasured(f"{PATH} got {answer.status}: {content[:500]!r}")
        return ended - began
