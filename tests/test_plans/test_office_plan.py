"""The office plan as a whole, in virtual time: repeatable, sturdy on a bad wire, quick, without lint."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab.rehearsal import rehearse, run_plan, virtual_world
from lab.seeds.load import load_seed
from lab.wire import Impairment
from pbx.events import ServerFault
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.report.results import results
from test_plans.runner import VERBS

PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
SEED = load_seed()
CASES = (
    "A01 A08 A09 B01 C01 C02 C03 C04 D01 D02 E02 F01 F02 F03 G01 G02 G03 G04 H01 H05 I01 I03 I04 J01 J04 J05 "
    "K01 K02 K03 K07 L01 M12 N01 N03"
)


def timeless(text: str) -> str:
    return json.dumps(
        json.loads(text, object_hook=lambda found: {k: v for k, v in found.items() if not k.endswith("_wall")})
    )


def test_it_covers_every_case_that_was_promised():
    assert {case.id.partition("-")[0] for case in PLAN.cases} == set(CASES.split())
    assert all(PLAN.later.values())
    assert not {case.id for case in PLAN.cases} & set(PLAN.later)


def test_it_has_no_lint():
    assert [finding.text("office.yaml") for finding in lint(PLAN)] == []


def test_the_same_seed_twice_gives_the_identical_report_but_for_wall_times():
    assert timeless(results(rehearse(PLAN, SEED, number=7))) == timeless(results(rehearse(PLAN, SEED, number=7)))


def test_every_phone_takes_part_and_the_foreign_ones_in_three_cases_at_least():
    result = rehearse(PLAN, SEED)
    used = [device for case in result.cases for device in case.binding.values()]
    assert {str(extension) for extension in range(101, 113)} <= set(used)
    assert sum("generic/json" in case.families.values() for case in result.cases) >= 3


def test_what_was_computed_before_a_call_is_what_was_decided_for_every_call_that_was_dialled():
    result = rehearse(PLAN, SEED)
    records = [record for case in result.cases for record in case.records]
    dials = [step for case in result.cases for step in case.steps if re.match(r"do \w+\.dial ", step.text)]
    assert len(records) == len(dials) > 40
    assert all(before == after for _, before, after in records)


@pytest.mark.parametrize("number", range(1, 26))
def test_on_a_wire_that_loses_five_per_cent_nothing_crashes_leaks_or_hangs(number):
    world = virtual_world(SEED, number, Impairment(loss=0.05))
    world.boot_all()
    result = run_plan(world, PLAN, number=number)
    assert result.seconds < 300
    assert result.leaks == {}
    assert [case.reason for case in result.cases if case.verdict == "error" or "leak" in case.reason] == []
    assert [s.event for s in world.bus.since(0) if isinstance(s.event, ServerFault)] == []
    assert sum(case.good for case in result.cases) >= 40
