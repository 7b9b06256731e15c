"""The office plan over a bad wire, many seeds: no crash, no leak, no hang. A finding names its seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import load_seed
from lab.wire import Impairment
from test_plans.plan import load_plan
from test_plans.runner import VERBS
from test_plans.verdicts import ERROR

pytestmark = pytest.mark.soak

PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
SEED = load_seed()
TEN_AT_A_TIME = range(1000, 1200, 10)
"""200 seeds none of `make test` uses."""


@pytest.mark.parametrize("first", TEN_AT_A_TIME)
def test_the_office_survives_loss_and_duplication(first: int) -> None:
    wire = Impairment(delay_s=0.02, jitter_s=0.03, loss=0.05, duplication=0.02)
    for number in range(first, first + 10):
        result = rehearse(PLAN, SEED, number=number, impairment=wire)
        faults = [f"{case.case}: {case.reason}" for case in result.cases if case.verdict == ERROR]
        assert (faults, result.leaks) == ([], {}), f"seed {number}"
        assert all(case.verdict for case in result.cases), f"seed {number}: it did not come to its end"
