"""What a question of the bench is answered with: rows of figures, the aims beside them, and notes."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

TIMES: Final = "×"  # noqa: RUF001 - the sign, not the letter


@dataclass(frozen=True, slots=True)
class Row:
    """One peer's line: its figure, how it stands beside ours (`ratio`, with `spread`), and what else was measured."""

    peer: str
    figure: str
    ratio: str = ""
    spread: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Aim:
    """What was to be reached, and what was; `limit` says what limits the figure."""

    text: str
    wanted: str
    figure: str
    is_met: bool
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question's answer."""

    rows: tuple[Row, ...] = ()
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the least and the greatest of its rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of one value for each round."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, ours: Sequence[float], theirs: Sequence[float]) -> Self:
        """Of the ratios between what was measured in the same round."""
        return cls.of([one / other for one, other in zip(ours, theirs, strict=True)])

    @property
    def ratio(self) -> str:
        """The median as a multiple."""
        return f"{self.median:.2f} {TIMES}"

    @property
    def range(self) -> str:
        """The least and the greatest as multiples."""
        return f"{self.low:.2f} to {self.high:.2f}"


def at_least(text: str, wanted: float, found: Spread, *, limit: str = "") -> Aim:
    """The aim of a ratio that is to be at least `wanted`."""
    figure = f"{found.ratio} ({found.range})"
    return Aim(text, f"at least {wanted:g} {TIMES}", figure, found.median >= wanted, limit)


def at_most(text: str, wanted: float, found: Spread, *, limit: str = "") -> Aim:
    """The aim of a ratio that is to be at most `wanted`."""
    figure = f"{found.ratio} ({found.range})"
    return Aim(text, f"at most {wanted:g} {TIMES}", figure, found.median <= wanted, limit)
