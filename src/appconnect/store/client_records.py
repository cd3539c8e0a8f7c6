"""What belongs to clients, as values: made of what was found in the tables, and shared where nothing changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from appconnect.core.clients import Client
from appconnect.core.snapshot import UpstreamCredential
from appconnect.ports import ApplicationPassword, PasswordState
from appconnect.store.policies import KeptPolicy, StoredPolicy


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A client with its policies and its application passwords, which may outlive it."""

    client: Client | None = None
    policies: tuple[StoredPolicy, ...] = ()
    passwords: tuple[ApplicationPassword, ...] = ()

    @property
    def credential(self) -> UpstreamCredential | None:
        """The application password that is in use, unless it is the administrator's."""
        in_use = [one for one in self.passwords if one.state is PasswordState.IN_USE and one.client_id is not None]
        return in_use[-1].credential if in_use else None


_NOTHING = ClientRecord()
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ClientRecords:
    """The records by their client's ID, and for a snapshot: clients, policies by hash, upstream credentials.

    Not edited once they are made. To copy the dicts takes a fraction of a millisecond for ten thousand clients; to look
    at each client would take several.
    """

    records: Mapping[str, ClientRecord] = field(default_factory=dict)
    clients: Mapping[str, Client] = field(default_factory=dict)
    credentials: Mapping[str, UpstreamCredential] = field(default_factory=dict)
    policies: Mapping[str, KeptPolicy] = field(default_factory=dict)
    policies_end_at: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def passwords(self) -> tuple[ApplicationPassword, ...]:
        """All application passwords, the oldest first."""
        found = [password for record in self.records.values() for password in record.passwords]
        return tuple(sorted(found, key=lambda password: (password.intended_at, password.app_id)))

    def updated(self, found: Mapping[str, ClientRecord], client_ids: Iterable[str]) -> "ClientRecords":
        """These, with what was found of some clients in place of what was known of them."""
        records, clients, credentials = dict(self.records), dict(self.clients), dict(self.credentials)
        policies, policies_end_at = dict(self.policies), dict(self.policies_end_at)
        for client_id in client_ids:
            for policy in records.get(client_id, _NOTHING).policies:
                policies.pop(policy.hash, None)
                policies_end_at.pop(policy.hash, None)
            record = found.get(client_id, _NOTHING)
            for policy in record.policies:
                policies[policy.hash] = policy.kept
                if policy.ends_at is not None:
                    policies_end_at[policy.hash] = policy.ends_at
            _put(records, client_id, record if record is not _NOTHING else None)
            _put(clients, client_id, record.client)
            _put(credentials, client_id, record.credential)
        if not clients.keys() <= self.clients.keys():
            clients = {client.id: client for client in sorted(clients.values(), key=_age)}
        return ClientRecords(records, clients, credentials, policies, policies_end_at)

    def policies_at(self, now: int) -> Mapping[str, KeptPolicy]:
        """Without those that no token can name any more."""
        expired = {policy_hash for policy_hash, ends_at in self.policies_end_at.items() if now >= ends_at}
        if not expired:
            return self.policies
        return {policy_hash: kept for policy_hash, kept in self.policies.items() if policy_hash not in expired}


def _put(into: dict[str, _Value], key: str, value: _Value | None) -> None:
    """A changed value keeps its place; one that is no more leaves it."""
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value


def _age(client: Client) -> tuple[int, str]:
    return client.created_at, client.id
