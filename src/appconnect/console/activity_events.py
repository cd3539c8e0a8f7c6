"""Activity: audit events, everything that administrators did; the newest come by themselves while one looks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from appconnect.console.activity_filters import PERIODS, address, cursor, download, times
from appconnect.console.activity_words import EVENTS, actor_in_words
from appconnect.console.web import PageRoute, Result, Shown, Visit, attempted
from appconnect.control import activity
from appconnect.control.context import InputError
from appconnect.control.exports import events_csv, events_json_lines
from appconnect.core.activity import EventFilter
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client

_PATH: Final = "/activity/events"
_FIELDS: Final = ("type", "actor", "subject", "text", "period", "since", "until")


@dataclass(frozen=True, slots=True)
class _Row:
    """An event as the list shows it; `client` is the one that it was done to, where that is still there."""

    event: AuditEvent
    client: Client | None

    @property
    def what(self) -> str:
        """What was done, in words."""
        return EVENTS[self.event.type]

    @property
    def actor(self) -> str:
        """Who did it."""
        return actor_in_words(self.event.actor)


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a page has been shown: the second of its newest event, and how many of that second it has."""

    at: int = 0
    shown: int = 0

    @classmethod
    def parse(cls, text: str) -> "_Mark":
        """Read a mark of ours; any other text is that of an empty page."""
        parts = text.split(".")
        is_mark = len(parts) == 2 and all(part.isascii() and part.isdecimal() and len(part) < 15 for part in parts)
        return cls(*map(int, parts)) if is_mark else cls()

    def after(self, events: Iterable[AuditEvent]) -> "_Mark":
        """The mark once these are shown as well, the newest first."""
        known = [event.at for event in events]
        newest = max(known, default=self.at)
        return _Mark(newest, known.count(newest) + (self.shown if newest == self.at else 0))

    def __str__(self) -> str:
        return f"{self.at}.{self.shown}"


def events(visit: Visit) -> Result:
    """Audit events, the newest first; with a `mark`, those that came since."""
    act = _newer if visit.is_partial and visit.query.has("mark") else _list
    return attempted(lambda: act(visit), lambda error: _wrong(visit, error))


def _list(visit: Visit) -> Shown:
    older = cursor(visit.query)
    page = activity.events(visit.context, _wanted(visit), older_than=older)
    return _shown(visit, page.items, _Mark().after(page.items), older=page.older, is_newest=older is None)


def _newer(visit: Visit) -> Shown:
    """The rows that a page lacks; of the second that it ends with, those that it has shown come last."""
    wanted, mark = _wanted(visit), _Mark.parse(visit.query.text("mark"))
    page = activity.events(visit.context, replace(wanted, since=max(mark.at, wanted.since or 0)))
    new = page.items if page.older is not None else page.items[: max(0, len(page.items) - mark.shown)]
    return _shown(visit, new, mark.after(new), older=None, is_newest=True)


def _wrong(visit: Visit, error: InputError) -> Shown:
    shown = _shown(visit, (), _Mark(), older=None, is_newest=True)
    return Shown(shown.template, {**shown.values, "more": ""}, 400, error.problems)


def _shown(visit: Visit, found: Iterable[AuditEvent], mark: _Mark, *, older: int | None, is_newest: bool) -> Shown:
    query = visit.query
    types = sorted(((type_.value, text) for type_, text in EVENTS.items()), key=lambda option: option[1])
    values = {
        "page_title": "Activity",
        "tab": "events",
        "rows": [_Row(event, visit.snapshot.clients.get(event.subject)) for event in found],
        "typed": {name: query.text(name) for name in _FIELDS},
        "types": [("", "All events"), *types],
        "periods": [(name, text) for name, text, _ in PERIODS],
        "is_newest": is_newest,
        "newest": address(_PATH, query, _FIELDS),
        "more": address(_PATH, query, _FIELDS, mark=str(mark)) if is_newest and not query.text("until") else "",
        "older": address(_PATH, query, _FIELDS, older=older) if older is not None else "",
        "csv": address(f"{_PATH}.csv", query, _FIELDS),
        "json_lines": address(f"{_PATH}.jsonl", query, _FIELDS),
    }
    return Shown("activity_events.html", values, partial="_event_rows.html")


def _wanted(visit: Visit) -> EventFilter:
    query = visit.query
    bounds = times(query, now=visit.context.clock())
    return EventFilter(
        type=_type(query.text("type")),
        actor=query.text("actor") or None,
        subject=query.text("subject") or None,
        text=query.text("text") or None,
        since=bounds.since,
        until=bounds.until,
    )


def _type(text: str) -> AuditEventType | None:
    try:
        return AuditEventType(text) if text else None
    except ValueError as error:
        raise InputError.of("type", "There is no such kind of event.", "Choose one of the list.") from error


def as_csv(visit: Visit) -> Result:
    """What is filtered, as a table."""
    return download(
        "audit-events.csv",
        "text/csv",
        lambda: events_csv(visit.context, _wanted(visit)),
        lambda error: _wrong(visit, error),
    )


def as_json_lines(visit: Visit) -> Result:
    """What is filtered, an object in each line."""
    return download(
        "audit-events.jsonl",
        "application/jsonl",
        lambda: events_json_lines(visit.context, _wanted(visit)),
        lambda error: _wrong(visit, error),
    )


PAGES: Final = (
    PageRoute(_PATH, events, section="activity"),
    PageRoute(f"{_PATH}.csv", as_csv, section="activity"),
    PageRoute(f"{_PATH}.jsonl", as_json_lines, section="activity"),
)
