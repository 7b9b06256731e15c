"""The Deployment Test Plan whole: its case numbers are the reference's, and every case passes that the product can."""

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

FILE = Path(__file__).parents[2] / "test_plans" / "plans" / "deployment.yaml"
LAST = {
    "A": 13, "B": 14, "C": 12, "D": 9, "E": 10, "F": 12, "G": 10, "H": 14, "I": 11, "J": 10, "K": 10, "L": 6, "M": 12,
    "N": 10,
}  # fmt: skip
"""The reference's list (domain-features 4): the last case of each group."""
NUMBERS = frozenset(f"{group}{at:02}" for group, last in LAST.items() for at in range(1, last + 1))

MISSING = {"N08": "import of users"}
"""Cases that fail for want of a feature, and which; whoever builds it removes its line."""
HARDWARE = {"M05-capture": "nobody measures dscp here: packets in memory have no IP header"}
"""Cases that a virtual world cannot see."""


@cache
def the_plan():
    return load_plan(FILE, VERBS)


@cache
def the_rehearsal():
    """Made in the first test that asks: nobody traces a test of this kind, but a fixture would be traced."""
    return rehearse(the_plan(), load_seed(OFFICE.with_name("deployment.yaml")))


def test_it_has_exactly_the_case_numbers_of_the_reference():
    assert len(NUMBERS) == 153
    assert {case.number for case in the_plan().cases} == NUMBERS


def test_it_has_no_lint():
    assert [finding.text("deployment.yaml") for finding in lint(the_plan())] == []


def test_every_case_passes_whose_feature_is_there():
    failed = {case.case: case.reason for case in the_rehearsal().cases if case.verdict not in ("passed", "blocked")}
    assert {case: why for case, why in failed.items() if case not in MISSING} == {}
    assert set(MISSING) <= set(failed), "a feature has come: take its cases out of MISSING"


def test_only_what_names_hardware_is_blocked():
    assert {case.case: case.reason for case in the_rehearsal().cases if case.verdict == "blocked"} == HARDWARE


def test_nothing_is_left_over():
    assert the_rehearsal().leaks == {}
