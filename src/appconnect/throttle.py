"""Slowing down those who guess, by client ID and by address, without ever delaying the right secret.

It spares the process, not the secrets: 256 random bits are not guessed at any speed. So the right secret always counts,
and nobody shuts a client out by failing in its name.
"""

import asyncio
import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

from appconnect.core.limits import Bucket, Rate

FAILURES: Final = Rate(burst=10, per_second=0.5)
"""Ten mistakes at once are an honest misconfiguration; after that, one answer every two seconds."""
MAX_REMEMBERED: Final = 10_000
MAX_WAITING_EACH: Final = 5
"""How many failures of one client ID or address wait at a time: guessing in parallel gains nothing beyond it."""
MAX_WAITING: Final = 200
MAX_ID_CHARACTERS: Final = 64


class TooManyFailures(Exception):
    """So many failures of one client ID or address wait already that this one is turned away at once."""


class Throttle:
    """What each client ID and address has failed lately; bounded, in this worker's memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._waiting: Counter[str] = Counter()
        self._waiting_in_all = 0

    async def after_failure(self, client_id: str, address: str) -> None:
        """Note a failure, and wait as long as the ID or the address has to; `TooManyFailures` where too many do."""
        who = (f"client {client_id[:MAX_ID_CHARACTERS]}", f"address {_network(address)}")
        delay = max([self._note(one) for one in who])
        if delay == 0:
            return
        if self._waiting_in_all >= MAX_WAITING or any(self._waiting[one] >= MAX_WAITING_EACH for one in who):
            raise TooManyFailures
        self._waiting_in_all += 1
        self._waiting.update(who)
        try:
            await asyncio.sleep(delay)
        finally:
            self._waiting_in_all -= 1
            self._waiting.subtract(who)
            self._waiting += Counter()  # keeps only those who wait

    @property
    def remembered(self) -> int:
        """Of how many client IDs and addresses something is kept."""
        return len(self._buckets) + len(self._waiting)

    def _note(self, who: str) -> float:
        now = self._monotonic()
        bucket = self._buckets.pop(who, None) or FAILURES.full(now=now)
        self._buckets[who], delay = FAILURES.take(bucket, now=now)
        while len(self._buckets) > MAX_REMEMBERED:
            self._buckets.popitem(last=False)
        return delay


def _network(address: str) -> str:
    """An IPv6 host has 2⁶⁴ addresses, so what counts is its network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return address
