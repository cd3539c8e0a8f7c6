"""Verified tokens, remembered: a signature is checked once per token, and what it opens once per snapshot."""

import math
from typing import Final

from appconnect.core.access import Access, access_of
from appconnect.core.keys import KeyRing
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import Claims, InvalidToken, verify

MAX_REMEMBERED: Final = 16_384
"""Room for a token of each of ten thousand clients, in some 25 MB. Of more tokens, the oldest is forgotten."""


class RememberedAccess:
    """Claims are remembered while the same keys verify; what they open is found anew in each snapshot.

    Most snapshots change one client of thousands: for the others a look at it takes microseconds, where to verify a
    signature would take a hundred times as long.
    """

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._accesses: dict[str, Access] = {}
        self._verified: dict[str, Claims] = {}
        self._verified_by: tuple[KeyRing, str, str] | None = None
        self._keys_end_at: float = -math.inf

    def open(self, token: str, snapshot: Snapshot, *, now: int) -> Access:
        """As `open_access`."""
        if snapshot is not self._snapshot or now >= self._keys_end_at:
            self._begin(snapshot, now)
        access = self._accesses.get(token)
        if access is not None and now < access.claims.expires_at:
            return access
        access = self._accesses[token] = access_of(self._claims(token, snapshot, now), snapshot)
        return access

    def _begin(self, snapshot: Snapshot, now: int) -> None:
        """Nothing is open yet. Claims count no more once a key is added, removed or retired."""
        self._snapshot, self._accesses = snapshot, {}
        verified_by = (snapshot.key_ring, snapshot.issuer, snapshot.audience)
        if verified_by != self._verified_by or now >= self._keys_end_at:
            self._verified_by, self._verified = verified_by, {}
            retirements = (key.retired_at for key in snapshot.key_ring.keys if key.retired_at is not None)
            self._keys_end_at = min((at for at in retirements if now < at), default=math.inf)

    def _claims(self, token: str, snapshot: Snapshot, now: int) -> Claims:
        claims = self._verified.get(token)
        if claims is not None and now < claims.expires_at:
            return claims
        if claims is not None:
            self._forget(token)
            raise InvalidToken("expired")
        claims = verify(token, snapshot.key_ring, issuer=snapshot.issuer, audience=snapshot.audience, now=now)
        if len(self._verified) >= MAX_REMEMBERED:
            self._forget(next(iter(self._verified)))
        self._verified[token] = claims
        return claims

    def _forget(self, token: str) -> None:
        del self._verified[token]
        self._accesses.pop(token, None)
