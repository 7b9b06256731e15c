"""What the console knows of test runs."""

from __future__ import annotations

from lab.run_book import RunBook
from test_plans.plan import Case
from test_plans.verdicts import CaseResult


def book() -> RunBook:
    return RunBook(lambda at: f"at {at:g}")


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
    assert (view.state, view.note, view.has_report) == ("broken", "OSError no space left", False)
    assert runs.report(run) is None
