"""A plan in real time, on a lab of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lab_settings import LabSettings
from lab.phones.boot import BootPace
from lab.runs import Overrun, run_live
from lab.seeds.load import load_seed
from lab.service import Lab
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.realtime

OFFICE = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)


@pytest.fixture
async def lab():
    made = Lab(load_seed(), LabSettings(pace=BootPace(0.02, 0.02, 0.02)))
    await made.start()
    assert await made.boot_phones(10)
    yield made
    await made.close()


async def test_cases_run_side_by_side_and_are_told_as_they_go(lab):
    told: list[tuple[str, str]] = []
    wanted = {"A09", "C01", "K01@109"}
    result = await run_live(
        lab,
        OFFICE,
        only=lambda case: case.id in wanted,
        progress=lambda result, what: told.append((result.case, what)),
    )
    assert {case.case: case.verdict for case in result.cases} == dict.fromkeys(wanted, "passed")
    assert result.leaks == {}
    assert {name for name, what in told if what == "done"} == wanted


async def test_a_run_that_does_not_end_is_an_overrun(lab):
    with pytest.raises(Overrun, match="not over after 0 s"):
        await run_live(lab, OFFICE, only=lambda case: case.id == "C01", limit_s=0.0)
