"""One run of a plan on the office of this process: shown in the console as it goes, kept in the store at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from lab.bench import LabBench
from lab.console.views import RunView
from lab.errors import OUR_FAULT
from lab.run_book import RunBook
from lab.runs import run_live
from lab.service import Lab
from pbx.store.protocol import RunSaved, StoredRun
from test_plans.binding import spread
from test_plans.plan import Case, Plan
from test_plans.preview import preview
from test_plans.report.console import case_line
from test_plans.report.html import html
from test_plans.report.junit import junit
from test_plans.report.markdown import markdown
from test_plans.report.results import results
from test_plans.runner import Progress
from test_plans.verdicts import CaseResult, RunResult


@dataclass(slots=True)
class LiveRun:
    """A run others watch: its lines so far, and at its end its exit code and documents, or the fault that ended it."""

    run: str
    done: Coroutine[Any, Any, None]
    lines: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    over: bool = False
    exit_code: int = OUR_FAULT
    fault: str = ""
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, line: str) -> None:
        self.lines.append(line)
        self._wake()

    def end(self) -> None:
        self.over = True
        self._wake()

    async def beyond(self, lines: int, within_s: float) -> None:
        """Wait until there are more than so many lines or the run is over, at most `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                while not self.over and len(self.lines) <= lines:
                    await self._grown.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        """Wake everybody who waits now; who comes later waits for the next change."""
        self._grown.set()
        self._grown = asyncio.Event()


RunStarter = Callable[[Plan, Callable[[Case], bool]], LiveRun]


def _quiet(result: CaseResult, what: str) -> None:
    """Nobody watches."""


def _every(case: Case) -> bool:
    return True


class RunDesk:
    """Runs plans on a lab; `shown` is told of each change of a run, `said` the words of each outcome."""

    def __init__(self, lab: Lab, book: RunBook, shown: Callable[[RunView], None], said: Callable[[str], None]) -> None:
        self._lab, self._book, self._shown, self._said = lab, book, shown, said

    async def run(self, plan: Plan, *, only: Callable[[Case], bool] = _every, progress: Progress = _quiet) -> RunResult:
        began, plan = self._now(), self._spread(plan)
        return await self._finish(self._begin(plan, only, began), began, plan, only, progress)

    def start(self, plan: Plan, only: Callable[[Case], bool]) -> LiveRun:
        """Begin a run; the caller awaits or schedules `done`."""

        def progress(result: CaseResult, what: str) -> None:
            if what == "done":
                live.say(case_line(result))

        async def done() -> None:
            try:
                result = await self._finish(live.run, began, plan, only, progress)
                live.documents["results.json"] = results(result)
                live.documents["junit.xml"] = junit(result)
                live.documents["report.html"] = html(result)
                live.documents["summary.md"] = markdown(result)
                live.exit_code = result.exit_code
            except Exception as error:  # noqa: BLE001 - the lab lives on; who asked for the run is told
                live.fault = f"{type(error).__name__}: {error}"
            finally:
                live.end()

        began, plan = self._now(), self._spread(plan)
        live = LiveRun(self._begin(plan, only, began), done())
        return live

    def preview(self, plan: Plan, only: Callable[[Case], bool]) -> list[str]:
        """Return what such a run would do with the devices there are now."""
        return list(preview(plan, LabBench(self._lab).devices(), only=only))

    def _begin(self, plan: Plan, only: Callable[[Case], bool], began: float) -> str:
        return self._book.begin(plan.id, filter(only, plan.cases), began)

    async def _finish(
        self, run: str, began: float, plan: Plan, only: Callable[[Case], bool], progress: Progress
    ) -> RunResult:
        def told(result: CaseResult, what: str) -> None:
            self._shown(self._book.progress(run, result, what))
            if what == "done":
                self._said(f"{result.case} {result.verdict}")
            progress(result, what)

        try:
            result = await run_live(self._lab, plan, only=only, progress=told)
        except BaseException as fault:
            self._shown(self._book.give_up(run, f"{type(fault).__name__} {fault}".strip()))
            raise
        report = html(result)
        self._lab.store.submit(RunSaved(StoredRun(run, plan.id, began, results(result), report)))
        self._shown(self._book.finish(run, report))
        return result

    def _spread(self, plan: Plan) -> Plan:
        """Every case that will be run stands in the book from the start, those for each device too."""
        return spread(plan, LabBench(self._lab).devices())

    def _now(self) -> float:
        return self._lab.now.wall.timestamp()
