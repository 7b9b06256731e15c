"""Smoke, zero touch and the day of port: what each holds, and that it passes, or says what is missing."""

from __future__ import annotations

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import SHIPPED, load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover


def plan(name: str):
    return load_plan(SHIPPED / f"{name}.yaml", VERBS)


@pytest.mark.parametrize("name", ["smoke", "zero-touch", "day-of-port"])
def test_it_has_no_lint(name):
    assert [finding.text(name) for finding in lint(plan(name))] == []


def test_fifteen_cases_of_smoke_pass_within_a_minute():
    result = rehearse(plan("smoke"), load_seed())
    assert (len(result.cases), [case.case for case in result.cases if not case.good]) == (15, [])
    assert result.seconds < 60


def test_zero_touch_passes_and_waits_for_a_person_where_it_needs_one():
    result = rehearse(plan("zero-touch"), load_seed(OFFICE.with_name("deployment.yaml")))
    verdicts = {case.case: case.verdict for case in result.cases if case.verdict != "passed"}
    assert verdicts == {"ZT-plug": "blocked", "ZT-label": "blocked"}
    told = next(case.reason for case in result.cases if case.case == "ZT-plug")
    assert "plug it into" in told
    assert "branchez-le" in told


def test_the_day_of_port_names_what_is_missing_line_by_line():
    result = rehearse(plan("day-of-port"), load_seed())
    assert len(result.cases) == 10
    missing = {case.case: case.reason for case in result.cases if not case.good}
    assert set(missing) == {"P01", "P02"}
    assert missing["P02"] == "numbers routed: 14165550109 is not routed"
