"""The office plan as a whole, what it covers, who takes part, and that it has no lint."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import load_seed
from test_plans.lint import lint
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

FILE = Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml"
PLAN = load_plan(FILE, VERBS)
SEED = load_seed()
CASES = (
    "A01 A08 A09 B01 C01 C02 C03 C04 D01 D02 E02 F01 F02 F03 F06 G01 G02 G03 G04 H01 H05 I01 I03 I04 J01 J04 J05 "
    "K01 K02 K03 K07 L01 M12 N01 N03"
)


def test_it_covers_every_case_that_was_promised():
    assert {case.id[:3] for case in PLAN.cases} == set(CASES.split())
    assert all(PLAN.later.values())
    assert not {case.id for case in PLAN.cases} & set(PLAN.later)


def test_it_has_no_lint():
    assert [finding.text("office.yaml") for finding in lint(PLAN)] == []


@pytest.fixture(scope="module")
def rehearsal():
    return rehearse(PLAN, SEED)


def test_every_case_passes(rehearsal):
    assert {case.case: case.reason for case in rehearsal.cases if not case.good} == {}
    assert rehearsal.exit_code == 0


def test_every_phone_takes_part_and_the_foreign_ones_in_three_cases_at_least(rehearsal):
    used = {device for case in rehearsal.cases for device in case.binding.values()}
    assert {str(extension) for extension in range(101, 113)} <= used
    assert sum("generic/json" in case.families.values() for case in rehearsal.cases) >= 3


def test_every_call_that_was_dialled_is_compared_with_what_was_computed_before(rehearsal):
    records = [record for case in rehearsal.cases for record in case.records]
    dials = [step for case in rehearsal.cases for step in case.steps if re.match(r"do \w+\.dial ", step.text)]
    assert len(records) == len(dials) > 60
    assert [call for call, before, after in records if before != after] == []


def test_it_ends_within_a_minute_of_lab_time(rehearsal):
    assert rehearsal.seconds < 60
    assert max(case.seconds for case in rehearsal.cases) < 20


def test_every_device_calls_support_at_night_on_a_sunday_too():
    """K02, after hours: what a plan cannot turn, virtual time begins at."""
    night = replace(SEED, lab=SEED.lab.model_copy(update={"start": datetime(2026, 12, 27, 3, 0)}))  # noqa: DTZ001
    result = rehearse(PLAN, night, only=lambda case: case.id.startswith("K"))
    assert {case.case for case in result.cases if case.good} == set(result.verdicts)
    assert sum(case.case.startswith("K01@") for case in result.cases) == 12
    assert result.started is not None
    assert result.started.wall.astimezone(ZoneInfo("America/Toronto")).hour == 3


WALL_TIMES = {
    "json": re.compile(rb'"(?:began|ended)_wall": "[^"]*"'),
    "junit": re.compile(rb'name="(?:began|ended)_wall" value="[^"]*"'),
    "html": re.compile(rb"<dt>Machine's clock</dt><dd>.*?</dd>"),
}
"""When it was by the clock of the machine: all else is told by the seed."""


def rehearsed(folder: Path, hash_seed: str) -> dict[str, bytes]:
    """Documents of a run in a process of its own."""
    files = {kind: folder / f"{hash_seed}.{kind}" for kind in ("json", "junit", "html")}
    command = [sys.executable, "-c", "from lab.cli import main; main()", "run", str(FILE), "--virtual", "--number", "7"]
    for kind, file in files.items():
        command += [f"--{kind}", str(file)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment["PYTHONHASHSEED"] = hash_seed  # and nobody measures: that doubles the time
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    return {kind: WALL_TIMES[kind].sub(b"", file.read_bytes()) for kind, file in files.items()}


def test_the_same_seed_gives_the_same_reports_in_another_process(tmp_path):
    one, other = (rehearsed(tmp_path, hash_seed) for hash_seed in ("1", "2"))
    assert len(one["json"]) > 10_000
    assert one["json"] == other["json"]
    assert one["junit"] == other["junit"]
    assert one["html"] == other["html"]
