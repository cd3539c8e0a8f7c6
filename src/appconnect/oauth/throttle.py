"""Slowing down those who guess, by client ID and by address, without ever delaying the right secret."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from appconnect.core.limits import Bucket, Rate

FAILURES = Rate(burst=10, per_second=0.5)
"""Ten mistakes at once are an honest misconfiguration; after that, one answer every two seconds."""
MAX_DELAY_SECONDS = 4.0
MAX_REMEMBERED = 10_000
MAX_DELAYED_AT_ONCE = 200


class Throttle:
    """What each client ID and address has failed lately; bounded, in this worker's memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._delayed = 0

    async def after_failure(self, *who: str) -> None:
        """Note a failure and wait as long as the most suspicious of `who` has to."""
        delay = min(max(map(self._note, who)), MAX_DELAY_SECONDS)
        if delay > 0 and self._delayed < MAX_DELAYED_AT_ONCE:
            self._delayed += 1
            try:
                await asyncio.sleep(delay)
            finally:
                self._delayed -= 1

    def _note(self, who: str) -> float:
        now = self._monotonic()
        bucket = self._buckets.pop(who, None) or FAILURES.full(now=now)
        self._buckets[who], delay = FAILURES.take(bucket, now=now)
        while len(self._buckets) > MAX_REMEMBERED:
            self._buckets.popitem(last=False)
        return delay
