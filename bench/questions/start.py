"""How soon does a gateway serve, and how much memory does a worker take?"""

import time
from typing import Final

from bench.answers import Aim, Answer, Row, Spread
from bench.measuring import load, require
from bench.peers import gateway
from bench.peers.upstream import SMALL
from bench.processes import cpu_seconds, resident_bytes
from bench.running import Bench
from bench.words import megabytes

MOST_SECONDS: Final = 1.5


def run(bench: Bench) -> Answer:
    """Seconds from the command to the first permitted request that is answered; then memory, idle and after load."""
    seconds, cpu, idle, used = [], [], [], []
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}")
        began = time.perf_counter()
        with gateway.gateway(bench) as peer:
            require(peer, SMALL, 200)
            seconds.append(time.perf_counter() - began)
            cpu.append(cpu_seconds(peer.pids))
            idle.append(resident_bytes(peer.pids))
            used.append(load(peer, SMALL, connections=16, seconds=1).rss_bytes)
    start = Spread.of(seconds)
    figure = f"{start.median:.2f} s"
    rows = (
        Row(
            "start to first request",
            figure,
            spread=f"{start.low:.2f} to {start.high:.2f} s",
            beside=f"{Spread.of(cpu).median:.2f} s CPU",
        ),
        Row("memory after the first request", megabytes(Spread.of(idle).median)),
        Row("memory after a second of load at 16 connections", megabytes(Spread.of(used).median)),
    )
    aim = Aim("start to first request", f"under {MOST_SECONDS:g} s", figure, start.median < MOST_SECONDS)
    return Answer(rows, (aim,), ("The worker is kept to one core while it starts.",))
