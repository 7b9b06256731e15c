"""The plans of the house on their own seeds, in virtual time: each option, observed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.model import Plan, Step
from test_plans.plan import SHIPPED, load_plan, read_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

PLANS = ("fax", "voice", "features", "options", "network")


@cache
def the_plan(name: str):
    return load_plan(SHIPPED / f"{name}.yaml", VERBS)


@cache
def the_own_part(name: str) -> Plan:
    """The cases that the Deployment Test Plan does not hold too: the others are run in its test."""
    elsewhere = {case.id for case in the_plan("deployment").cases}
    plan = the_plan(name)
    return replace(plan, cases=tuple(case for case in plan.cases if case.id not in elsewhere))


@cache
def the_rehearsal_of_its_own_part(name: str):
    """Made in the first test that asks: nobody traces a test of this kind, but a fixture would be traced."""
    return rehearsal(the_own_part(name))


def rehearsal(plan: Plan):
    return rehearse(plan, load_seed(OFFICE.with_name(f"{plan.seed}.yaml") if plan.seed else OFFICE))


def passed_and_left_nothing(result, plan: Plan) -> None:
    wrong = {
        case.case: [case.reason, *(step.detail for step in case.steps if step.verdict != "passed")]
        for case in result.cases
        if not case.good
    }
    assert (wrong, result.leaks) == ({}, {})
    assert len(result.cases) == len(plan.cases) > 0


@pytest.mark.parametrize("name", PLANS)
def test_it_has_no_lint(name):
    assert [finding.text(name) for finding in lint(the_plan(name))] == []


@pytest.mark.parametrize("name", PLANS)
def test_every_case_of_its_own_passes_and_nothing_is_left(name):
    passed_and_left_nothing(the_rehearsal_of_its_own_part(name), the_own_part(name))


@pytest.mark.soak
@pytest.mark.parametrize("name", PLANS)
def test_every_case_passes_and_nothing_is_left(name):
    passed_and_left_nothing(rehearsal(the_plan(name)), the_plan(name))


def test_every_call_of_the_features_is_compared_with_what_was_computed_before():
    records = [record for case in the_rehearsal_of_its_own_part("features").cases for record in case.records]
    assert len(records) > 15
    assert [call for call, before, after in records if before != after] == []


def test_each_case_of_the_options_fails_when_its_option_is_not_set():
    plan = the_plan("options")
    cases = tuple(
        replace(case, steps=tuple(step for step in case.steps if not _sets(step)), teardown=()) for case in plan.cases
    )
    result = rehearse(replace(plan, cases=cases), load_seed(OFFICE.with_name("features.yaml")))
    assert [case.case for case in result.cases if case.good] == []


def _sets(step: Step) -> bool:
    return step.arguments.get("do") == "pbx.change" and "refused" not in step.arguments


UNEXPECTED = """
plan: 1
id: unexpected
title: A fault that nobody planned for
cases:
  - id: X
    title: The line is clean
    steps:
      - {do: pbx.network, site: Laval, network: sip-alg}
      - {assess: Laval, longest: 0s}
"""


def test_a_fault_of_a_network_that_nobody_expected_fails_the_case_with_its_remedy():
    (case,) = rehearse(read_plan(UNEXPECTED, "unexpected.yaml", VERBS), load_seed(OFFICE)).cases
    assert case.verdict == "failed"
    assert "alg is found: a SIP request arrives changed: Via" in case.reason
    assert "switch off SIP ALG" in case.reason
