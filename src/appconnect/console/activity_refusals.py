"""Activity: refused requests, each with what would have allowed it, and the way to try it."""

from dataclasses import dataclass
from typing import Final

from appconnect.console.activity_filters import PERIODS, address, cursor, download, times
from appconnect.console.activity_words import REASONS, Why, try_path, why
from appconnect.console.web import PageRoute, Result, Shown, Visit, attempted
from appconnect.control import activity
from appconnect.control.context import InputError
from appconnect.control.exports import refusals_csv, refusals_json_lines
from appconnect.core.activity import DAY_SECONDS, Refusal, RefusalFilter
from appconnect.core.clients import Client

_PATH: Final = "/activity"
_FIELDS: Final = ("client", "reason", "text", "period", "since", "until")
KEPT_SECONDS: Final = 90 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class _Row:
    """A refusal as the list shows it; `client` is None where none is known any more."""

    refusal: Refusal
    client: Client | None
    why: Why

    @property
    def target(self) -> str:
        """What was asked for."""
        return f"{self.refusal.path}?{self.refusal.query}" if self.refusal.query else self.refusal.path

    @property
    def try_path(self) -> str | None:
        """Where to try the same request; the token endpoint has nothing to try."""
        return try_path(self.client.id, self.refusal) if self.client is not None else None


def refusals(visit: Visit) -> Result:
    """Refused requests, the newest first."""
    return attempted(lambda: _list(visit), lambda error: _wrong(visit, error))


def _list(visit: Visit) -> Shown:
    wanted, older = _wanted(visit), cursor(visit.query)
    page = activity.refusals(visit.context, wanted, older_than=older)
    since = wanted.since if wanted.since is not None else visit.context.clock() - KEPT_SECONDS
    rows = [_Row(one, visit.snapshot.clients.get(one.client_id or ""), why(one.code)) for one in page.items]
    lost = activity.lost(visit.context, since=since)
    return _shown(visit, rows, older=page.older, is_newest=older is None, lost=lost)


def _wrong(visit: Visit, error: InputError) -> Shown:
    shown = _shown(visit, [], older=None, is_newest=True, lost=0)
    return Shown(shown.template, shown.values, 400, error.problems)


def _shown(visit: Visit, rows: list[_Row], *, older: int | None, is_newest: bool, lost: int) -> Shown:
    query = visit.query
    clients = sorted(visit.snapshot.clients.values(), key=lambda one: one.name.casefold())
    values = {
        "page_title": "Activity",
        "tab": "refusals",
        "rows": rows,
        "lost": lost,
        "typed": {name: query.text(name) for name in _FIELDS},
        "clients": [("", "All clients"), *((one.id, one.name) for one in clients)],
        "reasons": [("", "All reasons"), *sorted(((code, one.reason) for code, one in REASONS.items()), key=_by_text)],
        "periods": [(name, text) for name, text, _ in PERIODS],
        "is_filtered": any(query.text(name) for name in _FIELDS),
        "newest": "" if is_newest else address(_PATH, query, _FIELDS),
        "older": address(_PATH, query, _FIELDS, older=older) if older is not None else "",
        "csv": address(f"{_PATH}/refusals.csv", query, _FIELDS),
        "json_lines": address(f"{_PATH}/refusals.jsonl", query, _FIELDS),
    }
    return Shown("activity_refusals.html", values)


def _by_text(option: tuple[str, str]) -> str:
    return option[1].casefold()


def _wanted(visit: Visit) -> RefusalFilter:
    query = visit.query
    bounds = times(query, now=visit.context.clock())
    return RefusalFilter(
        client_id=query.text("client") or None,
        code=query.text("reason") or None,
        text=query.text("text") or None,
        since=bounds.since,
        until=bounds.until,
    )


def as_csv(visit: Visit) -> Result:
    """What is filtered, as a table."""
    return download(
        "refusals.csv",
        "text/csv",
        lambda: refusals_csv(visit.context, _wanted(visit)),
        lambda error: _wrong(visit, error),
    )


def as_json_lines(visit: Visit) -> Result:
    """What is filtered, an object in each line."""
    return download(
        "refusals.jsonl",
        "application/jsonl",
        lambda: refusals_json_lines(visit.context, _wanted(visit)),
        lambda error: _wrong(visit, error),
    )


PAGES: Final = (
    PageRoute(_PATH, refusals, section="activity"),
    PageRoute(f"{_PATH}/refusals.csv", as_csv, section="activity"),
    PageRoute(f"{_PATH}/refusals.jsonl", as_json_lines, section="activity"),
)
