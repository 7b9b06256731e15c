"""Drives a plan's runner in real time, as `rehearsal` does in virtual: feeds it events, ticks it when it is due."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from lab.bench import LabBench
from lab.house import House
from lab.waiting import woken
from pbx.events import Stamped
from test_plans.plan import Case, Plan
from test_plans.runner import Progress, Runner
from test_plans.verdicts import RunResult

LIMIT_S = 3600.0
"""A run that takes longer is a fault of the runner, not of the lab."""


class Overrun(RuntimeError):
    """The run did not come to its end."""


def _quiet(result: object, what: str) -> None:
    """Nobody watches."""


def _every(case: Case) -> bool:
    return True


class _Feed:
    """Keeps events until the input that caused them is dealt with: a step may command the switch that published."""

    def __init__(self, house: House, runner: Runner, wake: Callable[[], None] = lambda: None) -> None:
        self._waiting: deque[Stamped] = deque()
        self._runner, self._wake = runner, wake
        self.end = house.bus.subscribe(self._take)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def pass_on(self) -> None:
        while self._waiting:
            self._runner.feed(self._waiting.popleft())

    def _take(self, stamped: Stamped) -> None:
        self._waiting.append(stamped)
        self._wake()


async def run_live(
    house: House,
    plan: Plan,
    *,
    seed: int = 0,
    only: Callable[[Case], bool] = _every,
    side_by_side: int = 5,
    progress: Progress = _quiet,
    limit_s: float = LIMIT_S,
) -> RunResult:
    """Run a plan in real time and return its result; Overrun when it does not end within `limit_s`."""
    wake = asyncio.Event()
    runner = Runner(LabBench(house), plan, seed=seed, only=only, side_by_side=side_by_side, progress=progress)
    feed = _Feed(house, runner, wake.set)
    end = house.now.mono + limit_s
    try:
        runner.start()
        while not runner.done:
            now = house.now.mono
            if now >= end:
                raise Overrun(f"{plan.id} is not over after {limit_s:g} s")
            await woken(wake, max(min(runner.deadline, end) - now, 0.0))
            feed.pass_on()
            runner.tick()
    finally:
        feed.end()
    return runner.result
