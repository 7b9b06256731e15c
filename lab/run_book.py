"""The book of test runs: what the console shows of each, kept in the store so that it survives a restart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from lab.console.views import CaseRow, RunView
from pbx.store.protocol import StoredRun
from test_plans.plan import Case
from test_plans.verdicts import CaseResult


class RunBook:
    """The runs of this lab, newest first. `words` turns seconds since the epoch into a moment people read."""

    def __init__(self, words: Callable[[float], str]) -> None:
        self._words = words
        self._views: dict[str, RunView] = {}
        self._reports: dict[str, str] = {}

    def recall(self, kept: Iterable[StoredRun]) -> None:
        """Take the runs an earlier process kept, newest first."""
        for stored in reversed(list(kept)):
            run, document = stored.id, json.loads(stored.results)
            cases = tuple(
                CaseRow(case["id"], case["title"], case["verdict"], case["seconds"], case["reason"])
                for case in document["cases"]
            )
            self._views[run] = RunView(run, stored.plan, self._words(stored.started_at), "done", cases, has_report=True)
            self._reports[run] = stored.report

    def begin(self, plan: str, cases: Iterable[Case], at: float) -> str:
        """Open a run of these cases at `at`, seconds since the epoch; return its id."""
        last = max((int(name.removeprefix("run-")) for name in self._views), default=0)
        run = f"run-{last + 1}"
        rows = tuple(CaseRow(case.id, case.title, "waiting", 0.0) for case in cases)
        self._views[run] = RunView(run, plan, self._words(at), "running", rows)
        return run

    def progress(self, run: str, result: CaseResult, what: str) -> RunView:
        verdict = "running" if what == "started" else result.verdict
        row = CaseRow(result.case, result.title, verdict, result.seconds, result.reason)
        view = self._views[run]
        rows = tuple(row if known.case == result.case else known for known in view.cases)
        self._views[run] = replace(view, cases=rows)
        return self._views[run]

    def finish(self, run: str, report: str) -> RunView:
        self._reports[run] = report
        self._views[run] = replace(self._views[run], state="done", has_report=True)
        return self._views[run]

    def give_up(self, run: str, fault: str) -> RunView:
        """The run ended by a fault of our own and has no report."""
        self._views[run] = replace(self._views[run], state="broken", note=fault)
        return self._views[run]

    def views(self) -> list[RunView]:
        return list(reversed(self._views.values()))

    def view(self, run: str) -> RunView | None:
        return self._views.get(run)

    def report(self, run: str) -> str | None:
        return self._reports.get(run)
