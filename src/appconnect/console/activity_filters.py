"""What the lists of Activity are filtered by: times, and the fields that a filter's address carries on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from appconnect.console.web import Form
from appconnect.control.context import InputError, InputProblem

PERIODS: Final = (
    ("", "Any time", 0),
    ("hour", "Last hour", 3_600),
    ("day", "Last 24 hours", 86_400),
    ("week", "Last 7 days", 7 * 86_400),
    ("month", "Last 30 days", 30 * 86_400),
)
_SECONDS: Final = {name: seconds for name, _, seconds in PERIODS if name}
_REMEDY: Final = "Write it as 2025-11-24 12:30, in UTC."
_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Times:
    """`since` <= at < `until`, in seconds since the epoch; None for no bound."""

    since: int | None = None
    until: int | None = None


def times(query: Form, *, now: int) -> Times:
    """The bounds that were chosen: those typed, else those of the period; `InputError` for one that is no time."""
    problems: list[InputProblem] = []
    since, until = (_time(query.text(name), name, problems) for name in ("since", "until"))
    if problems:
        raise InputError(problems)
    if since is not None and until is not None and since >= until:
        raise InputError.of("until", "It ends before it begins.", "Choose a later end, or an earlier begin.")
    seconds = _SECONDS.get(query.text("period"))
    if since is None and until is None and seconds is not None:
        since = now - seconds
    return Times(since, until)


def _time(text: str, name: str, problems: list[InputProblem]) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return max(0, int(moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()))
    except (ValueError, OverflowError):
        problems.append(InputProblem(name, f"{text!r} is not a time.", _REMEDY))
        return None


def cursor(query: Form) -> int | None:
    """Where the page begins that was asked for; the newest where that is not understood."""
    text = query.text("older")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def address(path: str, query: Form, names: Sequence[str], **more: int | str | None) -> str:
    """A path below the console with the fields that are filled in, and `more`."""
    fields = {name: query.text(name) for name in names} | {name: value or "" for name, value in more.items()}
    kept = urlencode({name: value for name, value in fields.items() if value})
    return f"{path}?{kept}" if kept else path


def in_pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines, many at a time: each piece of a download costs a change of threads."""
    rest = iter(lines)
    while piece := "".join(islice(rest, _LINES)):
        yield piece
