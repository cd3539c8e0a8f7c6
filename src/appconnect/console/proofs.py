"""Who may have WordPress asked before anybody has signed in: few at a time, and few waiting, whoever floods."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

MAX_AT_A_TIME: Final = 2
MAX_WAITING: Final = 10
MAX_OF_AN_ADDRESS: Final = 3
"""At work or waiting; a house of administrators behind one address signs in one after the other."""


class TooManyProofs(Exception):
    """So many are at it already that this one is turned away before WordPress is asked."""


class Proofs:
    """Places for those who bring something from WordPress's approval page."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_AT_A_TIME)
        self._of_address: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, address: str) -> AsyncIterator[None]:
        """Hold a place, as soon as there is one; `TooManyProofs` where too many wait for it."""
        if self._of_address.total() >= MAX_AT_A_TIME + MAX_WAITING or self._of_address[address] >= MAX_OF_AN_ADDRESS:
            raise TooManyProofs
        self._of_address[address] += 1
        try:
            async with self._places:
                yield
        finally:
            self._of_address[address] -= 1
            self._of_address += Counter()  # keeps only those who are at it
