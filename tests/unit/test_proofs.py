"""Who may have WordPress asked before anybody has signed in."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from appconnect.console.proofs import MAX_AT_A_TIME, MAX_OF_AN_ADDRESS, MAX_WAITING, Proofs, TooManyProofs


async def test_one_address_holds_few_places_and_others_still_get_one():
    proofs = Proofs()
    async with AsyncExitStack() as held:
        for _ in range(MAX_AT_A_TIME - 1):
            await held.enter_async_context(proofs.place("203.0.113.1"))
        async with proofs.place("198.51.100.7"):
            pass


async def test_an_address_that_asks_too_often_at_once_is_turned_away():
    proofs, release = Proofs(), asyncio.Event()
    at_it = [asyncio.create_task(hold(proofs, "203.0.113.1", release)) for _ in range(MAX_OF_AN_ADDRESS)]
    await asyncio.sleep(0)

    with pytest.raises(TooManyProofs):
        async with proofs.place("203.0.113.1"):
            pass

    release.set()
    await asyncio.gather(*at_it)
    async with proofs.place("203.0.113.1"):
        pass


async def test_beyond_those_who_wait_everybody_is_turned_away():
    proofs, release = Proofs(), asyncio.Event()
    most = MAX_AT_A_TIME + MAX_WAITING
    at_it = [asyncio.create_task(hold(proofs, f"203.0.113.{number}", release)) for number in range(most)]
    await asyncio.sleep(0)

    with pytest.raises(TooManyProofs):
        async with proofs.place("198.51.100.7"):
            pass

    release.set()
    await asyncio.gather(*at_it)


async def hold(proofs: Proofs, address: str, release: asyncio.Event) -> None:
    async with proofs.place(address):
        await release.wait()
