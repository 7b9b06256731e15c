"""Drives a plan's runner in real time, as `rehearsal` does in virtual: feeds it events, ticks it when it is due."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Reins:
    """A run that goes on, for who may end it or let its cases go one by one."""

    _runner: Runner
    _wake: Callable[[], None]

    @property
    def result(self) -> RunResult:
        return self._runner.result

    @property
    def waiting(self) -> Case | None:
        """The case that waits to be let go."""
        return self._runner.waiting

    def decide(self, what: str) -> None:
        self._runner.decide(what)
        self._wake()

    def stop(self, reason: str) -> None:
        self._runner.stop(reason)
        self._wake()


def _not_held(reins: Reins) -> None:
    """Nobody holds them."""


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
    one_by_one: bool = False,
    begun: Callable[[Reins], None] = _not_held,
) -> RunResult:
    """Run a plan in real time and return its result; Overrun when it does not end within `limit_s`.

    `begun` is handed the reins before the first case. However it ends, the result they hold is whole then.
    """
    wake = asyncio.Event()
    runner = Runner(
        LabBench(house), plan, seed=seed, only=only, side_by_side=side_by_side, progress=progress, one_by_one=one_by_one
    )
    feed = _Feed(house, runner, wake.set)
    end = house.now.mono + limit_s
    begun(Reins(runner, wake.set))
    ends = ExitStack()
    ends.callback(feed.end)
    ends.enter_context(house.sip_control.run())
    try:
        runner.start()
        while not runner.done:
            now = house.now.mono
            if now >= end:
                raise Overrun(f"{plan.id} is not over after {limit_s:g} s")
            await woken(wake, max(min(runner.deadline, end) - now, 0.0))
            feed.pass_on()
            runner.tick()
    except BaseException as fault:
        runner.abort("switchroom was ended" if isinstance(fault, asyncio.CancelledError) else str(fault))
        raise
    finally:
        ends.close()
    return runner.result
