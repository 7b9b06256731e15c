"""What the console knows of test runs."""

from __future__ import annotations

import json
from pathlib import Path

from lab.run_book import RunBook
from pbx.store.memory import KEPT_RUNS
from pbx.store.protocol import StoredRun
from test_plans.plan import Case
from test_plans.verdicts import CaseResult


def book(folder: Path = Path("/nowhere")) -> RunBook:
    return RunBook(lambda at: f"at {at:g}", lambda: folder)


def cases(*names: str) -> list[Case]:
    return [Case(id=name, title=f"What {name} shows", severity="normal", roles={}, steps=(), line=1) for name in names]


def test_a_run_lists_the_cases_it_was_begun_with_and_ticks_through_them():
    runs = book()
    run = runs.begin("office", cases("A01", "B01"), 5.0)
    view = runs.progress(run, CaseResult("A01", "What A01 shows", "normal", "passed", seconds=1.5), "done")
    assert (view.started, view.state, view.done) == ("at 5", "running", 1)
    assert [(row.case, row.verdict) for row in view.cases] == [("A01", "passed"), ("B01", "waiting")]


def test_a_run_ended_by_a_fault_says_so_and_has_no_report():
    runs = book()
    run = runs.begin("office", cases("A01"), 5.0)
    runs.give_up(run, "OSError no space left")
    view = runs.view(run)
    assert (view.state, view.note, view.has_report) == (
        "broken",
        "a fault of Switchroom itself: OSError no space left",
        False,
    )
    assert runs.report(run) is None


def test_as_many_runs_are_kept_as_the_store_keeps_and_the_oldest_go(tmp_path):
    runs = book(tmp_path)
    names = [runs.begin("office", cases("A01"), at) for at in range(KEPT_RUNS + 1)]
    assert runs.forget() == []  # they all go on
    for name in names[:3]:
        runs.give_up(name, "fault")
    assert runs.forget() == ["run-1"]
    assert runs.view("run-1") is None


def test_reports_kept_in_the_store_by_an_earlier_version_are_still_shown():
    runs = book()
    case = {"id": "A01", "title": "It boots", "verdict": "passed", "seconds": 2.0, "reason": ""}
    runs.recall([StoredRun("run-7", "office", 5.0, json.dumps({"plan": "office", "cases": [case]}), "<p>old</p>")])
    assert runs.report("run-7") == "<p>old</p>"
    assert runs.took("office") == {"A01": 2.0}
    assert runs.report("run-8") is None
