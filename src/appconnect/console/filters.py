"""Times and numbers in pages: what the templates need and Jinja2 has not.

Register with `environment.filters.update(FILTERS)`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso(at: int) -> str:
    """Seconds since the epoch as `<time datetime>` wants them: `2025-11-24T12:28:05Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(at: int) -> str:
    """Seconds since the epoch for people: `Nov 24, 2025, 12:28 UTC`, whatever the machine's locale."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year}, {moment:%H:%M} UTC"


def thousands(number: int) -> str:
    """A number as people read it: `86,400`."""
    return f"{number:,}"


FILTERS: Final[dict[str, Callable[..., Any]]] = {"iso": iso, "utc": utc, "thousands": thousands}
