"""The network plan on the office, in virtual time: a clean line passes, each preset fault is told by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan, read_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "network.yaml", VERBS)


def test_it_has_no_lint():
    assert [finding.text("network.yaml") for finding in lint(PLAN)] == []


def test_every_case_passes_and_nothing_is_left():
    result = rehearse(PLAN, load_seed(OFFICE))
    assert {case.case: case.reason for case in result.cases if not case.good} == {}
    assert result.leaks == {}


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


def test_a_fault_that_nobody_expected_fails_the_case_with_its_remedy():
    (case,) = rehearse(read_plan(UNEXPECTED, "unexpected.yaml", VERBS), load_seed(OFFICE)).cases
    assert case.verdict == "failed"
    assert "alg is found: a SIP request arrives changed: Via" in case.reason
    assert "switch off SIP ALG" in case.reason
