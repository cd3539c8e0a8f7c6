"""Reading what belongs to clients: of all of them, or of those that changed."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import Column, Connection, Row, Select, false, or_, select

from appconnect.core.clients import ClientSecretHash
from appconnect.ports import ApplicationPassword
from appconnect.store import rows, schema
from appconnect.store.client_records import ClientRecord
from appconnect.store.history import ADMINISTRATOR
from appconnect.store.policies import KeptPolicy, StoredPolicy
from appconnect.store.vault import Vault

LONG_POLICY_CHARACTERS: Final = 16_384
"""One of some 300 rules takes milliseconds to make ready: that is done as it is read, and not while a request waits."""

_Value = TypeVar("_Value")


class ClientReading:
    """One look at the tables, of some clients or of all (None). Policies that are known are not made anew."""

    def __init__(
        self, connection: Connection, vault: Vault, known: Mapping[str, KeptPolicy], client_ids: Collection[str] | None
    ) -> None:
        self._connection, self._vault = connection, vault
        self._known, self._client_ids = known, client_ids

    def records(self) -> dict[str, ClientRecord]:
        """By the client's ID; a client of which nothing was found is left out."""
        secrets, policies, passwords = self._secrets(), self._policies(), self._passwords()
        clients = {row.id: rows.to_client(row, secrets.get(row.id, ())) for row in self._clients()}
        return {
            client_id: ClientRecord(clients.get(client_id), policies.get(client_id, ()), passwords.get(client_id, ()))
            for client_id in dict.fromkeys((*clients, *policies, *passwords))
        }

    def _clients(self) -> Iterable[Row[Any]]:
        table = schema.clients
        return self._found(select(table).order_by(table.c.created_at, table.c.id), table.c.id)

    def _secrets(self) -> dict[str, tuple[ClientSecretHash, ...]]:
        table = schema.client_secrets
        found = self._found(select(table).order_by(table.c.created_at), table.c.client_id)
        return _grouped((row.client_id, ClientSecretHash(row.sha256, row.created_at, row.expires_at)) for row in found)

    def _policies(self) -> dict[str, tuple[StoredPolicy, ...]]:
        table = schema.policies
        found = self._found(select(table), table.c.client_id)
        return _grouped((row.client_id, self._policy(row)) for row in found)

    def _policy(self, row: Row[Any]) -> StoredPolicy:
        kept = self._known.get(row.hash)
        if kept is None or kept.is_damaged:  # it may have been mended
            kept = KeptPolicy(row.hash, row.content)
        if self._client_ids is not None or len(row.content) > LONG_POLICY_CHARACTERS:
            kept.make_ready()
        return StoredPolicy(row.hash, row.superseded_at, kept)

    def _passwords(self) -> dict[str, tuple[ApplicationPassword, ...]]:
        table = schema.application_passwords
        found = self._found(select(table).order_by(table.c.intended_at, table.c.app_id), table.c.client_id)
        return _grouped(
            (row.client_id or ADMINISTRATOR, rows.to_application_password(row, self._vault)) for row in found
        )

    def _found(self, statement: Select[Any], client_id: Column[Any]) -> Iterable[Row[Any]]:
        if self._client_ids is not None:
            is_one = client_id.in_(self._client_ids)
            is_administrators = client_id.is_(None) if ADMINISTRATOR in self._client_ids else false()
            statement = statement.where(or_(is_one, is_administrators))
        return self._connection.execute(statement).all()


def _grouped(pairs: Iterable[tuple[str, _Value]]) -> dict[str, tuple[_Value, ...]]:
    groups: dict[str, tuple[_Value, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups
