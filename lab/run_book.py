"""The book of test runs: what the console shows of each, kept in the store so that it survives a restart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from lab.console.views import CaseRow, RunView
from test_plans.plan import Plan
from test_plans.verdicts import CaseResult


class RunBook:
    """The runs of this lab, newest first. `words` turns seconds since the epoch into a moment people read."""

    def __init__(self, words: Callable[[float], str]) -> None:
        self._words = words
        self._views: dict[str, RunView] = {}
        self._reports: dict[str, str] = {}

    def recall(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take the runs an earlier process kept: rows of `SqlStore.runs`, newest first."""
        for row in reversed(list(rows)):
            run, document = str(row["id"]), json.loads(row["results"])
            cases = tuple(
                CaseRow(case["id"], case["title"], case["verdict"], case["seconds"], case["reason"])
                for case in document["cases"]
            )
            started = self._words(float(row["started_at"]))
            self._views[run] = RunView(run, str(row["plan"]), started, "done", cases, has_report=True)
            self._reports[run] = str(row["report"])

    def begin(self, plan: Plan, at: float) -> str:
        """Open a run at `at`, seconds since the epoch; return its id."""
        run = f"run-{len(self._views) + 1}"
        rows = tuple(CaseRow(case.id, case.title, "waiting", 0.0) for case in plan.cases)
        self._views[run] = RunView(run, plan.id, self._words(at), "running", rows)
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

    def views(self) -> list[RunView]:
        return list(reversed(self._views.values()))

    def view(self, run: str) -> RunView | None:
        return self._views.get(run)

    def report(self, run: str) -> str | None:
        return self._reports.get(run)
