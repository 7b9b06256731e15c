"""One run of a plan on the office of this process: shown in the console as it goes, kept in a folder of its own.

The folder has a journal that grows while the run goes on, and its documents once it is over. What a process left
without an end, because it was killed, is told by the next one from the journal.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.bench import LabBench
from lab.chronicle import Chronicle, Kept
from lab.console.views import RunView
from lab.errors import OUR_FAULT
from lab.evidence.bundle import Bundle
from lab.evidence.keeper import Keeper, Sources
from lab.journal_file import JournalFile
from lab.run_book import RunBook
from lab.runs import Reins, run_live
from lab.service import Lab
from lab.terms import Terms
from pbx.store.protocol import RunSaved, StoredRun
from test_plans.binding import spread
from test_plans.plan import Case, Plan
from test_plans.preview import preview
from test_plans.remaining import in_words
from test_plans.report import documents
from test_plans.report.console import case_line
from test_plans.report.document import Document, document, exit_code
from test_plans.report.journal import recalled
from test_plans.runner import Progress
from test_plans.verdicts import CaseResult, RunResult

JOURNAL, TAPS = "journal.jsonl", "taps"


@dataclass(slots=True)
class LiveRun:
    """A run others watch: what was said so far, and at its end its exit code, or the fault that ended it."""

    run: str
    folder: Path
    done: Coroutine[Any, Any, None] | None = None
    """Whoever started it awaits or schedules this."""
    lines: list[str] = field(default_factory=list)
    """For a terminal."""
    journal: list[str] = field(default_factory=list)
    """For a program: the lines of its journal."""
    over: bool = False
    reins: Reins | None = None
    exit_code: int = OUR_FAULT
    fault: str = ""
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, line: str) -> None:
        self.lines.append(line)
        self._wake()

    def tell(self, line: str) -> None:
        self.journal.append(line)
        self._wake()

    @property
    def waiting(self) -> str:
        """The case that waits to be let go; empty for none."""
        case = self.reins.waiting if self.reins is not None and not self.over else None
        return f"{case.id} {case.title}" if case is not None else ""

    def end(self) -> None:
        self.over = True
        self._wake()

    async def beyond(self, lines: int, within_s: float) -> None:
        """Wait until there are more than so many lines, a case waits or the run is over; at most `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                while not self.over and len(self.lines) <= lines and not self.waiting:
                    await self._grown.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        """Wake everybody who waits now; who comes later waits for the next change."""
        self._grown.set()
        self._grown = asyncio.Event()


RunStarter = Callable[[Plan, Callable[[Case], bool], Terms], LiveRun]


def _quiet(result: CaseResult, what: str) -> None:
    """Nobody watches."""


def _every(case: Case) -> bool:
    return True


class RunDesk:
    """Runs plans on a lab; `shown` is told of each change of a run, `said` case and verdict of each outcome."""

    def __init__(
        self, lab: Lab, book: RunBook, shown: Callable[[RunView], None], said: Callable[[str, str], None]
    ) -> None:
        self._lab, self._book, self._shown, self._said = lab, book, shown, said

    async def run(
        self,
        plan: Plan,
        *,
        only: Callable[[Case], bool] = _every,
        progress: Progress = _quiet,
        begun: Callable[[Reins], None] = lambda reins: None,
    ) -> RunResult:
        """Run a plan and wait for it; whatever ends it, what was over by then is kept."""
        plan = self._spread(plan)
        live = self._opened(plan, only)

        def held(reins: Reins) -> None:
            live.reins = reins
            begun(reins)

        try:
            return await self._carry_out(live, plan, only, progress, Terms(), held)
        finally:
            live.end()

    def start(self, plan: Plan, only: Callable[[Case], bool], terms: Terms) -> LiveRun:
        """Begin a run; the caller awaits or schedules `done`."""

        def progress(result: CaseResult, what: str) -> None:
            if what == "done":
                live.say(case_line(result))

        def held(reins: Reins) -> None:
            live.reins = reins

        async def done() -> None:
            try:
                result = await self._carry_out(live, plan, only, progress, terms, held)
                live.exit_code = exit_code(document(result))
            except Exception as error:  # noqa: BLE001 - the lab lives on; who asked for the run is told
                live.fault = f"{type(error).__name__}: {error}"
            finally:
                live.end()

        plan = self._spread(plan)
        live = self._opened(plan, only)
        live.done = done()
        return live

    def preview(self, plan: Plan, only: Callable[[Case], bool]) -> list[str]:
        """Return what such a run would do with the devices there are now."""
        return list(preview(plan, LabBench(self._lab).devices(), only=only))

    def recall(self) -> None:
        """Take the runs an earlier process kept, and tell those that it could not end."""
        self._book.recall(self._lab.store.runs())
        for folder in sorted(self._lab.runs_folder.glob("run-*"), key=lambda path: path.stat().st_mtime):
            if self._book.view(folder.name) is None:
                try:
                    it = recalled((folder / JOURNAL).read_text("utf-8", "replace").splitlines())
                except (OSError, ValueError):
                    shutil.rmtree(folder, ignore_errors=True)  # killed before its first case
                    continue
                self._note(folder, it, _written(folder, it))

    def _opened(self, plan: Plan, only: Callable[[Case], bool]) -> LiveRun:
        run = self._book.begin(plan.id, filter(only, plan.cases), self._now())
        folder = self._lab.runs_folder / run
        for gone in self._book.forget():
            shutil.rmtree(self._lab.runs_folder / gone, ignore_errors=True)
        return LiveRun(run, folder)

    async def _carry_out(
        self,
        live: LiveRun,
        plan: Plan,
        only: Callable[[Case], bool],
        progress: Progress,
        terms: Terms,
        held: Callable[[Reins], None],
    ) -> RunResult:
        run, journal = live.run, JournalFile(live.folder / JOURNAL)

        def say(line: str) -> None:
            journal.say(line)
            live.tell(line)

        taps, writing = live.folder / TAPS, set[asyncio.Task[None]]()

        def keep(bundle: Bundle, kept: Kept) -> None:
            async def write() -> None:
                kept(*await asyncio.to_thread(bundle.write, live.folder))

            task = asyncio.get_running_loop().create_task(write(), name=f"evidence of {bundle.case}")
            writing.add(task)
            task.add_done_callback(writing.discard)

        lab = self._lab
        sources = Sources(lab.sip_address, lambda: lab.provisioning.office, taps, lab.tls_secrets)
        chronicle = Chronicle(
            lab, say, lab.clock.now, terms, known=self._book.took(plan.id, but=run), keeper=Keeper(lab, sources),
            keep=keep,
        )  # fmt: skip
        result: RunResult | None = None

        def told(case: CaseResult, what: str) -> None:
            chronicle.told(case, what)
            if what in ("started", "done"):
                self._shown(self._book.progress(run, case, what, in_words(chronicle.left_s)))
            if what == "done":
                self._said(case.case, case.verdict)
            progress(case, what)

        def begun(reins: Reins) -> None:
            nonlocal result
            result = reins.result
            chronicle.begin(result)
            held(reins)

        if terms.evidence != "none":
            lab.tap(taps)
        try:
            await run_live(lab, plan, only=only, progress=told, one_by_one=terms.one_by_one, begun=begun)
        except BaseException as fault:
            if result is None:
                self._shown(self._book.give_up(run, f"{type(fault).__name__} {fault}".strip()))
            else:
                chronicle.end(result)
                self._note(live.folder, document(result), _written(live.folder, document(result)))
            raise
        else:
            assert result is not None, "a run that was begun has one"
            await asyncio.gather(*writing)
            chronicle.end(result)
            it = document(result)
            self._note(live.folder, it, await asyncio.to_thread(_written, live.folder, it))
            return result
        finally:
            journal.close()
            lab.tap(None)
            shutil.rmtree(taps, ignore_errors=True)

    def _note(self, folder: Path, it: Document, problem: str) -> None:
        """Note in store and book what became of a run whose documents were written, or could not be."""
        self._lab.store.submit(RunSaved(StoredRun(folder.name, it["plan"], self._now(), _slim(it), "")))
        self._shown(self._book.finish(folder.name, it, folder / documents.REPORT, problem))

    def _spread(self, plan: Plan) -> Plan:
        """Every case that will be run stands in the book from the start, those for each device too."""
        return spread(plan, LabBench(self._lab).devices())

    def _now(self) -> float:
        return self._lab.now.wall.timestamp()


def _written(folder: Path, it: Document) -> str:
    return documents.write(it, {name: folder / name for name in documents.FORMS})


def _slim(it: Document) -> str:
    """What a list of runs shows of one; the whole lies in its folder."""
    shown = ("id", "title", "verdict", "seconds", "reason")
    cases = [{name: case[name] for name in shown} for case in it["cases"]]
    return json.dumps({**{name: it[name] for name in ("version", "plan", "state", "interrupted")}, "cases": cases})
