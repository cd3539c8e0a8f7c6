"""What the lists of Activity are filtered by: times, and the fields that a filter's address carries on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from appconnect.console.web import Download, Form, Result, attempted
from appconnect.control.context import InputError, InputProblem
from appconnect.core.activity import DAY_SECONDS

PERIODS: Final = (
    ("", "Any time", 0),
    ("hour", "Last hour", 3_600),
    ("day", "Last 24 hours", DAY_SECONDS),
    ("week", "Last 7 days", 7 * DAY_SECONDS),
    ("month", "Last 30 days", 30 * DAY_SECONDS),
)
_SECONDS: Final = {name: seconds for name, _, seconds in PERIODS if name}
_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Times:
    """`since` <= at < `until`, in seconds since the epoch; None for no bound."""

    since: int | None = None
    until: int | None = None


def times(query: Form, *, now: int) -> Times:
    """The bounds that were chosen: whole days in UTC, else a period; `InputError` for what is no day."""
    problems: list[InputProblem] = []
    first, last = (_day(query.text(name), name, problems) for name in ("since", "until"))
    if problems:
        raise InputError(problems)
    if first is not None and last is not None and first > last:
        raise InputError.of(
            "until", "It ends before it begins.", "Choose a later day, or an earlier one to begin with."
        )
    if first is None and last is None:
        seconds = _SECONDS.get(query.text("period"))
        return Times(since=now - seconds if seconds is not None else None)
    return Times(first, last + DAY_SECONDS if last is not None else None)


def _day(text: str, name: str, problems: list[InputProblem]) -> int | None:
    if not text:
        return None
    try:
        day = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        problems.append(InputProblem(name, f"{text!r} is not a day.", "Write it as 2025-11-24."))
        return None
    return max(0, int(day.timestamp()))


def cursor(query: Form) -> int | None:
    """Where the page begins that was asked for; the newest where that is not understood."""
    text = query.text("older")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def address(path: str, query: Form, names: Sequence[str], **more: int | str | None) -> str:
    """A path below the console with the fields that are filled in, and `more`."""
    fields = {name: query.text(name) for name in names} | {name: value or "" for name, value in more.items()}
    kept = urlencode({name: value for name, value in fields.items() if value})
    return f"{path}?{kept}" if kept else path


def download(
    file: str, media_type: str, lines: Callable[[], Iterable[str]], otherwise: Callable[[InputError], Result]
) -> Result:
    """What is filtered, as a file; the page again where the filter is wrong."""
    return attempted(lambda: Download(file, media_type, _in_pieces(lines())), otherwise)


def _in_pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines, many at a time: each piece of a download costs a change of threads."""
    rest = iter(lines)
    while piece := "".join(islice(rest, _LINES)):
        yield piece
