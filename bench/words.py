"""Figures of load in words, the same for every question."""

import statistics
from collections.abc import Callable, Sequence

from bench.answers import Row, Spread
from bench.measuring import Load


def cost(peer: str, ours: Sequence[Load], theirs: Sequence[Load]) -> Row:
    """A peer's requests for each second of CPU, and ours as a multiple of it."""
    ratio = Spread.of_ratios([run.per_core for run in ours], [run.per_core for run in theirs])
    is_ours = ours is theirs
    return Row(
        peer,
        f"{_median(theirs, lambda run: run.per_core):,.0f} requests per CPU-second",
        "" if is_ours else ratio.ratio,
        "" if is_ours else ratio.range,
        beside(theirs),
    )


def beside(runs: Sequence[Load]) -> str:
    """Throughput, latency, CPU and memory of the same runs."""
    return (
        f"{_median(runs, lambda run: run.requests_per_second):,.0f}/s, "
        f"{microseconds(_median(runs, lambda run: run.cpu_per_request))} CPU each, "
        f"median {milliseconds(_median(runs, lambda run: run.p50_seconds))}, "
        f"p99 {milliseconds(_median(runs, lambda run: run.p99_seconds))}, "
        f"{megabytes(max(run.rss_bytes for run in runs))}, full: {_saturated(runs)}"
    )


def microseconds(seconds: float) -> str:
    """In µs, three digits or more."""
    return f"{seconds * 1e6:,.0f} µs"


def milliseconds(seconds: float) -> str:
    """In ms."""
    return f"{seconds * 1e3:,.2f} ms"


def megabytes(count: float) -> str:
    """In MB of 2²⁰ bytes."""
    return f"{count / 2**20:,.0f} MB"


def _median(runs: Sequence[Load], figure: Callable[[Load], float]) -> float:
    return statistics.median(figure(run) for run in runs)


def _saturated(runs: Sequence[Load]) -> str:
    """Which core had nothing left in most rounds."""
    return statistics.mode(run.saturated for run in runs)
