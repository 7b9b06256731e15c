"""The office plan as a whole, what it covers, who takes part, and that it has no lint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.runner import VERBS

PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
SEED = load_seed()
CASES = (
    "A01 A08 A09 B01 C01 C02 C03 C04 D01 D02 E02 F01 F02 F03 G01 G02 G03 G04 H01 H05 I01 I03 I04 J01 J04 J05 "
    "K01 K02 K03 K07 L01 M12 N01 N03"
)


def test_it_covers_every_case_that_was_promised():
    assert {case.id.partition("-")[0] for case in PLAN.cases} == set(CASES.split())
    assert all(PLAN.later.values())
    assert not {case.id for case in PLAN.cases} & set(PLAN.later)


def test_it_has_no_lint():
    assert [finding.text("office.yaml") for finding in lint(PLAN)] == []


@pytest.fixture(scope="module")
def rehearsal():
    return rehearse(PLAN, SEED)


def test_every_phone_takes_part_and_the_foreign_ones_in_three_cases_at_least(rehearsal):
    used = {device for case in rehearsal.cases for device in case.binding.values()}
    assert {str(extension) for extension in range(101, 113)} <= used
    assert sum("generic/json" in case.families.values() for case in rehearsal.cases) >= 3


def test_every_call_that_was_dialled_is_compared_with_what_was_computed_before(rehearsal):
    records = [record for case in rehearsal.cases for record in case.records]
    dials = [step for case in rehearsal.cases for step in case.steps if re.match(r"do \w+\.dial ", step.text)]
    assert len(records) == len(dials) > 40


def test_it_ends_within_a_minute_of_lab_time(rehearsal):
    assert rehearsal.seconds < 60
    assert max(case.seconds for case in rehearsal.cases) < 20
