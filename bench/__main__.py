"""`python -m bench [question …]`: ask the questions in turn.

A whole run that measured everything is kept in `results.json`.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Final

from bench.measuring import NotMeasured
from bench.processes import LOAD_CORE, PEER_CORE
from bench.results import Answered, Results, machine, today
from bench.running import Bench
from demo.wordpress.debian import FOR_NGINX, PackagesMissing, ensure_installed
from demo.wordpress.watched import CommandFailed

QUESTIONS: Final = (
    "permitted",
    "latency",
    "large_bodies",
    "wordpress",
    "refusals",
    "token_endpoint",
    "allowlist",
    "snapshot",
    "connections",
    "start",
)


def main() -> int:
    """Ask, print the aims last, and give the status of the process: 1 where something could not be measured."""
    options = _options()
    try:
        _prepare()
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            bench = Bench(folder, running, options.rounds, options.seconds, _say)
            answered = tuple(_ask(name, bench) for name in options.questions or QUESTIONS)
    except (PackagesMissing, CommandFailed, NotMeasured) as problem:
        _say(str(problem))
        return 1
    results = Results(today(), machine(), options.rounds, options.seconds, bench.versions, answered)
    if (options.keep or not options.questions) and not any(one.failure for one in answered):
        (results.after(Results.read()) if options.questions else results).write()
    _print(answered)
    return 1 if any(one.failure for one in answered) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("questions", nargs="*", metavar="question", help=f"some of: {', '.join(QUESTIONS)}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each peer has its turn (5)")
    parser.add_argument("--seconds", type=float, default=3, help="how long a turn lasts (3)")
    parser.add_argument("--keep", action="store_true", help="put the answers in the place of those that were kept")
    options = parser.parse_args()
    if unknown := set(options.questions) - set(QUESTIONS):
        parser.error(f"there is no question {', '.join(sorted(unknown))}")
    return options


def _prepare() -> None:
    """Install what is missing, and leave the peers' core to them."""
    if (os.cpu_count() or 1) <= max(PEER_CORE, LOAD_CORE):
        raise NotMeasured("Two cores are needed: one for what is measured, one for the load.")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand connections are two thousand files
    ensure_installed((*FOR_NGINX, "wrk"), say=_say)
    os.sched_setaffinity(0, {LOAD_CORE})


def _ask(name: str, bench: Bench) -> Answered:
    module = import_module(f"bench.questions.{name}")
    question = (module.__doc__ or "").strip().splitlines()[0]
    began = time.monotonic()
    _say(f"{name}: {question}")
    try:
        return Answered(name, question, module.run(bench))
    except NotMeasured as problem:
        _say(f"not measured: {problem}")
        return Answered(name, question, failure=str(problem))
    except Exception as problem:  # noqa: BLE001 - a mistake in one question must not cost the others' answers
        _say(traceback.format_exc())
        return Answered(name, question, failure=repr(problem))
    finally:
        _say(f"{name}: {time.monotonic() - began:.0f} s")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(answered: Sequence[Answered]) -> None:
    for one in answered:
        print(f"\n{one.question}")
        _print_table([(row.peer, row.figure, row.ratio, row.spread, row.beside) for row in one.answer.rows])
        for note in one.answer.notes:
            print(f"  {note}")
        if one.failure:
            print(f"  not measured: {one.failure}")
    print("\nAims")
    aims = [aim for one in answered for aim in one.answer.aims]
    _print_table([("met" if aim.is_met else "NOT MET", aim.text, aim.wanted, aim.figure) for aim in aims])


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


sys.exit(main())
