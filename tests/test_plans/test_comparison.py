"""What changed from one report to another."""

from __future__ import annotations

import pytest

from test_plans.comparison import cases_of, changes
from test_plans.report.document import document, results
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run


def case(verdict: str, seconds: float = 2.0, reason: str = "") -> dict[str, object]:
    return {"id": "C01", "verdict": verdict, "seconds": seconds, "reason": reason}


@pytest.mark.parametrize(
    ("before", "after", "line", "worse"),
    [
        (case("passed"), case("failed", reason="no ring"), " ✗ C01                passed → failed  no ring", True),
        (case("failed"), case("passed"), " ✓ C01                failed → passed", False),
        (case("blocked"), case("failed", reason="no ring"), " · C01                blocked → failed  no ring", False),
        (case("passed"), case("passed", 9.0), " · C01                passed → passed  2.0 s → 9.0 s", False),
        (case("passed"), None, " ✗ C01                passed → absent", True),
        (None, case("passed"), " ✓ C01                absent → passed", False),
    ],
)
def test_a_change_is_told_and_whether_it_is_for_the_worse(before, after, line, worse):
    old, new = ({"C01": one} if one else {} for one in (before, after))
    [change] = changes(old, new)
    assert (change.text(), change.worse) == (line, worse)


@pytest.mark.parametrize("seconds", [2.0, 2.9, 1.0])
def test_a_little_slower_is_no_change(seconds):
    assert changes({"C01": case("passed")}, {"C01": case("passed", seconds)}) == []


def test_reports_of_real_runs_are_compared():
    good, bad = (cases_of(results(document(run(plan_of(TALK), ToyBench(fault))))) for fault in ("", "rings nobody"))
    assert changes(good, good) == []
    assert [change.worse for change in changes(good, bad)] == [True]
    assert "no call.ringing within 1 s" in changes(good, bad)[0].text()
