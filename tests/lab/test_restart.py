"""Configuration and runs survive the end of the process that made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.addresses import PortPlan
from lab.lab_settings import LabSettings
from lab.office import Office
from lab.phones.boot import BootPace
from lab.seeds.load import load_seed
from pbx.store.database import CannotOpen
from pbx.store.protocol import DirectorySaved, StoredDirectory
from test_plans.plan import load_plan
from test_plans.runner import VERBS

pytestmark = pytest.mark.realtime

OFFICE = load_plan(Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml", VERBS)


def office(data: Path, *, reseed: bool = False) -> Office:
    pace = BootPace(0.02, 0.02, 0.02)
    return Office(load_seed(), LabSettings(ports=PortPlan(), data=data, reseed=reseed, pace=pace))


async def test_what_was_configured_is_still_so(tmp_path: Path) -> None:
    async with office(tmp_path) as first:
        domain = first.lab.directory.domain.model_copy(update={"description": "changed by hand"})
        first.lab.apply(first.lab.directory.model_copy(update={"domain": domain}))
    async with office(tmp_path) as second:
        assert second.lab.directory.domain.description == "changed by hand"
        assert second.lab.directory.model_dump() == first.lab.directory.model_dump()
    async with office(tmp_path, reseed=True) as third:
        assert third.lab.directory.model_dump() == load_seed().directory.model_dump()


async def test_a_one_time_token_that_was_used_stays_used_until_it_is_reopened(tmp_path: Path) -> None:
    async with office(tmp_path) as first:
        assert await first.lab.boot_phones(10)
        used = first.lab.provisioning.office.ledger.spent()
        assert len(used) == 11  # the adapter is one box with two lines
    async with office(tmp_path) as second:
        assert second.lab.provisioning.office.ledger.spent() == used
        box = next(iter(used))
        second.lab.reopen_provisioning(box)
    async with office(tmp_path) as third:
        assert third.lab.provisioning.office.ledger.spent() == {mac: used[mac] for mac in used if mac != box}
        assert await third.lab.boot_phones(10)


async def test_a_run_and_its_report_are_still_there(tmp_path: Path) -> None:
    plan = replace(OFFICE, cases=OFFICE.cases[:1])
    async with office(tmp_path) as first:
        assert await first.lab.boot_phones(10)
        result = await first.desk.run(plan)
        report = first.source.run_book.report("run-1")
    async with office(tmp_path) as second:
        (view,) = second.source.run_book.views()
        assert (view.run, view.state) == ("run-1", "done")
        assert [row.verdict for row in view.cases] == [case.verdict for case in result.cases]
        assert second.source.run_book.report("run-1") == report


async def test_a_configuration_that_is_not_understood_is_refused_and_kept(tmp_path: Path) -> None:
    async with office(tmp_path) as first:
        name = first.lab.directory.domain.name
        first.lab.store.submit(DirectorySaved(StoredDirectory(name, 9, '{"domain": 1}')))
    for _ in range(2):
        with pytest.raises(CannotOpen, match=name):
            async with office(tmp_path):
                pass
