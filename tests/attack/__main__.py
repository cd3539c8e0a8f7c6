"""`make fuzz`: attack without limit, on one stack after the other, until stopped or until something is found.

MINUTES and SEED may be given in the environment; the seed that is printed repeats a round exactly.
"""

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

from hypothesis import given, seed, settings
from hypothesis.errors import FlakyFailure

from tests.attack.cases import as_toml
from tests.attack.grammar import Attack
from tests.attack.promises import SUITE, findings, requests, send
from tests.attack.stacks import STACKS, Attacked, attacked

EXAMPLES_PER_ROUND = 3000


def main() -> None:
    """Attack each stack in turns of one round."""
    minutes = float(os.environ.get("MINUTES", "inf"))
    first = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    deadline, total = time.monotonic() + minutes * 60, Counter[str]()
    for number in count(first):
        stack = sorted(STACKS)[number % len(STACKS)]
        with tempfile.TemporaryDirectory() as folder, attacked(stack, Path(folder), seed=number) as running:
            began, counts = time.monotonic(), attack_once(running, number)
        total += counts
        rate = counts["sent"] / (time.monotonic() - began) * 60
        print(f"seed {number}, {stack}: {_words(counts)} ({rate:.0f} a minute); so far {_words(total)}", flush=True)
        if time.monotonic() > deadline:
            return


def attack_once(running: Attacked, number: int) -> Counter[str]:
    """One round; ends the program with a ready case where WordPress ran what it should not have."""
    counts = Counter[str]()
    last: dict[str, object] = {}

    @seed(number)
    @given(request=requests(running))
    @settings(SUITE, max_examples=EXAMPLES_PER_ROUND, derandomize=False)
    def round_of(request: tuple[str, Attack]) -> None:
        client, attack = request
        answer, noted = send(running, client, attack)
        ran = [each for each in noted if each.kind == "asked"]
        found = findings(running, client, answer, noted)
        counts.update(sent=1, refused=not noted, reached=bool(noted), ran=len(ran))
        if found:
            rules = f"its rules are {running.permission(client).rules}"
            last.update(client=client, attack=attack, found=[*found, rules], status=answer.status)
        assert not found

    try:
        round_of()
    except (AssertionError, FlakyFailure):
        print(f"\nseed {number}: found\n{as_toml(**last)}", file=sys.stderr)  # type: ignore[arg-type]
        sys.exit(1)
    return counts


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in ("sent", "refused", "reached", "ran"))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers end too
    with contextlib.suppress(KeyboardInterrupt):
        main()
