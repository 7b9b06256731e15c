"""Time frames on the days clocks change, in fifty zones: what covers a moment is what a wall calendar shows."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.domain.timeframes import TimeFrame
from pbx.domain.weekdays import WEEKDAYS, Interval

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

ZONES = (
    "America/St_Johns", "America/Halifax", "America/Toronto", "America/Winnipeg", "America/Regina", "America/Edmonton",
    "America/Vancouver", "America/Whitehorse", "America/New_York", "America/Chicago", "America/Denver",
    "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Adak", "Pacific/Honolulu",
    "America/Mexico_City", "America/Tijuana", "America/Havana", "America/Bogota", "America/Caracas",
    "America/Sao_Paulo", "America/Santiago", "America/Asuncion", "America/Nuuk", "Atlantic/Azores", "Europe/London",
    "Europe/Dublin", "Europe/Paris", "Europe/Berlin", "Europe/Athens", "Europe/Chisinau", "Asia/Beirut",
    "Asia/Jerusalem", "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Asia/Tehran", "Asia/Dubai",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Perth", "Australia/Adelaide", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "UTC",
)  # fmt: skip
"""Half hours, three quarters, half an hour of summer time, summer time that ends before winter begins, and none."""


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The moments of 2026 and 2027 at which the clock of a zone is changed, to the minute, found by looking."""
    place, found = ZoneInfo(zone), []
    moment, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    while moment < end:
        later = moment + timedelta(hours=12)
        if place.utcoffset(moment.astimezone(place)) != place.utcoffset(later.astimezone(place)):
            minutes = [moment + timedelta(minutes=minute) for minute in range(12 * 60 + 1)]
            offsets = [place.utcoffset(minute.astimezone(place)) for minute in minutes]
            found.append(next(minutes[at + 1] for at, (a, b) in enumerate(pairwise(offsets)) if a != b))
        moment = later
    return tuple(found)


def on_the_calendar(weekdays: dict[str, tuple[Interval, ...]], local: datetime) -> bool:
    for days_ago in (0, 1):
        day = local.date() - timedelta(days=days_ago)
        for interval in weekdays.get(day.strftime("%a").lower(), ()):
            start, end = datetime.combine(day, interval.start), datetime.combine(day, interval.end)
            if start <= local < (end if end > start else end + timedelta(days=1)):
                return True
    return False


clock_times = st.builds(time, st.integers(0, 4) | st.integers(21, 23), st.sampled_from((0, 15, 30, 59)))
weeks = st.dictionaries(
    st.sampled_from(WEEKDAYS),
    st.lists(st.builds(Interval, start=clock_times, end=clock_times), min_size=1, max_size=2).map(tuple),
    min_size=3,
)


def test_there_are_fifty_zones_and_clocks_change_in_most():
    assert len(set(ZONES)) == 50
    assert sum(bool(changes(zone)) for zone in ZONES) >= 28


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_around_a_change_of_clocks_the_wall_clock_decides(zone, data):
    weekdays = data.draw(weeks)
    around = data.draw(st.sampled_from(changes(zone) or (datetime(2026, 3, 8, 7, tzinfo=UTC),)))
    frame = TimeFrame(name="week", weekdays=weekdays)
    for minutes in range(-240, 241, 15):
        moment = around + timedelta(minutes=minutes)
        local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert frame.covers(moment, zone) == on_the_calendar(weekdays, local)


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_the_next_change_is_the_first_and_is_one(zone, data):
    """Asked quarter by quarter, a frame changes its mind nowhere before the moment named, and does there."""
    frame = TimeFrame(name="week", weekdays=data.draw(weeks))
    around = data.draw(st.sampled_from(changes(zone) or (datetime(2026, 3, 8, 7, tzinfo=UTC),)))
    start = around - timedelta(minutes=data.draw(st.integers(0, 600)))
    now, found = frame.covers(start, zone), frame.next_change(start, zone)
    assert found is not None
    assert frame.covers(found, zone) != now
    assert frame.covers(found - timedelta(seconds=1), zone) == now
    minute = start
    while minute < min(found, start + timedelta(days=2)):
        assert frame.covers(minute, zone) == now
        minute += timedelta(minutes=7)


def test_on_the_eve_of_a_change_of_clocks_midnight_comes_before_it():
    hours = {"sun": (Interval(start=time(0), end=time(0, 15)), Interval(start=time(1), end=time(0)))}
    eve = datetime(2026, 3, 8, 5, 59, tzinfo=UTC)  # Saturday, 23:59 in Chicago
    assert TimeFrame(name="week", weekdays=hours).next_change(eve, "America/Chicago") == eve + timedelta(minutes=1)


@pytest.mark.parametrize("zone", ["America/Toronto", "Pacific/Apia", "Australia/Lord_Howe"])
def test_a_day_that_begins_later_in_another_zone_is_that_zones_day(zone):
    frame = TimeFrame(name="new year", kind="specific-dates", dates=(date(2027, 1, 1),))
    midnight = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert not frame.covers(midnight - timedelta(seconds=1), zone)
    assert frame.covers(midnight, zone)
    assert frame.next_change(midnight, zone) == midnight + timedelta(days=1)
