"""`python -m bench.page`: `docs/performance.md` from `results.json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.answers import Aim, Answer
from bench.limits import LIMITS
from bench.results import Answered, Results
from docs.markdown import table

FILE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
MADE: Final = (
    "<!-- Made from `bench/results.json` by `make bench`. Do not edit: change `bench/page.py` or measure anew. -->"
)

_HOW: Final = """\
## How it is measured

- `make bench` asks each question once.
  A question is a file in `bench/questions/`, and what is measured beside us is one in `bench/peers/`.
- What is measured has one core to itself, and one worker.
  The load, which `wrk` makes, and what stands for WordPress have another core.
- What stands for WordPress is an nginx that answers from files, with the headers of WordPress's REST API.
- The gateway has everything on: both policies, limits, audit, metrics, credential health, and its log in a file.
  Only the limit of requests in flight is raised, for there is one client.
- Every gateway decides by the same twenty rules.
  It is asked before: 200 for what a rule allows, 403 for what none does, 401 without a token.
- Peers take turns, in another order each round.
  A ratio is App Connect's figure to the peer's: the median of the rounds' ratios, with the least and the greatest.
- "Per CPU-second" counts the CPU time of all of a peer's processes, so it is what one core can carry.
- What is "full" had nothing left.
  Where it is the load's core, the throughput says more about the load than about the peer.
- Latencies are those of `wrk`, which corrects them for coordinated omission: what a stall keeps waiting counts, too.
- An answer with another status than the expected one, or a connection that fails, ends the measurement.
"""
_AGAIN: Final = """\
## Measure it again

```sh
make bench
```

It takes about twenty minutes, and writes this page anew.
It needs two cores, and installs what is missing from Debian's or Ubuntu's packages.
It runs on the system's own Python, in an environment of its own.
Debian's is built with its optimizations; one that is not takes half as long again.
One question alone, quickly, and nothing is written:

```sh
.cache/bench/bin/python -m bench permitted --rounds 2 --seconds 2
```

Do nothing else on the machine meanwhile: the medians bear it, the 99th percentiles do not.
"""


def render(results: Results) -> str:
    """The page."""
    aims = [aim for one in results.questions for aim in one.answer.aims]
    lines = [
        *(MADE, "", "# Performance", ""),
        "After this page you know what the gateway costs beside other ways to build one, and what limits it.",
        f"Measured on {results.date}; {sum(aim.is_met for aim in aims)} of {len(aims)} aims are met.",
        *("", "## Aims", "", *_aims(aims), ""),
        *_limits(aims),
        _HOW,
        *(line for one in results.questions for line in _question(one)),
        *_ran(results),
        _AGAIN.rstrip(),
    ]
    return "\n".join(lines) + "\n"


def limit_of(aim: Aim) -> str:
    """What limits it, by the question itself or as people found."""
    return aim.limit or LIMITS.get(aim.text, "")


def _aims(aims: Sequence[Aim]) -> list[str]:
    rows = [(aim.text, aim.wanted, aim.figure, "yes" if aim.is_met else "**no**") for aim in aims]
    return table(("Aim", "Wanted", "Measured", "Met"), rows)


def _limits(aims: Sequence[Aim]) -> list[str]:
    limits = [f"- {aim.text}: {limit}" for aim in aims if (limit := limit_of(aim))]
    return ["## What limits them", "", *limits, ""] if limits else []


def _question(one: Answered) -> list[str]:
    return [f"## {one.question}", "", *_rows(one.answer), *(_notes(one.answer))]


def _rows(answer: Answer) -> list[str]:
    rows = [(row.peer, row.figure, row.ratio, row.spread, row.beside) for row in answer.rows]
    return [*table(("Peer", "Figure", "Ratio", "Spread", "Beside it"), rows), ""]


def _notes(answer: Answer) -> list[str]:
    return [*(f"- {note}" for note in answer.notes), ""] if answer.notes else []


def _ran(results: Results) -> list[str]:
    return [
        *("## What ran", ""),
        f"{results.machine}. {results.rounds} rounds of {results.seconds:g} s for each peer.",
        *("", *table(("Peer", "Versions"), sorted(results.versions.items())), ""),
    ]


if __name__ == "__main__":
    FILE.write_text(render(Results.read()), "utf-8")
