"""What does the gateway cost before a real WordPress?"""

import http.client
import json
import time
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bench.answers import Aim, Answer, Row, Spread, at_least
from bench.deployment import Deployment, initialize
from bench.measuring import NotMeasured, Peer, interleaved, load
from bench.peers import gateway, wordpress
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
    "The gateway's CPU is its own, without WordPress's.",
)
_PAIRS_PER_ROUND: Final = 40
_TIMES_AS_LONG: Final = 3
"""WordPress answers few requests a second: its turns are longer."""


def run(bench: Bench) -> Answer:
    """Throughput at four connections, then medians of pairs at one; nothing is pinned but the load."""
    # WordPress tries a user's application passwords one by one, some milliseconds each: so each of the two has its own.
    both_users = NewUser("author", "author"), NewUser("writer", "author")
    with on_cores(), wordpress.wordpress_site(bench, *both_users) as (site, users, pids):
        direct = wordpress.as_user(site, users[0], pids)
        deployment = _connected(bench, site)
        with gateway.serving(deployment, is_pinned=False) as pid:
            through = gateway.gateway_peer(deployment, pid, _token(deployment))
            seconds = _TIMES_AS_LONG * bench.seconds
            found = interleaved(
                [direct, through],
                lambda peer: load(peer, PATH, connections=wordpress.WORKERS, seconds=seconds),
                bench.rounds,
                warm_up=lambda peer: load(peer, PATH, connections=wordpress.WORKERS, seconds=1),
                say=bench.say,
            )
            pairs = _pairs(direct, through, _PAIRS_PER_ROUND * bench.rounds)
    bench.versions[direct.name] = direct.version
    both = ([one.requests_per_second for one in found[peer.name]] for peer in (through, direct))
    throughput = Spread.of_ratios(*both)
    added = median(after - before for before, after in pairs)
    rows = (
        _row(direct, median(before for before, _ in pairs), beside(found[direct.name])),
        _row(through, median(after for _, after in pairs), beside(found[through.name])),
    )
    aims = (
        at_least("throughput on real WordPress, beside WordPress itself", LEAST_THROUGHPUT, throughput),
        Aim(
            "more than WordPress itself at the median",
            f"at most {milliseconds(MOST_ADDED_SECONDS)}",
            f"{milliseconds(added)} of {len(pairs)} pairs",
            added <= MOST_ADDED_SECONDS,
        ),
    )
    return Answer(rows, aims, NOTES)


def _row(peer: Peer, seconds: float, others: str) -> Row:
    figure = f"{milliseconds(seconds)} at the median of pairs"
    return Row(peer.name, figure, beside=f"{wordpress.WORKERS} connections: {others}")


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


def _pairs(first: Peer, second: Peer, count: int) -> list[tuple[float, float]]:
    """Seconds of one request to each, turn by turn; who is first changes each time."""
    one, other = _Timed(first), _Timed(second)
    found = []
    for number in range(count):
        if number % 2:
            found.append((one.seconds(), other.seconds()))
        else:
            later = other.seconds()
            found.append((one.seconds(), later))
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
