"""How many requests of one client are under way: a sync job must not starve the site's visitors."""

import asyncio
from collections import deque


class NoSlot(Exception):
    """The client's other requests did not end in time."""


class Slots:
    """`per_client` requests at a time; one more waits up to `max_wait_seconds` and then raises `NoSlot`."""

    def __init__(self, per_client: int, max_wait_seconds: float) -> None:
        self._per_client, self.max_wait_seconds = per_client, max_wait_seconds
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def take(self, client_id: str) -> bool:
        """Take one of the client's places if one is free; `give_back` must follow."""
        taken = self._taken.get(client_id, 0)
        if taken >= self._per_client:
            return False
        self._taken[client_id] = taken + 1
        return True

    def give_back(self, client_id: str) -> None:
        """Hand the place to the client's request that waits the longest, if one does."""
        for waiting in self._waiting.get(client_id, ()):
            if not waiting.done():
                waiting.set_result(None)
                return
        if self._taken[client_id] > 1:
            self._taken[client_id] -= 1
        else:
            del self._taken[client_id]

    async def wait(self, client_id: str) -> None:
        """Wait in turn for one of the client's places, none of which is free; `give_back` must follow."""
        handed = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(client_id, deque())
        queue.append(handed)
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                await handed
        except BaseException as error:
            if handed.done() and not handed.cancelled():  # too late: the place is ours already
                self.give_back(client_id)
            handed.cancel()
            if isinstance(error, TimeoutError):
                raise NoSlot from error
            raise
        finally:
            queue.remove(handed)
            if not queue:
                del self._waiting[client_id]
