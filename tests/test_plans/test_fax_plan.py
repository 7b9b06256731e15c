"""The plan of fax on its own seed, in virtual time: same signalling as on sockets, pages without modems."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover

FILE = Path(__file__).parents[2] / "test_plans" / "plans" / "fax.yaml"
PLAN = load_plan(FILE, VERBS)
SEED = load_seed(OFFICE.with_name("fax.yaml"))


def test_it_has_no_lint():
    assert [finding.text("fax.yaml") for finding in lint(PLAN)] == []


def test_every_case_passes_and_nothing_is_left():
    result = rehearse(PLAN, SEED)
    wrong = {
        case.case: [step.detail for step in case.steps if step.verdict != "passed"]
        for case in result.cases
        if not case.good
    }
    assert (wrong, result.leaks) == ({}, {})
    assert len(result.cases) == len(PLAN.cases)
