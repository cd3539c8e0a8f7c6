"""Verified tokens, remembered: the signature is checked once per token and snapshot."""

from appconnect.core.access import Access, open_access
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import InvalidToken

MAX_REMEMBERED = 4096


class RememberedAccess:
    """A bounded cache that a new snapshot empties, so that no change is missed."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._accesses: dict[str, Access] = {}

    def open(self, token: str, snapshot: Snapshot, *, now: int) -> Access:
        """As `open_access`."""
        if snapshot is not self._snapshot:
            self._snapshot, self._accesses = snapshot, {}
        access = self._accesses.get(token)
        if access is None:
            access = open_access(token, snapshot, now=now)
            if len(self._accesses) >= MAX_REMEMBERED:
                self._accesses.clear()
            self._accesses[token] = access
        elif now >= access.claims.expires_at:
            del self._accesses[token]
            raise InvalidToken("expired")
        return access
