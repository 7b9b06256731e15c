"""The book of test runs: what the console shows of each; the newest survive a restart, as many as are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from lab.console.views import CaseRow, RunView
from pbx.store.memory import KEPT_RUNS
from pbx.store.protocol import StoredRun
from test_plans.plan import Case
from test_plans.report.document import COMPLETE, Document
from test_plans.report.documents import REPORT
from test_plans.verdicts import CaseResult


class RunBook:
    """The runs of this lab, newest first. `words` turns seconds since the epoch into a moment people read.

    `folder` has a folder for each run, `run-12/report.html` in it.
    """

    def __init__(self, words: Callable[[float], str], folder: Callable[[], Path]) -> None:
        self._words, self._folder = words, folder
        self._views: dict[str, RunView] = {}
        self._inline: dict[str, str] = {}
        """Reports kept in the store, as they were until reports lay in folders."""

    def recall(self, kept: Iterable[StoredRun]) -> None:
        """Take the runs an earlier process kept, newest first."""
        for stored in reversed(list(kept)):
            run, read = stored.id, json.loads(stored.results)
            self._views[run] = _view(run, read, self._words(stored.started_at))
            if stored.report:
                self._inline[run] = stored.report

    def begin(self, plan: str, cases: Iterable[Case], at: float) -> str:
        """Open a run of these cases at `at`, seconds since the epoch; return its id."""
        last = max((int(name.removeprefix("run-")) for name in self._views), default=0)
        run = f"run-{last + 1}"
        rows = tuple(CaseRow(case.id, case.title, "waiting", 0.0) for case in cases)
        self._views[run] = RunView(run, plan, self._words(at), "running", rows)
        return run

    def forget(self) -> list[str]:
        """Drop the oldest runs over what is kept; return which."""
        gone = [run for run, view in self._views.items() if view.state != "running"][
            : max(len(self._views) - KEPT_RUNS, 0)
        ]
        for run in gone:
            del self._views[run]
            self._inline.pop(run, None)
        return gone

    def progress(self, run: str, result: CaseResult, what: str, left: str = "") -> RunView:
        """`left` says how long it may still take."""
        verdict = "running" if what == "started" else result.verdict
        row = CaseRow(result.case, result.title, verdict, result.seconds, result.reason)
        view = self._views[run]
        rows = tuple(row if known.case == result.case else known for known in view.cases)
        self._views[run] = replace(view, cases=rows, left=left if any(not row.over for row in rows) else "")
        return self._views[run]

    def finish(self, run: str, it: Document, report: Path, problem: str = "") -> RunView:
        """The run is over, or was ended; `problem` says what of its report could not be written."""
        began = self._views[run].started if run in self._views else it["began_wall"]
        view = replace(_view(run, it, began), has_report=report.is_file())
        note = "; ".join(filter(None, (view.note, problem and f"its report could not be written: {problem}")))
        self._views[run] = replace(view, note=note)
        return self._views[run]

    def give_up(self, run: str, fault: str) -> RunView:
        """The run ended by a fault of our own and has no report."""
        self._views[run] = replace(self._views[run], state="broken", note=f"a fault of Switchroom itself: {fault}")
        return self._views[run]

    def took(self, plan: str, *, but: str = "") -> Mapping[str, float]:
        """Return the seconds each case of a plan took in its newest run."""
        runs = (view for view in self.views() if view.plan == plan and view.run != but and view.state == "done")
        newest = next(runs, None)
        return {row.case: row.seconds for row in newest.cases if row.seconds} if newest is not None else {}

    def views(self) -> list[RunView]:
        return list(reversed(self._views.values()))

    def view(self, run: str) -> RunView | None:
        return self._views.get(run)

    def evidence(self, run: str, case: str, name: str) -> Path | None:
        if run not in self._views or {case, name} & {"", ".", ".."} or "/" in case + name:
            return None
        path = self._folder() / run / "evidence" / case / name
        return path if path.is_file() else None

    def report(self, run: str) -> str | None:
        if run not in self._views:
            return None
        try:
            return (self._folder() / run / REPORT).read_bytes().decode("utf-8", "replace")
        except OSError:
            return self._inline.get(run)


def _view(run: str, read: Document, began: str) -> RunView:
    rows = tuple(
        CaseRow(case["id"], case["title"], case["verdict"], case["seconds"], case["reason"]) for case in read["cases"]
    )
    interrupted = read.get("interrupted") or ""
    state = "done" if read.get("state", COMPLETE) == COMPLETE else "interrupted"
    return RunView(run, read["plan"], began, state, rows, has_report=True, note=interrupted)
