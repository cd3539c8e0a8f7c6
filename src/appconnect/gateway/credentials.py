"""Credential health: WordPress answers a lost credential as if to a visitor, so a status code proves nothing."""

import asyncio
from collections.abc import Callable

from appconnect.core.snapshot import Snapshot
from appconnect.ports import CheckCredential, Health
from appconnect.telemetry import logger

CHECK_INTERVAL_SECONDS = 60.0
LOST_INTERVAL_SECONDS = 15.0
"""How long a lost credential is not tried again, so that calls neither reach WordPress nor make passwords there."""


class CredentialHealth:
    """Checks each client's credential once a minute while it is used, and at once where an answer looks anonymous."""

    def __init__(self, check: CheckCredential, monotonic: Callable[[], float]) -> None:
        self._check, self._monotonic = check, monotonic
        self._checked_at: dict[str, float] = {}
        self._lost_at: dict[str, float] = {}
        self._known: tuple[object, object] = (None, {})
        self._running: dict[str, asyncio.Task[Health]] = {}

    def is_lost(self, client_id: str) -> bool:
        """Whether the last check, a moment ago, found the credential lost beyond repair."""
        at = self._lost_at.get(client_id)
        return at is not None and self._monotonic() - at < LOST_INTERVAL_SECONDS

    def note(self, snapshot: Snapshot) -> None:
        """Forget what was lost where the site or a credential changed.

        Nothing else gives WordPress a second chance: a replacement that fails is a change of its own on every worker.
        """
        known = (snapshot.site, snapshot.credentials)
        if known != self._known:
            self._known = known
            self._lost_at.clear()

    def note_use(self, client_id: str) -> None:
        """Start a check in the background where the last one is older than a minute."""
        last = self._checked_at.get(client_id)
        if client_id not in self._running and (last is None or self._monotonic() - last > CHECK_INTERVAL_SECONDS):
            self._start(client_id)

    async def check_now(self, client_id: str) -> Health:
        """Check at once. A check under way may have asked before the answer in doubt: then another one follows."""
        running = self._running.get(client_id)
        if running is not None:
            await asyncio.wait([running])
        return await asyncio.shield(self._running.get(client_id) or self._start(client_id))

    async def close(self) -> None:
        """Drop the checks that are under way."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _start(self, client_id: str) -> asyncio.Task[Health]:
        self._checked_at[client_id] = self._monotonic()
        task = asyncio.create_task(self._run(client_id))
        self._running[client_id] = task
        return task

    async def _run(self, client_id: str) -> Health:
        try:
            health = await self._check(client_id)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, a request gets an answer of ours
            logger("gateway.credentials").error("not checked", client_id=client_id, error=str(error))
            health = Health.UNKNOWN
        finally:
            del self._running[client_id]
        self._lost_at.pop(client_id, None)
        if health is Health.LOST:
            self._lost_at[client_id] = self._monotonic()
        if health is not Health.HEALTHY:
            logger("gateway.credentials").warning("upstream credential", client_id=client_id, health=health.value)
        return health
