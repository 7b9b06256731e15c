"""The office's hour: it alone is shifted, routing goes by it, and what is worth jumping to is found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lab.errors import UserError
from lab.hours import OfficeHours, differences, jumps
from lab.seeds.load import load_seed
from pbx.callflow.flow_map import edges_at, flow_map, node_of
from pbx.callflow.question import Asked, Presence
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.events import HourSet

MONDAY = datetime(2026, 11, 23, 15, 15, tzinfo=UTC)
"""10:15 in Toronto."""
DIRECTORY = load_seed().directory
HOURS = [MONDAY + timedelta(hours=hours) for hours in (0, 2, 9, 15, 24 * 5, 24 * 32)]
"""At work, at lunch, in the evening, at night, on Saturday, on Christmas Day."""


class Clock:
    def __init__(self) -> None:
        self.moment = Moment(100.0, MONDAY)
        self.told: list[HourSet] = []
        self.hours = OfficeHours(lambda: self.moment, self.told.append)

    def passes(self, seconds: float) -> None:
        self.moment = self.moment.later(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_jump_shifts_the_wall_alone_and_the_hour_goes_on_from_there(clock):
    christmas = MONDAY + timedelta(days=32)
    clock.hours.jump(christmas)
    clock.passes(60)
    assert clock.hours.now() == Moment(160.0, christmas + timedelta(minutes=1))
    assert clock.told == [HourSet("2026-12-25T15:15:00+00:00", 1.0, shifted=True)]


def test_it_pauses_and_hurries_without_a_leap(clock):
    clock.hours.pause()
    clock.passes(3600)
    assert clock.hours.now().wall == MONDAY
    clock.hours.run(600)
    clock.passes(6)
    assert clock.hours.now().wall == MONDAY + timedelta(hours=1)
    clock.hours.real()
    assert (clock.hours.now(), clock.hours.word) == (clock.moment, "")


@pytest.mark.parametrize("to", [MONDAY - timedelta(seconds=1), MONDAY + timedelta(days=401)])
def test_neither_the_past_nor_a_far_future_is_jumped_to(clock, to):
    with pytest.raises(UserError):
        clock.hours.jump(to)
    assert (clock.hours.shifted, clock.told) == (False, [])


def test_jumps_are_openings_closings_holidays_the_clock_change_and_ports_soonest_first():
    found = jumps(DIRECTORY, MONDAY, [("acme.lab", date(2026, 12, 15))])
    told = {(jump.name, jump.about): jump.at for jump in found}
    assert told["closing", "office-hours"] == datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert told["holiday", "holidays"] == datetime(2026, 12, 25, 5, tzinfo=UTC)
    assert told["clock change", "America/Toronto"] == datetime(2027, 3, 14, 7, tzinfo=UTC)
    assert told["FOC", "acme.lab"] == datetime(2026, 12, 15, 15, tzinfo=UTC)
    assert [jump.at for jump in found] == sorted(jump.at for jump in found)


def test_what_a_jump_changes_is_what_routing_says_of_both_moments():
    now, there = Moment(0.0, MONDAY), Presence(frozenset(DIRECTORY.devices_by_id))
    told = {number: (before, after) for number, before, after in differences(DIRECTORY, there, now, HOURS[-1])}
    assert told["14165550107"] == ("attendant:400/main", "attendant:400/closed")
    assert differences(DIRECTORY, there, now, MONDAY + timedelta(seconds=1)) == []


@pytest.mark.parametrize("hour", HOURS)
def test_the_one_way_of_a_number_at_an_hour_is_the_one_routing_takes(hour):
    taken = edges_at(DIRECTORY, hour)
    assert taken <= set(flow_map(DIRECTORY).edges)
    there = Presence(frozenset(DIRECTORY.devices_by_id))
    for number in (one for one in DIRECTORY.numbers if one.routes):
        ways = [edge.target for edge in taken if edge.source == f"number:{number.number}"]
        found = route(DIRECTORY, Asked(number.number, "14165550142"), there, Moment(0.0, hour))
        assert ways == [node_of(DIRECTORY, found.destination)], number.number
