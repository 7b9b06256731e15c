"""Time frames against an oracle that shares nothing with them: it lays intervals out on the calendar and looks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pbx.domain.timeframes import TimeFrame
from pbx.domain.weekdays import WEEKDAYS, Interval

OFFICE = TimeFrame.model_validate({"name": "office", "weekdays": {"mon-fri": ["08:00-18:00"]}})
ZONES = ("America/Toronto", "America/Vancouver", "America/St_Johns", "Asia/Tokyo", "UTC")

clock_times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 1, 29, 30, 59)))
intervals = st.builds(Interval, start=clock_times, end=clock_times)
weeks = st.dictionaries(
    st.sampled_from(WEEKDAYS), st.lists(intervals, min_size=1, max_size=2).map(tuple), min_size=1, max_size=7
)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m))


def on_the_calendar(weekdays: dict[str, tuple[Interval, ...]], local: datetime) -> bool:
    """Lay out the naive intervals that begin yesterday and today, and look whether one holds `local`."""
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        for interval in weekdays.get(day.strftime("%a").lower(), ()):
            start = datetime.combine(day, interval.start)
            end = datetime.combine(day, interval.end)
            if end <= start:
                end += timedelta(days=1)
            if start <= local < end:
                return True
    return False


@given(weeks, moments, st.sampled_from(ZONES))
def test_days_of_week_cover_what_the_calendar_shows(weekdays, moment, zone):
    frame = TimeFrame(name="week", weekdays=weekdays)
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert frame.covers(moment, zone) == on_the_calendar(weekdays, local)


@given(st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), min_size=1, max_size=5), moments, st.sampled_from(ZONES))
def test_dates_are_those_of_the_owners_zone(dates, moment, zone):
    frame = TimeFrame(name="days", kind="holiday", dates=tuple(dates))
    assert frame.covers(moment, zone) == (moment.astimezone(ZoneInfo(zone)).date() in dates)


@pytest.mark.parametrize(
    ("clock", "covered"),
    [("07:59:59", False), ("08:00:00", True), ("17:59:59.999999", True), ("18:00:00", False)],
)
def test_a_frame_begins_with_its_first_and_ends_before_its_last_minute(clock, covered):
    local = datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=ZoneInfo("America/Toronto"))
    assert OFFICE.covers(local, "America/Toronto") is covered


def test_the_same_moment_is_inside_in_one_zone_and_outside_in_another():
    moment = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
    assert OFFICE.covers(moment, "America/Toronto")
    assert not OFFICE.covers(moment, "America/Vancouver")


def test_the_wall_clock_counts_when_clocks_change():
    night = TimeFrame.model_validate({"name": "night", "weekdays": {"sun": "01:30-02:30"}})
    spring = datetime(2026, 3, 8, 6, 45, tzinfo=UTC)  # 01:45 EST; at 02:00 the clock jumps to 03:00
    assert night.covers(spring, "America/Toronto")
    assert not night.covers(spring + timedelta(minutes=15), "America/Toronto")
    autumn = datetime(2026, 11, 1, 5, 45, tzinfo=UTC)  # 01:45 EDT, and 01:45 again an hour later
    assert night.covers(autumn, "America/Toronto")
    assert night.covers(autumn + timedelta(hours=1), "America/Toronto")


def test_an_interval_over_midnight_belongs_to_the_day_it_begins():
    night = TimeFrame.model_validate({"name": "friday night", "weekdays": {"fri": ["22:00-06:00"]}})
    toronto = ZoneInfo("America/Toronto")
    assert night.covers(datetime(2026, 11, 27, 23, 0, tzinfo=toronto), "America/Toronto")
    assert night.covers(datetime(2026, 11, 28, 5, 59, tzinfo=toronto), "America/Toronto")
    assert not night.covers(datetime(2026, 11, 27, 5, 59, tzinfo=toronto), "America/Toronto")


def test_always_covers_every_moment():
    assert TimeFrame(name="always", kind="always").covers(datetime(2026, 1, 1, tzinfo=UTC), "UTC")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"name": "*", "kind": "always"}, "name of no time frame"),
        ({"name": "x", "weekdays": {"mon": ["01:00-02:00", "03:00-04:00", "05:00-06:00"]}}, "mon has 3 intervals"),
        ({"name": "x", "weekdays": {"moonday": ["01:00-02:00"]}}, "no weekday"),
        ({"name": "x", "weekdays": {"fri-mon": ["01:00-02:00"]}}, "runs backwards"),
        ({"name": "x", "weekdays": {"mon-fri": ["01:00-02:00"], "tue": ["03:00-04:00"]}}, "tue is listed twice"),
        ({"name": "x", "weekdays": {"mon": ["late"]}}, "weekdays"),
        ({"name": "x", "weekdays": "mon"}, "dictionary"),
        ({"name": "x"}, "weekdays and no dates"),
        ({"name": "x", "kind": "holiday"}, "dates or holidays"),
        ({"name": "x", "kind": "always", "dates": ["2026-01-01"]}, "neither weekdays nor dates"),
    ],
)
def test_a_frame_that_means_nothing_is_refused(document, complaint):
    with pytest.raises(ValidationError, match=complaint):
        TimeFrame.model_validate(document)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"weekdays": {"mon-wed": ["08:00-12:00", "13:00-17:00"], "fri": "22:00-06:00"}},
         "mon–wed 08:00–12:00 and 13:00–17:00; fri 22:00–06:00"),
        ({"kind": "holiday", "dates": ["2026-12-26", "2026-12-25"]}, "2026-12-25, 2026-12-26"),
        ({"kind": "holiday", "dates": [f"2026-12-0{day}" for day in range(1, 6)]},
         "5 dates, 2026-12-01 to 2026-12-05"),
    ],
)  # fmt: skip
def test_a_frame_is_told_in_words(document, text):
    assert TimeFrame.model_validate({"name": "x", **document}).text_in("UTC") == f"{text} in UTC"
    assert TimeFrame(name="x", kind="always").text_in("UTC") == "always"
