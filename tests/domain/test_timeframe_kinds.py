"""Recurring periods, public holidays with their observance, custom frames, private and shared ones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from pbx.domain.holidays import holidays_of
from pbx.domain.timeframes import TimeFrame

ZONE = "America/Toronto"


def frame(kind: str, **fields: object) -> TimeFrame:
    return TimeFrame.model_validate({"name": "x", "kind": kind, **fields})


def covers(made: TimeFrame, text: str) -> bool:
    return made.covers(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)), ZONE)


def days_of(made: TimeFrame, year: int, months: range = range(1, 13)) -> list[str]:
    """The days of a year that are covered at noon, as `MM-DD`."""
    days = [date(year, month, day) for month in months for day in range(1, 32) if _exists(year, month, day)]
    return [f"{day:%m-%d}" for day in days if covers(made, f"{day}T12:00")]


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


# --- periods ------------------------------------------------------------------------------------------


def test_a_period_runs_from_its_first_minute_to_its_last_across_days():
    party = frame("specific-dates", periods=[{"start": "2026-12-24", "end": "2026-12-26", "begins": "15:00",
                                              "ends": "09:30"}])  # fmt: skip
    assert [covers(party, f"2026-12-{at}") for at in ("24T14:59", "24T15:00", "25T03:00", "26T09:29", "26T09:30")] == [
        False, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "months", "days"),
    [
        ({"start": "2026-01-05"}, range(1, 13), ["01-05"]),
        ({"start": "2026-01-05", "recurs": "days", "every": 10, "until": "2026-02-01"}, range(1, 13),
         ["01-05", "01-15", "01-25"]),
        ({"start": "2026-01-05", "recurs": "weeks", "every": 2}, range(1, 3), ["01-05", "01-19", "02-02", "02-16"]),
        ({"start": "2026-01-31", "recurs": "monthly-date"}, range(1, 6), ["01-31", "03-31", "05-31"]),
        ({"start": "2026-01-16", "recurs": "monthly-weekday"}, range(1, 4), ["01-16", "02-20", "03-20"]),
        ({"start": "2026-01-30", "recurs": "monthly-last-weekday", "every": 3}, range(1, 8),
         ["01-30", "04-24", "07-31"]),
        ({"start": "2026-01-31", "recurs": "monthly-last-day"}, range(1, 5), ["01-31", "02-28", "03-31", "04-30"]),
    ],
)  # fmt: skip
def test_a_period_recurs_as_it_says(period, months, days):
    assert days_of(frame("specific-dates", periods=[period]), 2026, months) == days


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ({"start": "2024-04-30", "recurs": "yearly-date"}, ["04-30"]),
        ({"start": "2024-02-29", "recurs": "yearly-date"}, []),
        ({"start": "2024-09-02", "recurs": "yearly-weekday"}, ["09-07"]),
        ({"start": "2024-05-27", "recurs": "yearly-last-weekday"}, ["05-25"]),
        ({"start": "2024-04-30", "recurs": "yearly-date", "until": "2025-12-31"}, []),
        ({"start": "2024-12-30", "end": "2025-01-02", "recurs": "yearly-date"}, ["01-01", "01-02", "12-30", "12-31"]),
    ],
)
def test_what_recurs_every_year_is_found_in_2026(period, days):
    assert days_of(frame("specific-dates", periods=[period]), 2026) == days


# --- holidays -----------------------------------------------------------------------------------------


def test_provinces_and_states_have_holidays_of_their_own():
    assert days_of(frame("holiday", holidays=["CA-ON"]), 2027, range(1, 8)) == [
        "01-01", "02-15", "03-26", "05-24", "07-01",
    ]  # fmt: skip
    assert "06-24" in days_of(frame("holiday", holidays=["CA-QC"]), 2027)
    assert "11-25" in days_of(frame("holiday", holidays=["US-NY"]), 2027)


def test_named_holidays_count_alone_whatever_their_case():
    christmas = frame("holiday", holidays=[{"region": "CA", "names": ["christmas day"]}])
    assert days_of(christmas, 2026) == ["12-25"]


@pytest.mark.parametrize(
    ("how", "days"),  # Christmas 2027 is a Saturday
    [
        ("holiday-only", ["12-25"]),
        ("and-next-day", ["12-25", "12-26"]),
        ("and-prior-day", ["12-24", "12-25"]),
        ("and-next-workday", ["12-25", "12-27"]),
        ("and-prior-workday", ["12-24", "12-25"]),
        ("next-workday", ["12-27"]),
        ("prior-workday", ["12-24"]),
    ],
)
def test_a_holiday_is_observed_by_the_weekday_it_falls_on(how, days):
    christmas = {"region": "CA", "names": ["Christmas Day"], "observed": {"sat-sun": how}}
    assert days_of(frame("holiday", holidays=[christmas]), 2027) == days
    assert days_of(frame("holiday", holidays=[christmas]), 2026) == ["12-25"]


def test_a_workday_is_one_of_the_working_week():
    rule = {"region": "CA", "names": ["Christmas Day"], "observed": {"sat": "next-workday"}}
    assert days_of(frame("holiday", holidays=[{**rule, "workweek": ["tue", "wed", "thu", "fri"]}]), 2027) == ["12-28"]


def test_a_holiday_observed_in_the_next_year_is_found_there():
    rule = {"region": "CA", "names": ["New Year's Day"], "observed": {"sat": "prior-workday"}}
    assert days_of(frame("holiday", holidays=[rule]), 2027) == ["01-01", "12-31"]


def test_holidays_have_hours_that_may_run_past_midnight():
    eve = frame(
        "holiday", holidays=[{"region": "CA", "names": ["Canada Day"], "hours": ["08:00-12:00", "22:00-02:00"]}]
    )
    clocks = ("07-01T07:59", "07-01T08:00", "07-01T12:00", "07-01T23:00", "07-02T01:59", "07-02T02:00")
    assert [covers(eve, f"2027-{at}") for at in clocks] == [False, True, False, True, True, False]


def test_holidays_are_overridden_by_dates_of_ones_own():
    own = frame("holiday", holidays=["CA-ON"], dates=["2027-06-01"], except_dates=["2027-07-01"])
    assert days_of(own, 2027, range(6, 8)) == ["06-01"]


def test_holidays_may_begin_and_end():
    rule = {"region": "CA", "names": ["Christmas Day"], "first": "2026-01-01", "until": "2026-12-31"}
    assert [days_of(frame("holiday", holidays=[rule]), year) for year in (2025, 2026, 2027)] == [[], ["12-25"], []]


def test_holidays_are_known_by_their_own_date_and_in_english():
    assert holidays_of("CA-ON", 2027)[date(2027, 9, 6)] == ("Labour Day",)


# --- the rest -----------------------------------------------------------------------------------------


def test_a_custom_frame_is_whatever_is_listed_and_nothing_else():
    mixed = frame("custom", weekdays={"mon": "09:00-10:00"}, holidays=["CA"], dates=["2026-11-25"],
                  periods=[{"start": "2026-11-26", "begins": "08:00", "ends": "09:00"}])  # fmt: skip
    assert [covers(mixed, f"2026-{at}") for at in (
        "11-23T09:30", "11-23T10:30", "11-25T23:00", "11-26T08:30", "11-26T09:00", "12-25T12:00")] == [
        True, False, True, True, False, True,
    ]  # fmt: skip
    assert mixed.text_in("UTC") == ("mon 09:00–10:00; 2026-11-26 08:00–09:00; public holidays of CA; 2026-11-25 in UTC")


def test_a_changed_copy_has_words_of_its_own_and_equals_one_made_afresh():
    office = frame("days-of-week", weekdays={"mon": "09:00-10:00"})
    assert office.text == "mon 09:00–10:00"
    changed = office.model_copy(update={"weekdays": {"tue": ["09:00-10:00"]}})
    assert changed.text == "tue 09:00–10:00"
    assert changed == frame("days-of-week", weekdays={"tue": "09:00-10:00"})


def test_the_next_change_of_a_holiday_is_midnight_where_it_is_kept():
    holiday = frame("holiday", holidays=["CA-ON"])
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    begins = holiday.next_change(now, ZONE)
    assert begins == datetime(2026, 12, 25, 5, tzinfo=UTC)
    assert holiday.next_change(begins, ZONE) == datetime(2026, 12, 27, 5, tzinfo=UTC)


def test_what_never_changes_has_no_next_change():
    assert frame("always").next_change(datetime(2026, 1, 1, tzinfo=UTC), ZONE) is None
    assert frame("specific-dates", dates=["2020-01-06"]).next_change(datetime(2026, 1, 1, tzinfo=UTC), ZONE) is None


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        ("holiday", {"holidays": ["XX"]}, "no region with known holidays"),
        ("holiday", {"holidays": ["CA-XX"]}, "CA has no part 'XX'; it has AB, BC"),
        ("holiday", {"holidays": [{"region": "CA", "names": ["Chrismas Day"]}]}, "did you mean Christmas Day"),
        ("holiday", {"holidays": [{"region": "CA", "names": ["zzz"]}]}, "CA has no holiday 'zzz'; it has"),
        ("holiday", {"holidays": [{"region": "CA", "workweek": ["mon"]}]}, "at least 4"),
        ("holiday", {"holidays": [{"region": "CA", "hours": ["01:00-02:00", "03:00-04:00", "05:00-06:00"]}]},
         "have 3 intervals"),
        ("holiday", {"holidays": [{"region": "CA", "observed": {"sat": "monday"}}]}, "next-workday"),
        ("holiday", {"periods": ["2026-01-01"]}, "dates or holidays"),
        ("custom", {}, "weekdays, dates, periods or holidays"),
        ("always", {"except_dates": ["2026-01-01"]}, "always has no exceptions"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "end": "2026-01-01"}]}, "ends before it begins"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "begins": "10:00", "ends": "10:00"}]},
         "ends before it begins"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "end": "2027-02-01"}]}, "longer than 366 days"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "every": 2}]}, "belong to a period that recurs"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "recurs": "yearly-date", "every": 2}]}, "every year"),
        ("specific-dates", {"periods": [{"start": "2026-01-02", "recurs": "fortnightly"}]}, "monthly-date"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_the_reason(kind, fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        frame(kind, **fields)


@pytest.mark.parametrize(("switched", "covers"), [("on", True), ("off", False)])
@pytest.mark.parametrize("kind", [{"kind": "always"}, {"kind": "days-of-week", "weekdays": {"mon": "09:00-10:00"}}])
def test_a_frame_switched_by_hand_covers_every_moment_or_none(kind, switched, covers):
    frame = TimeFrame(name="night", switched=switched, **kind)
    start = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert {frame.covers(start + timedelta(hours=hours), "UTC") for hours in range(48)} == {covers}
    assert frame.next_change(start, "UTC") is None
    assert frame.text == f"switched {switched} by hand"
