"""Activity: what clients use, and which rules and secrets nobody does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Final

from starlette.exceptions import HTTPException

from appconnect.console.activity_filters import address
from appconnect.console.filters import utc
from appconnect.console.web import PageRoute, Result, Shown, Visit
from appconnect.control import activity
from appconnect.control.context import Context
from appconnect.core.activity import DAY_SECONDS, HOUR_SECONDS, ClientUse, UsedIn
from appconnect.core.clients import Client
from appconnect.core.policy import Policy

_PATH: Final = "/activity/usage"
_FIELDS: Final = ("client", "period")
_CLIENTS: Final = 20
"""How many clients a page has: each is asked for its own numbers."""


_Bar = tuple[str, int, int]
"""The name of a step of time, with what was allowed and what was refused in it."""


@dataclass(frozen=True, slots=True)
class _Period:
    name: str
    text: str
    steps: int
    step_seconds: int

    def since(self, now: int) -> int:
        """Where the first of its steps begins; the last is the one that goes on now."""
        return now - now % self.step_seconds - (self.steps - 1) * self.step_seconds


_DAY: Final = _Period("day", "Last 24 hours", 24, HOUR_SECONDS)
_MONTH: Final = _Period("month", "Last 30 days", 30, DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class _Row:
    """A client in the list: what it did, and how many of its rules are unused."""

    client: Client
    use: ClientUse
    last_at: int | None
    secrets: Sequence[activity.SecretUse]
    unused: int
    rules: int


def usage(visit: Visit) -> Result:
    """Of all clients, or of one with each of its rules and secrets."""
    query, clients = visit.query, visit.snapshot.clients
    period = _MONTH if query.text("period") == _MONTH.name else _DAY
    chosen = query.text("client")
    if chosen and chosen not in clients:
        raise HTTPException(404, "There is no such client. It may have been deleted.")
    names = sorted(((one.id, one.name) for one in clients.values()), key=lambda option: option[1].casefold())
    values = {
        "page_title": "Activity",
        "tab": "usage",
        "period": period.name,
        "periods": [(one.name, one.text) for one in (_DAY, _MONTH)],
        "chosen": chosen,
        "clients": [("", "All clients"), *names],
        **_chart(visit.context, chosen or None, period),
    }
    more = (
        _of_one(visit.context, clients[chosen], visit.snapshot.current_policy(clients[chosen]))
        if chosen
        else _of_all(visit, period)
    )
    return Shown("activity_usage.html", {**values, **more})


def _chart(context: Context, client_id: str | None, period: _Period) -> dict[str, object]:
    since = period.since(context.clock())
    used = {one.at: one.use for one in _steps(context, client_id, period)}
    begins = [since + number * period.step_seconds for number in range(period.steps)]
    rows, quiet = _shortened([(_step_name(at, period), use.allowed, use.refused) for at, use in _filled(begins, used)])
    step = "hour" if period is _DAY else "day"
    caption = f"Requests, {period.text.lower()} by the {step}, in UTC"
    return {"chart": rows, "caption": caption, "quiet": quiet, "step": step, "total": _total(used.values())}


def _steps(context: Context, client_id: str | None, period: _Period) -> Sequence[UsedIn]:
    return activity.usage(context, client_id, since=period.since(context.clock())).steps


def _filled(begins: Sequence[int], used: dict[int, ClientUse]) -> list[tuple[int, ClientUse]]:
    """Every step, the newest first: one without anything is a fact too."""
    return [(at, used.get(at, ClientUse())) for at in reversed(begins)]


def _shortened(rows: list[_Bar]) -> tuple[list[_Bar], int]:
    """The steps since the first request, and how many before it had none."""
    last = max((number for number, (_, allowed, refused) in enumerate(rows, 1) if allowed or refused), default=0)
    return rows[:last], len(rows) - last


def _step_name(at: int, period: _Period) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    day = utc(at).partition(", ")[0]
    return f"{day}, {moment:%H:%M}" if period is _DAY else day


def _total(uses: Iterable[ClientUse]) -> ClientUse:
    return reduce(ClientUse.plus, uses, ClientUse())


def _of_one(context: Context, client: Client, policy: Policy) -> dict[str, object]:
    known = activity.activity_of(context, [client])[client.id]
    return {
        "client": client,
        "last_at": known.last_at,
        "rules": activity.rules_of(context, client, policy),
        "secrets": known.secrets,
        "rows": (),
        "previous": "",
        "next": "",
    }


def _of_all(visit: Visit, period: _Period) -> dict[str, object]:
    known = activity.activity_of(visit.context, visit.snapshot.clients.values())
    clients = sorted(visit.snapshot.clients.values(), key=lambda one: (-(known[one.id].last_at or 0), one.name))
    text = visit.query.text("page")
    page = max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
    begin = (page - 1) * _CLIENTS
    shown = clients[begin : begin + _CLIENTS]
    has_more = begin + _CLIENTS < len(clients)
    return {
        "client": None,
        "rows": [_row(visit, one, known[one.id], period) for one in shown],
        "previous": address(_PATH, visit.query, _FIELDS, page=page - 1) if page > 1 else "",
        "next": address(_PATH, visit.query, _FIELDS, page=page + 1) if has_more else "",
    }


def _row(visit: Visit, client: Client, known: activity.ClientActivity, period: _Period) -> _Row:
    use = _total(one.use for one in _steps(visit.context, client.id, period))
    rules = activity.rules_of(visit.context, client, visit.snapshot.current_policy(client))
    unused = sum(1 for rule in rules if rule.is_unused and rule.rule is not None)
    return _Row(client, use, known.last_at, known.secrets, unused, sum(rule.rule is not None for rule in rules))


PAGES: Final = (PageRoute(_PATH, usage, section="activity"),)
