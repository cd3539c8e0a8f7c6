"""How failures are slowed down: who counts together, and how little is kept of them."""

import asyncio

import pytest

from appconnect.throttle import (
    FAILURES,
    MAX_REMEMBERED,
    MAX_WAITING,
    MAX_WAITING_EACH,
    Throttle,
    TooManyFailures,
)

BURST = int(FAILURES.burst)


def throttle() -> Throttle:
    """One whose clock stands still, so that nothing is forgiven."""
    return Throttle(lambda: 0.0)


async def fail(slow: Throttle, times: int, client_id: str = "ac_a", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        await slow.after_failure(client_id, address)


async def is_slowed(slow: Throttle, client_id: str, address: str) -> bool:
    """Whether a failure is not answered at once."""
    task = asyncio.create_task(slow.after_failure(client_id, address))
    await asyncio.sleep(0)
    waits = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return waits


@pytest.mark.parametrize(
    ("client_id", "address", "slowed"),
    [
        pytest.param("ac_a", "192.0.2.1", True, id="both"),
        pytest.param("ac_a", "198.51.100.1", True, id="the same ID from elsewhere"),
        pytest.param("ac_b", "192.0.2.1", True, id="another ID from the same address"),
        pytest.param("ac_b", "198.51.100.1", False, id="neither"),
    ],
)
async def test_failures_count_for_the_id_and_for_the_address(client_id: str, address: str, slowed: bool):
    slow = throttle()
    await fail(slow, BURST)
    assert await is_slowed(slow, client_id, address) is slowed


@pytest.mark.parametrize(
    ("address", "slowed"),
    [("2001:db8::ffff", True), ("2001:db8:0:1::1", False), ("::ffff:192.0.2.1", False)],
)
async def test_the_addresses_of_one_ipv6_network_count_as_one(address: str, slowed: bool):
    """A host has a /64 for itself (RFC 4291 §2.5.1)."""
    slow = throttle()
    for number in range(BURST):
        await slow.after_failure(f"ac_{number}", f"2001:db8::{number}")
    assert await is_slowed(slow, "ac_a", address) is slowed


async def test_few_wait_at_a_time():
    slow = throttle()
    await fail(slow, BURST)
    tasks = [asyncio.create_task(slow.after_failure("ac_a", f"192.0.2.{n}")) for n in range(MAX_WAITING_EACH)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyFailures):
        await slow.after_failure("ac_a", "198.51.100.1")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await is_slowed(slow, "ac_a", "198.51.100.1"), "a place that was left is free again"


async def test_few_wait_in_all_whoever_they_are():
    slow, tasks = throttle(), []
    for host in range(MAX_WAITING // MAX_WAITING_EACH + 1):
        await fail(slow, BURST, f"ac_{host}", f"192.0.2.{host}")
        tasks += [
            asyncio.create_task(slow.after_failure(f"ac_{host}", f"192.0.2.{host}")) for _ in range(MAX_WAITING_EACH)
        ]
    await asyncio.sleep(0)
    assert sum(task.done() for task in tasks) == MAX_WAITING_EACH
    assert all(isinstance(task.exception(), TooManyFailures) for task in tasks if task.done())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_ever_new_names_fill_no_memory():
    slow = throttle()
    for number in range(MAX_REMEMBERED + 100):
        await slow.after_failure(f"ac_{number}" + "x" * 1000, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert slow.remembered <= MAX_REMEMBERED


async def test_what_failed_last_is_what_is_remembered():
    slow = throttle()
    for number in range(MAX_REMEMBERED):
        await slow.after_failure(f"ac_{number}", f"10.0.{number >> 8}.{number & 255}")
        if number % (MAX_REMEMBERED // BURST) == 0:
            await slow.after_failure("ac_a", f"198.51.100.{number % 250}")
    assert await is_slowed(slow, "ac_a", "203.0.113.1")
