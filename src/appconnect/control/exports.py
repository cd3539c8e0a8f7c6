"""Activity as files, line by line: CSV for people's tables, JSON lines for programs."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Final

from appconnect.control.activity import every_event, every_refusal
from appconnect.control.context import Context
from appconnect.core.activity import EventFilter, Refusal, RefusalFilter
from appconnect.core.audit import AuditEvent

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a table program run a cell (OWASP, "CSV Injection"); callers choose the paths that they ask for."""


def refusals_csv(context: Context, wanted: RefusalFilter) -> Iterator[str]:
    """A heading and a line for each refusal, the newest first, `at` in ISO 8601."""
    return _csv([field.name for field in fields(Refusal)], map(asdict, every_refusal(context, wanted)))


def refusals_json_lines(context: Context, wanted: RefusalFilter) -> Iterator[str]:
    """An object in each line, the newest first, `at` in seconds since the epoch."""
    return _json_lines(map(asdict, every_refusal(context, wanted)))


def events_csv(context: Context, wanted: EventFilter) -> Iterator[str]:
    """As `refusals_csv`, of audit events."""
    return _csv([field.name for field in fields(AuditEvent)], map(asdict, every_event(context, wanted)))


def events_json_lines(context: Context, wanted: EventFilter) -> Iterator[str]:
    """As `refusals_json_lines`, of audit events."""
    return _json_lines(map(asdict, every_event(context, wanted)))


def _csv(names: Sequence[str], found: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield _line(names)
    for one in found:
        at = datetime.fromtimestamp(one["at"], UTC).isoformat()
        yield _line([_cell(value) for value in {**one, "at": at}.values()])


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json_lines(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(one, ensure_ascii=False) + "\n" for one in found)
