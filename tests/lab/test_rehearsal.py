"""The office plan in virtual time: passes, repeats to the byte, and survives a bad wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.rehearsal import rehearse, virtual_world
from lab.seeds.load import load_seed
from lab.wire import Impairment
from pbx.events import ServerFault
from test_plans.plan import load_plan
from test_plans.report.results import results
from test_plans.runner import VERBS

SEED = load_seed()
PLAN = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
LOSSY = Impairment(loss=0.05)


def without_wall(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if '_wall"' not in line)


def test_the_whole_plan_passes_and_leaves_nothing_behind():
    result = rehearse(PLAN, SEED, number=7)
    assert {case.case: (case.verdict, case.reason) for case in result.cases if case.verdict != "passed"} == {}
    assert result.leaks == {}


def test_what_why_said_before_is_what_the_call_did_for_every_call():
    result = rehearse(PLAN, SEED, number=3)
    records = [(before, after) for case in result.cases for _, before, after in case.records]
    assert len(records) > 40
    assert all(before == after for before, after in records)


def test_the_same_seed_gives_the_same_report_but_for_wall_times():
    one, two = (results(rehearse(PLAN, SEED, number=11)) for _ in range(2))
    assert without_wall(one) == without_wall(two)
    assert without_wall(one) != one


@pytest.mark.parametrize("number", range(25))
def test_a_wire_that_loses_one_in_twenty_breaks_nothing(number):
    """Cases may fail for want of a message; nothing crashes, hangs or is left over."""
    world = virtual_world(SEED, number, LOSSY)
    result = rehearse(PLAN, SEED, number=number, world=world, most_s=7200.0)
    assert [s.event for s in world.bus.since(0) if isinstance(s.event, ServerFault)] == []
    assert all(case.verdict in ("passed", "warned", "failed", "flaky", "blocked", "skipped") for case in result.cases)
    world.run(120.0)
    assert {name: count for name, count in world.switch.live().items() if count} == {}
