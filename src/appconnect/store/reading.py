"""The store's reading half: everything at first, then only what changed; the rest is shared with what was read last."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from appconnect.core.keys import KeyRing
from appconnect.core.snapshot import Snapshot
from appconnect.core.templates import RouteTemplates
from appconnect.store import history, rows, schema
from appconnect.store.client_reading import ClientReading
from appconnect.store.client_records import ClientRecords
from appconnect.store.policies import StoredPolicies
from appconnect.store.vault import Vault

MAX_CHANGED: Final = 500
"""Of more clients than that, all are read: databases limit what one statement may name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tables held at one point; the snapshot is of a time, and holds until something in it expires."""

    at: history.Point
    now: int
    ends_at: float
    records: ClientRecords
    keys: Sequence[Row[Any]]
    route_templates: str
    snapshot: Snapshot


class Reader:
    """Reads on a connection in a transaction, and remembers what it read last.

    Threads may share it, and wait for each other: else a dozen of them would read everything at the same time.
    """

    def __init__(self, vault: Vault, *, public_url: str) -> None:
        self._vault, self._public_url = vault, public_url
        self._last: Reading | None = None
        self._lock = Lock()

    def read(self, connection: Connection, *, now: int | None) -> Reading:
        """What stands in the tables and has not expired; without a time, as of the last reading."""
        with self._lock:
            last = self._last
            if now is None:
                now = last.now if last is not None else 0
            at, changed = history.look(connection, last.at if last is not None else None)
            if last is None or changed is None or len(changed) > MAX_CHANGED:
                known = last.records.policies if last is not None else {}
                found = ClientReading(connection, self._vault, known, None).records()
                records = ClientRecords().updated(found, found)
            elif at == last.at and last.now <= now < last.ends_at:
                return last
            else:
                records = self._updated(connection, last.records, changed)
            self._last = reading = self._reading(connection, at, records, last, now)
            return reading

    def _updated(self, connection: Connection, records: ClientRecords, client_ids: frozenset[str]) -> ClientRecords:
        if not client_ids:
            return records
        reading = ClientReading(connection, self._vault, records.policies, client_ids)
        return records.updated(reading.records(), client_ids)

    def _reading(
        self, connection: Connection, at: history.Point, records: ClientRecords, last: Reading | None, now: int
    ) -> Reading:
        """With what does not belong to clients: it is little, and read each time."""
        site = connection.execute(select(schema.sites)).one()
        keys = connection.execute(select(schema.signing_keys).order_by(schema.signing_keys.c.kid)).all()
        revoked = _revoked(connection, now)
        templates = site.route_templates or "[]"
        snapshot = Snapshot(
            revision=at.revision,
            public_url=self._public_url,
            site=rows.to_site_address(site),
            switches=rows.to_switches(site),
            key_ring=last.snapshot.key_ring if last is not None and last.keys == keys else self._key_ring(keys),
            clients=records.clients,
            policies=StoredPolicies(records.policies_at(now)),
            credentials=records.credentials,
            revoked_token_ids=frozenset(revoked),
            templates=(
                last.snapshot.templates  # hundreds of patterns
                if last is not None and last.route_templates == templates
                else RouteTemplates(json.loads(templates))
            ),
        )
        ends = (ends_at for ends_at in (*revoked.values(), *records.policies_end_at.values()) if now < ends_at)
        return Reading(at, now, min(ends, default=math.inf), records, keys, templates, snapshot)

    def _key_ring(self, keys: Sequence[Row[Any]]) -> KeyRing:
        return KeyRing(tuple(rows.to_signing_key(row, self._vault) for row in keys))


def _revoked(connection: Connection, now: int) -> dict[str, int]:
    table = schema.revoked_tokens
    found = connection.execute(select(table.c.token_id, table.c.expires_at).where(table.c.expires_at > now))
    return {row.token_id: row.expires_at for row in found}
