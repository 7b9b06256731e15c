"""Plans of the domain on real sockets: each case has the verdict it has in virtual time. All of them are a soak; the
deployment plan is run on mixed devices (tests/interop/test_mixed_devices.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.lab_settings import LabSettings
from lab.phones.boot import BootPace
from lab.rehearsal import rehearse
from lab.runs import run_live
from lab.seeds.load import OFFICE, load_seed
from lab.service import Lab
from test_plans.plan import Case, load_plan
from test_plans.runner import VERBS

FOLDER = Path(__file__).parents[2] / "test_plans" / "plans"
FEW = {"C05", "C11", "D02-hangup-loop", "D07", "E08-inside", "F04", "G07-queue"}
"""Of a kind each: refused, keys, a status, a name, outside, a transfer, a queue."""


def verdicts_in_virtual_time(name: str, only: Callable[[Case], bool]) -> dict[str, str]:
    result = rehearse(load_plan(FOLDER / f"{name}.yaml", VERBS), load_seed(OFFICE.with_name(f"{name}.yaml")), only=only)
    return {case.case: case.verdict for case in result.cases}


async def verdicts_on_sockets(name: str, only: Callable[[Case], bool]) -> tuple[dict[str, str], dict[str, str]]:
    """Return (verdict by case, why the bad ones are bad)."""
    lab = Lab(load_seed(OFFICE.with_name(f"{name}.yaml")), LabSettings(pace=BootPace(0.02, 0.02, 0.02)))
    await lab.start()
    try:
        assert await lab.boot_phones(60)
        result = await run_live(lab, load_plan(FOLDER / f"{name}.yaml", VERBS), only=only, side_by_side=3)
        assert result.leaks == {}
        return {case.case: case.verdict for case in result.cases}, {
            case.case: "; ".join([case.reason, *(step.detail for step in case.steps if step.verdict != "passed")])
            for case in result.cases
            if not case.good
        }
    finally:
        await lab.close()


@pytest.mark.realtime
async def test_a_few_features_have_the_same_verdicts_in_both_worlds():
    real, wrong = await verdicts_on_sockets("features", lambda case: case.id in FEW)
    assert wrong == {}
    assert real == verdicts_in_virtual_time("features", lambda case: case.id in FEW) == dict.fromkeys(FEW, "passed")


@pytest.mark.soak
@pytest.mark.parametrize("name", ["features", "voice"])
async def test_a_whole_plan_has_the_same_verdicts_in_both_worlds(name: str):
    def in_time(case: Case) -> bool:
        return "long" not in case.tags

    real, wrong = await verdicts_on_sockets(name, in_time)
    assert real == verdicts_in_virtual_time(name, in_time), wrong
