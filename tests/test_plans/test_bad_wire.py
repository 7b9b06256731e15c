"""The office plan on bad wires: cases may fail there, but nothing crashes, leaks or hangs (issue 2, item 4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.rehearsal import rehearse, virtual_world
from lab.seeds.load import load_seed
from lab.wire import Impairment
from pbx.events import ServerFault
from test_plans.plan import Plan, load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

SEED = load_seed()
LOSSY = Impairment(loss=0.05)
BAD = Impairment(delay_s=0.02, jitter_s=0.06, loss=0.05, duplication=0.05)
"""Packets come late, twice, in another order, or never."""
FORGOTTEN_S = 40.0
"""Longer than any transaction lives (64·T1)."""


def every_case_to_its_end() -> Plan:
    """The office plan without blockers: one bad case must not spare the others."""
    plan = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
    return replace(plan, cases=tuple(replace(case, severity="major") for case in plan.cases))


PLAN = every_case_to_its_end()


def survives(number: int, impairment: Impairment) -> None:
    world = virtual_world(SEED, number, impairment)
    faults: list[ServerFault] = []
    world.bus.subscribe(lambda stamped: faults.append(stamped.event), [ServerFault])  # type: ignore[arg-type]
    result = rehearse(PLAN, SEED, number=number, world=world, most_s=600.0)
    assert faults == []
    assert not [case.case for case in result.cases if case.verdict in ("error", "skipped")], "a case has no end"
    assert not [case.reason for case in result.cases if case.reason.startswith(("leak", "not over"))]
    assert result.leaks == {}
    world.run(FORGOTTEN_S)
    # A phone refreshes its registration whenever it is due: that transaction is nobody's leak.
    assert {name: count for name, count in world.live().items() if count and name != "phones transactions"} == {}
    assert world.wire.counts.lost > 20


@pytest.mark.parametrize("number", range(1, 26))
def test_five_per_cent_loss_neither_crashes_nor_leaks_nor_hangs(number):
    survives(number, LOSSY)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1001, 1201))
def test_loss_duplication_reordering_and_delay_neither_crash_nor_leak_nor_hang(number):
    survives(number, BAD)
