"""The Deployment Test Plan whole: its case numbers are the reference's, and every case passes but what names hardware.

In `make test` its cases are dealt out to ten worlds of ten seeds: each case is taken once, ten seeds are clean, and no
case leans on what another has left. `make soak` runs all of it on two hundred seeds.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.runner import VERBS
from test_plans.verdicts import RunResult

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

FILE = Path(__file__).parents[2] / "test_plans" / "plans" / "deployment.yaml"
LAST = {
    "A": 13, "B": 14, "C": 12, "D": 9, "E": 10, "F": 12, "G": 10, "H": 14, "I": 11, "J": 10, "K": 10, "L": 6, "M": 12,
    "N": 10,
}  # fmt: skip
"""The reference's list (domain-features 4): the last case of each group."""
NUMBERS = frozenset(f"{group}{at:02}" for group, last in LAST.items() for at in range(1, last + 1))

HARDWARE = {"M05-capture": "nobody measures dscp here: packets in memory have no IP header"}
"""Cases that a virtual world cannot see."""
SEEDS = range(1, 11)


@cache
def the_plan():
    return load_plan(FILE, VERBS)


@cache
def the_domain():
    return load_seed(OFFICE.with_name("deployment.yaml"))


def is_clean(result: RunResult) -> None:
    wrong = {case.case: (case.verdict, case.reason) for case in result.cases if case.verdict != "passed"}
    assert wrong == {case: ("blocked", why) for case, why in HARDWARE.items() if case in result.verdicts}
    assert result.leaks == {}


def test_it_has_exactly_the_case_numbers_of_the_reference():
    assert len(NUMBERS) == 153
    assert {case.number for case in the_plan().cases} == NUMBERS


def test_it_has_no_lint():
    assert [finding.text("deployment.yaml") for finding in lint(the_plan())] == []


@pytest.mark.parametrize("number", SEEDS)
def test_every_case_passes_and_nothing_is_left_over(number: int):
    mine = {case.id for case in the_plan().cases[number - 1 :: len(SEEDS)]}
    result = rehearse(the_plan(), the_domain(), number=number, only=lambda case: case.id.partition("@")[0] in mine)
    assert {case.case.partition("@")[0] for case in result.cases} == mine
    is_clean(result)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 201))
def test_no_clean_seed_fails_a_case(number: int):
    is_clean(rehearse(the_plan(), the_domain(), number=number))
