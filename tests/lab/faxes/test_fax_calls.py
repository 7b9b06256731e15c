"""Faxes on real sockets: two spandsp machines with the switchroom between them, pages equal to the dot."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lab_settings import LabSettings
from lab.phones.boot import BootPace
from lab.runs import run_live
from lab.seeds.load import OFFICE, load_seed
from lab.service import Lab
from pbx.media.fax import spandsp
from test_plans.plan import load_plan
from test_plans.runner import VERBS

PLAN = load_plan(Path(__file__).parents[3] / "test_plans" / "plans" / "fax.yaml", VERBS)
SEED = load_seed(OFFICE.with_name("fax.yaml"))
BY_SOUND = {"L03-refused", "L03-sent", "L03-line"}
"""Modems have their own pace: a page takes 17 s."""


async def run(cases: set[str], fax_speed: int) -> tuple[dict[str, str], Lab]:
    if why := spandsp.unavailable():
        pytest.skip(why)
    lab = Lab(SEED, LabSettings(fax_speed=fax_speed, pyvoip=False, media_ports=40, pace=BootPace(0.02, 0.02, 0.02)))
    await lab.start()
    try:
        assert await lab.boot_phones(30)
        result = await run_live(lab, PLAN, only=lambda case: case.id in cases)
        assert result.leaks == {}
        return {case.case: case.verdict for case in result.cases}, lab
    finally:
        await lab.close()


@pytest.mark.realtime
async def test_t38_between_spandsp_machines_through_the_switch_in_every_direction() -> None:
    cases = {"L02", "L02-sent", "L02-between-lines"}
    verdicts, lab = await run(cases, fax_speed=4)
    assert verdicts == dict.fromkeys(cases, "passed")
    letters = lab.outbox.letters("office@fax.lab")
    assert [kind for _, kind, _ in letters[0].attachments] == ["application/pdf", "image/tiff"]


@pytest.mark.soak
async def test_whoever_has_no_t38_is_faxed_by_sound() -> None:
    verdicts, _ = await run(BY_SOUND, fax_speed=6)
    assert verdicts == dict.fromkeys(BY_SOUND, "passed")


@pytest.mark.soak
async def test_every_case_at_the_pace_of_real_machines() -> None:
    cases = {case.id for case in PLAN.cases}
    verdicts, _ = await run(cases, fax_speed=1)
    assert verdicts == dict.fromkeys(cases, "passed")
