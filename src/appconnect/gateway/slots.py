"""How many requests of one client are under way: a sync job must not starve the site's visitors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NoSlot(Exception):
    """The client's other requests did not end in time."""


class Slots:
    """`per_client` requests at a time; one more waits up to `max_wait_seconds` and then raises `NoSlot`."""

    def __init__(self, per_client: int, max_wait_seconds: float) -> None:
        self._per_client, self.max_wait_seconds = per_client, max_wait_seconds
        self._semaphores: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def slot(self, client_id: str) -> AsyncIterator[None]:
        """Hold one of the client's places."""
        semaphore = self._semaphores.setdefault(client_id, asyncio.Semaphore(self._per_client))
        self._users[client_id] = self._users.get(client_id, 0) + 1
        try:
            await self._acquire(semaphore)
            try:
                yield
            finally:
                semaphore.release()
        finally:
            self._users[client_id] -= 1
            if not self._users[client_id]:
                del self._users[client_id], self._semaphores[client_id]

    async def _acquire(self, semaphore: asyncio.Semaphore) -> None:
        if not semaphore.locked():
            await semaphore.acquire()
            return
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                await semaphore.acquire()
        except TimeoutError as error:
            raise NoSlot from error
