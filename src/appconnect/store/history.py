"""Which clients changed since a revision: a worker reads those, and shares the others with its last snapshot."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from appconnect.store import schema

MAX_KEPT: Final = 1_000
"""A worker looks four times a second. One that is further behind reads everything."""
ADMINISTRATOR: Final = ""
"""In place of a client's ID: the application password with which the control plane acts."""
_MARK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Point:
    """A revision of one database. A restored copy comes to the same number by other changes, under another mark.

    A revision that a process of an older version made has none.
    """

    revision: int
    mark: bytes | None


def record(connection: Connection, revision: int, client_ids: Iterable[str]) -> None:
    """Write what a revision changed, and drop what is too long ago."""
    table = schema.changes
    values = {"mark": os.urandom(_MARK_BYTES), "client_ids": json.dumps(sorted(client_ids))}
    connection.execute(insert(table).values(revision=revision, site_id=schema.SITE_ID, **values))
    connection.execute(delete(table).where(table.c.revision <= revision - MAX_KEPT))


def look(connection: Connection, last: Point | None) -> tuple[Point, frozenset[str] | None]:
    """Where the database is now, and the clients that changed since the last look; None where that is not known.

    Each revision since then has to be there, the last one itself included: a process of an older version leaves a gap.
    """
    table = schema.changes
    number = int(connection.execute(select(schema.revision.c.number)).scalar_one())
    since = min(last.revision, number) if last is not None else number
    rows = connection.execute(
        select(table.c.revision, table.c.mark, table.c.client_ids)
        .where(table.c.revision >= since, table.c.revision <= number)
        .order_by(table.c.revision)
    ).all()
    now = Point(number, rows[-1].mark if rows and rows[-1].revision == number else None)
    if now == last:
        return now, frozenset()
    if last is not None and len(rows) == number - since + 1 and rows[0].mark == last.mark:
        return now, frozenset(client_id for row in rows[1:] for client_id in json.loads(row.client_ids))
    return now, None
