"""The feed: it watches the revision and turns a change into a new snapshot."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from appconnect.core.snapshot import Snapshot
from appconnect.ports import Clock, Store
from appconnect.telemetry import logger

INTERVAL_SECONDS = 0.25
"""A change counts on every worker within a second: a quarter of it to notice, the rest for loading."""


class Feed:
    """Holds the newest snapshot. While the database is away, the last one stays in force."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._log = logger("store.feed")
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._is_failing = False
        # A thread of its own: whatever else blocks, changes are noticed in time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        self.snapshot = store.snapshot(now=clock())

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Call `listener` with the snapshot now and with each one that follows."""
        self._listeners.append(listener)
        listener(self.snapshot)

    async def watch(self) -> None:
        """Tick until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def tick(self) -> None:
        """Look once for a change; a failure is logged when it begins and when it ends."""
        try:
            changed = await asyncio.get_running_loop().run_in_executor(self._thread, self._load_if_changed)
        except Exception as error:  # noqa: BLE001 - whatever the database does, the last snapshot stays in force
            if not self._is_failing:
                self._log.error("database unavailable, the last known state stays in force", error=str(error))
            self._is_failing = True
            return
        if self._is_failing:
            self._log.info("database available again")
        self._is_failing = False
        if changed is not None:
            self.snapshot = changed
            for listener in self._listeners:
                listener(changed)

    def _load_if_changed(self) -> Snapshot | None:
        if self._store.revision() == self.snapshot.revision:
            return None
        return self._store.snapshot(now=self._clock())
