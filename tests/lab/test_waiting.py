"""Whoever waits ends when told to, also in the very turn in which what it waits for happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from lab.shell import RealClock
from lab.waiting import until, woken
from pbx.bus import Bus
from pbx.events import ClockStepped


def after_turns(turns: int, act: Callable[[], object]) -> None:
    """Do something so many turns of the loop from now."""
    if turns == 0:
        act()
    else:
        asyncio.get_running_loop().call_soon(after_turns, turns - 1, act)


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancellation_that_meets_the_event_is_not_swallowed(turns: int) -> None:
    wake = asyncio.Event()

    async def wait_for_more() -> None:
        while True:
            await woken(wake, 60.0)

    waiting = asyncio.get_running_loop().create_task(wait_for_more())
    after_turns(3, wake.set)
    after_turns(3 + turns, waiting.cancel)
    async with asyncio.timeout(5):
        await asyncio.wait([waiting])
    assert waiting.cancelled()


@pytest.mark.parametrize("turns", range(6))
async def test_until_is_cancelled_whatever_happens_in_that_turn(turns: int) -> None:
    bus, clock = Bus(), RealClock()
    waiting = asyncio.get_running_loop().create_task(until(bus, clock, lambda: False, 60.0))
    after_turns(3, lambda: bus.publish(ClockStepped(1.0), clock.now()))
    after_turns(3 + turns, waiting.cancel)
    async with asyncio.timeout(5):
        await asyncio.wait([waiting])
    assert waiting.cancelled()
