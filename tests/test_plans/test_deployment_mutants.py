"""Each mutant is found by the deployment plan at the case that names it (issue 5, what it must show, 2)."""

from __future__ import annotations

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from tests.test_plans.mutants import MUTANTS
from tests.test_plans.test_deployment_plan import the_plan

SEED = load_seed(OFFICE.with_name("deployment.yaml"))


def test_there_are_more_than_fifty_mutants_each_at_a_case_of_the_plan():
    known = {case.id for case in the_plan().cases} | {"K01@101"}
    assert len(MUTANTS) >= 50
    assert {case for _, case in MUTANTS.values()} <= known


@pytest.mark.soak
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found_at_the_case_that_names_it(name: str, monkeypatch: pytest.MonkeyPatch):
    fault, case = MUTANTS[name]
    fault(monkeypatch)
    verdicts = rehearse(the_plan(), SEED).verdicts
    assert verdicts[case] == "failed"
    assert {"error"}.isdisjoint(verdicts.values())
