"""The plans of the house on their own seeds, in virtual time: each option, observed."""

from __future__ import annotations

from functools import cache

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import SHIPPED, load_plan, read_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

PLANS = ("fax", "voice", "features", "network")


@cache
def the_plan(name: str):
    return load_plan(SHIPPED / f"{name}.yaml", VERBS)


@cache
def the_rehearsal(name: str):
    """Made in the first test that asks: nobody traces a test of this kind, but a fixture would be traced."""
    plan = the_plan(name)
    return rehearse(plan, load_seed(OFFICE.with_name(f"{plan.seed}.yaml") if plan.seed else OFFICE))


@pytest.mark.parametrize("name", PLANS)
def test_it_has_no_lint(name):
    assert [finding.text(name) for finding in lint(the_plan(name))] == []


@pytest.mark.parametrize("name", PLANS)
def test_every_case_passes_and_nothing_is_left(name):
    result = the_rehearsal(name)
    wrong = {
        case.case: [case.reason, *(step.detail for step in case.steps if step.verdict != "passed")]
        for case in result.cases
        if not case.good
    }
    assert (wrong, result.leaks) == ({}, {})
    assert len(result.cases) == len(the_plan(name).cases)


def test_every_call_of_the_features_is_compared_with_what_was_computed_before():
    records = [record for case in the_rehearsal("features").cases for record in case.records]
    assert len(records) > 40
    assert [call for call, before, after in records if before != after] == []


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
