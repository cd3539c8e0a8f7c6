"""Does memory stay flat with many connections and large streams, and do small requests get their turn beside them?"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlsplit

from bench.answers import Aim, Answer, Row, Spread, at_most
from bench.measuring import Load, NotMeasured, Peer, load
from bench.peers import gateway
from bench.peers.upstream import HUGE, SIZES, SMALL
from bench.processes import peak_bytes, resident_bytes
from bench.running import Bench
from bench.streams import download, streaming, upload
from bench.words import beside, megabytes

IDLE: Final = 64
OPEN: Final = 1000
WAVES: Final = 3
LEAST_SECONDS: Final = 5.0
"""So that each of a thousand connections has its turns."""
MOST_GROWTH_BYTES: Final = 16 << 20
MOST_P99: Final = 2.0
SMALL_CONNECTIONS: Final = 16
STREAMS: Final = 4
STREAM_BYTES_PER_SECOND: Final = 25e6
"""Four of them fill a line of 1 Gbit/s nearly."""


def run(bench: Bench) -> Answer:
    """Resident memory at its highest during each, over what it was before; then p99 without and with streams."""
    with bench.peers(gateway.gateway) as peers:
        ours = peers[0]
        load(ours, SMALL, connections=SMALL_CONNECTIONS, seconds=1)
        memory_rows, memory_aims = _memory(bench, ours)
        p99_rows, p99_aim = _turns(bench, ours)
    return Answer((*memory_rows, *p99_rows), (*memory_aims, p99_aim))


def _memory(bench: Bench, ours: Peer) -> tuple[list[Row], list[Aim]]:
    size = SIZES[HUGE]
    seconds = max(bench.seconds, LEAST_SECONDS)
    steps: dict[str, Callable[[], object]] = {f"{IDLE} idle connections": lambda: _idle(ours)}
    first = f"{OPEN:,} open connections, the first time"
    again = f"{OPEN:,} open connections, {WAVES - 1} times more"
    steps[first] = lambda: load(ours, SMALL, connections=OPEN, seconds=seconds)
    steps[again] = lambda: [load(ours, SMALL, connections=OPEN, seconds=seconds) for _ in range(WAVES - 1)]
    steps[f"{size >> 30} GiB down"] = lambda: download(ours, HUGE, size)
    steps[f"{size >> 30} GiB up"] = lambda: upload(ours, HUGE, size)
    rows, aims = [], []
    highest = resident_bytes(ours.pids)
    for step, work in steps.items():
        bench.say(f"  {step}")
        peak = peak_bytes(ours.pids, work)
        growth, highest = max(0, peak - highest), max(peak, highest)
        each = f", {growth / OPEN / 1024:.0f} KB for each connection" if step == first else ""
        rows.append(Row(step, f"{megabytes(growth)} more than before", beside=f"{megabytes(peak)} at most{each}"))
        if step != first:
            aims.append(_flat(step, growth))
    return rows, aims


def _flat(step: str, growth: int) -> Aim:
    wanted = f"at most {megabytes(MOST_GROWTH_BYTES)} more"
    return Aim(f"flat memory: {step}", wanted, megabytes(growth), growth <= MOST_GROWTH_BYTES)


def _idle(ours: Peer) -> None:
    """Connections that each had one answer and stay."""
    parts, headers = urlsplit(ours.url), dict(header.split(": ", 1) for header in ours.headers)
    with ExitStack() as opened:
        for _ in range(IDLE):
            connection = opened.enter_context(closing(HTTPConnection(parts.hostname or "", parts.port, timeout=60)))
            connection.request("GET", SMALL, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise NotMeasured(f"{ours.name}: {SMALL} got {answer.status}")


def _turns(bench: Bench, ours: Peer) -> tuple[list[Row], Aim]:
    alone, beside_streams = list[Load](), list[Load]()
    for number in range(bench.rounds):
        bench.say(f"  small requests alone and beside streams, round {number + 1} of {bench.rounds}")
        alone.append(_small(bench, ours))
        with streaming(ours, HUGE, streams=STREAMS, bytes_per_second=STREAM_BYTES_PER_SECOND):
            beside_streams.append(_small(bench, ours))
    ratio = Spread.of_ratios([one.p99_seconds for one in beside_streams], [one.p99_seconds for one in alone])
    pace = f"{STREAMS} streams of {STREAM_BYTES_PER_SECOND / 1e6:.0f} MB/s"
    rows = [
        Row(f"{SMALL_CONNECTIONS} connections alone", beside(alone)),
        Row(f"{SMALL_CONNECTIONS} connections beside {pace}", beside(beside_streams), ratio.ratio, ratio.range),
    ]
    return rows, at_most(f"p99 of small requests beside {pace}, to that without", MOST_P99, ratio)


def _small(bench: Bench, ours: Peer) -> Load:
    return load(ours, SMALL, connections=SMALL_CONNECTIONS, seconds=bench.seconds)
