"""The plan of features on its own seed, in virtual time: each option of the domain, observed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

FILE = Path(__file__).parents[2] / "test_plans" / "plans" / "features.yaml"
PLAN = load_plan(FILE, VERBS)
SEED = load_seed(OFFICE.with_name("features.yaml"))


@cache
def the_rehearsal():
    """Made in the first test that asks: nobody traces a test of this kind, but a fixture would be traced."""
    return rehearse(PLAN, SEED)


def test_it_has_no_lint():
    assert [finding.text("features.yaml") for finding in lint(PLAN)] == []


def test_every_case_passes():
    rehearsal = the_rehearsal()
    wrong = {
        case.case: [step.detail for step in case.steps if step.verdict != "passed"]
        for case in rehearsal.cases
        if not case.good
    }
    assert wrong == {}
    assert len(rehearsal.cases) == len(PLAN.cases)


def test_every_call_that_was_dialled_is_compared_with_what_was_computed_before():
    rehearsal = the_rehearsal()
    records = [record for case in rehearsal.cases for record in case.records]
    assert len(records) > 40
    assert [call for call, before, after in records if before != after] == []
