"""The flusher: it takes what was recorded to the database, beside the requests and in its own time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from appconnect.core.activity import Activity, merged
from appconnect.ports import Activities, Clock
from appconnect.telemetry import logger

INTERVAL_SECONDS: Final = 2.0


class Flusher:
    """Writes every other second. While the database is away, what was recorded waits in memory, as far as it fits."""

    def __init__(self, take: Callable[[], Activity], activities: Activities, clock: Clock) -> None:
        self._take, self._activities, self._clock = take, activities, clock
        self._log = logger("store.flusher")
        self._waiting = Activity()  # only the thread touches it
        self._is_failing = False
        self._is_closing = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="flusher")

    async def run(self) -> None:
        """Flush until closed, and then once more."""
        while not self._is_closing.is_set():
            try:
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._is_closing.wait()
            except TimeoutError:
                pass
            await self.flush()
        if self._is_failing:
            self._log.error("activity that waited in memory is lost, as this worker ends")
        self._thread.shutdown(wait=False)

    def close(self) -> None:
        """Have `run` end."""
        self._is_closing.set()

    async def flush(self) -> None:
        """Write what there is; a failure is logged when it begins and when it ends."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, self._take())
        except Exception as error:  # noqa: BLE001 - whatever the database does, requests are served and recorded
            if not self._is_failing:
                self._log.error("activity cannot be written, it waits in memory", error=str(error))
            self._is_failing = True
            return
        if self._is_failing:
            self._log.info("activity is written again")
        self._is_failing = False

    def _write(self, taken: Activity) -> None:
        self._waiting = merged(self._waiting, taken)
        if self._waiting != Activity():
            self._activities.write(self._waiting, now=self._clock())
            self._waiting = Activity()
