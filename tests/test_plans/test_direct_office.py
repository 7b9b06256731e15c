"""The office plan with direct media: what a device hears by its own ear holds; music and transfers come back for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.rehearsal import rehearse, virtual_world
from lab.seeds.load import Seed, load_seed
from pbx.events import MediaPath, ServerFault
from pbx.switch.settings import SwitchSettings
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = [pytest.mark.soak, pytest.mark.no_cover]
OFFICE = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)
BY_THE_RELAY = {"C01", "M12"}
"""Measure what passes the relay: there is nothing to measure."""


def without_codes(seed: Seed) -> Seed:
    """Codes of conversations would keep all of them at the relay."""
    domain = seed.directory.domain
    platform = domain.platform.model_copy(update={"codes_in_calls": False})
    return replace(
        seed, directory=seed.directory.replaced(domain=domain.model_copy(update={"platform": platform}))
    )  # fmt: skip


def test_only_what_measures_the_relay_fails_when_sound_goes_past_it():
    seed = without_codes(load_seed())
    world = virtual_world(seed, 1, sip=SwitchSettings(direct_media=True))
    faults: list[ServerFault] = []
    paths: list[MediaPath] = []
    world.bus.subscribe(lambda stamped: faults.append(stamped.event), [ServerFault])  # type: ignore[arg-type]
    world.bus.subscribe(lambda stamped: paths.append(stamped.event), [MediaPath])  # type: ignore[arg-type]
    plan = replace(OFFICE, cases=tuple(replace(case, severity="major") for case in OFFICE.cases))
    result = rehearse(plan, seed, world=world)
    assert {case.case for case in result.cases if case.verdict != "passed"} == BY_THE_RELAY
    assert (faults, result.leaks) == ([], {})
    assert len([event for event in paths if event.path == "direct"]) > 20
