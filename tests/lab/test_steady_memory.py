"""Days of calls in virtual time: what is kept is bounded, so memory comes to a height and stays there."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest

from lab.bench import LabBench
from lab.phones.calls import KEPT_SOUNDS, Sensed
from lab.rehearsal import virtual_world
from lab.seeds.load import load_seed
from lab.world import World
from pbx.domain.history import CallRecord
from pbx.events import CallRecordWritten, ServerFault, Stamped
from pbx.media.sdp import Description, parse_sdp
from pbx.sip.digest import auth_params
from pbx.sip.uri import NameAddr, untagged
from pbx.store.memory import KEPT_RECORDS
from test_plans.bench import BenchDevice

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

HOUR_S = 3600.0
PAGE = 4096


class Office:
    """Three phones of the office: people call, talk and give up."""

    def __init__(self) -> None:
        self.world: World = virtual_world(load_seed(), 1)
        phones = [self.world.phone(device) for device in ("101", "102", "104")]
        self.world.power(True, phones)
        assert self.world.run(60.0, lambda: all(phone.lines and phone.lines[0].registered for phone in phones))
        self.device: dict[str, BenchDevice] = {item.id: item for item in LabBench(self.world).devices()}
        self.recorded = 0
        self.faults: list[Stamped] = []
        self.world.bus.subscribe(self._count, [CallRecordWritten])
        self.world.bus.subscribe(self.faults.append, [ServerFault])

    def pass_hours(self, hours: int, calls_an_hour: int) -> None:
        for _ in range(hours):
            for number in range(calls_an_hour):
                self._call(number)
                self.world.run(HOUR_S / calls_an_hour - 8.0)

    def _call(self, number: int) -> None:
        """Eight seconds: answered inside, answered from outside, or given up."""
        run, device = self.world.run, self.device
        caller, called = (("101", "102"), ("14165550142", "101"), ("102", "101"), ("104", "102"))[number % 4]
        device[caller].do("dial", "14165550101" if caller == "14165550142" else called)
        assert run(3.0, lambda: not device[called].idle), f"{called} does not ring for {caller}"
        if number % 4 != 3:
            device[called].do("answer")
        run(3.0)
        device[caller].do("hangup")
        run(2.0)

    def _count(self, stamped: Stamped) -> None:
        self.recorded += 1


def kept(world: World) -> Counter[type]:
    """Living objects by class, beside the ring of the newest events, which takes hours to be full."""
    gc.collect()
    in_ring = {id(part) for stamped in world.bus.since(0) for part in (stamped, stamped.at, stamped.event)}
    return Counter(type(living) for living in gc.get_objects() if id(living) not in in_ring)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


BOUNDED = {
    CallRecord: KEPT_RECORDS,
    Sensed: 12 * KEPT_SOUNDS,
    NameAddr: untagged.cache_info().maxsize,
    Description: parse_sdp.cache_info().maxsize + 12 * 12,  # those read lately, and those of what is going on
}
"""What may become more for a while, and how many there may be in the end."""

TUPLES = auth_params.cache_info().maxsize + 3 * BOUNDED[Description]
"""Credentials read lately, and what descriptions offer: keys of two kinds, and lists of them."""


def test_four_hours_of_calls_leave_nothing_but_their_records():
    of_others = Counter(type(living) for living in gc.get_objects())
    office = Office()
    office.pass_hours(2, 40)
    before, recorded = kept(office.world), office.recorded
    office.pass_hours(2, 40)
    after, calls = kept(office.world), office.recorded - recorded
    office.world.run(60.0)
    assert {name: count for name, count in office.world.live().items() if count} == {}
    assert (office.faults, calls) == ([], 80)
    assert {kind for kind, more in (after - before).items() if more >= calls / 4} <= BOUNDED.keys() | {tuple}
    assert after[tuple] - before[tuple] <= TUPLES
    assert after[CallRecord] - before[CallRecord] == calls
    assert all(after[kind] - of_others[kind] <= most for kind, most in BOUNDED.items())


@pytest.mark.soak
def test_eight_days_of_calls_take_no_more_memory_than_one():
    office = Office()
    heights: list[int] = []
    for _ in range(8):
        office.pass_hours(24, 60)
        gc.collect()
        heights.append(resident_bytes())
    rise = (heights[-1] - heights[3]) / 4
    assert office.faults == []
    assert office.recorded >= 8 * 24 * 60
    assert rise < 1024 * 1024, f"{rise / 1024:.0f} kB a day; heights {[height // 1024 for height in heights]} kB"
