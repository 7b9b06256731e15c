"""Waiting in the real world: for something to hold, asked at every event and now and then between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lab.shell import RealClock
from pbx.bus import Bus

LOOK_S = 0.05
"""A phone learns of its registration a moment after the switch has said so on the bus."""


async def until(bus: Bus, clock: RealClock, holds: Callable[[], bool], within_s: float) -> bool:
    """Wait until `holds`, at most `within_s`; return whether it does."""
    wake = asyncio.Event()
    end = bus.subscribe(lambda stamped: wake.set())
    deadline = clock.mono() + within_s
    try:
        while not holds():
            left = deadline - clock.mono()
            if left <= 0:
                return False
            await woken(wake, min(left, LOOK_S))
        return True
    finally:
        end()


async def woken(wake: asyncio.Event, within_s: float | None) -> None:
    """Wait for `wake`, at most `within_s`, and put it out again."""
    try:
        async with asyncio.timeout(within_s):
            await wake.wait()
    except TimeoutError:
        return
    finally:
        wake.clear()
