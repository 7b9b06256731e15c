from __future__ import annotations

import pytest

from provisioning_server import clocks
from provisioning_server.clocks import Change, Clock, clock, gigaset_zone

HOUR = 3600


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/Montreal", Clock(-5 * HOUR, Change(3, 2, 7, 2, 0), Change(11, 1, 7, 2, 0), HOUR)),
        ("America/Regina", Clock(-6 * HOUR)),
        ("Europe/Bucharest", Clock(2 * HOUR, Change(3, 5, 7, 3, 0), Change(10, 5, 7, 4, 0), HOUR)),
        ("Australia/Sydney", Clock(10 * HOUR, Change(10, 1, 7, 2, 0), Change(4, 1, 7, 3, 0), HOUR)),
        ("Australia/Lord_Howe", Clock(37800, Change(10, 1, 7, 2, 0), Change(4, 1, 7, 2, 0), 1800)),
        ("America/St_Johns", Clock(-12600, Change(3, 2, 7, 2, 0), Change(11, 1, 7, 2, 0), HOUR)),
        ("Asia/Kolkata", Clock(19800)),
        ("UTC", Clock(0)),
        # tzdata calls Irish winter time the exception; the offsets say the same as everywhere
        ("Europe/Dublin", Clock(0, Change(3, 5, 7, 1, 0), Change(10, 5, 7, 2, 0), HOUR)),
        # the Friday before the last Sunday: the fourth this year, and not the last every year
        ("Asia/Jerusalem", Clock(2 * HOUR, Change(3, 4, 5, 2, 0), Change(10, 5, 7, 2, 0), HOUR)),
    ],
)
def test_the_year_2026_of_a_zone(zone, expected):
    assert clock(zone, 2026) == expected


def test_the_fourth_sunday_that_is_the_last_is_called_the_last():
    # wazo-provd writes week 4 for Bucharest 2025-10-26; in 2026 the change is on the 25th, in 2027 on the 31st
    assert clock("Europe/Bucharest", 2025).ends == Change(10, 5, 7, 4, 0)


def test_a_zone_that_ends_its_summer_time_for_good_has_no_rule():
    assert clock("America/Mexico_City", 2023) == Clock(-6 * HOUR)
    assert clock("Europe/Volgograd", 2020) == Clock(3 * HOUR)  # one single change in that year


@pytest.mark.parametrize(("seconds", "text"), [(-18000, "-5"), (0, "+0"), (19800, "+5:30"), (-12600, "-3:30")])
def test_yealinks_offset(seconds, text):
    assert clocks.yealink_offset(seconds) == text


def test_a_change_as_each_vendor_writes_it():
    begins, ends = Change(3, 2, 7, 2, 0), Change(10, 5, 7, 4, 0)
    assert (clocks.yealink_change(begins), clocks.yealink_change(ends)) == ("3/2/7/2", "10/5/7/4")
    assert (clocks.weekday_from_sunday(begins), clocks.poly_date(begins)) == (1, 8)
    assert clocks.weekday_from_sunday(Change(3, 1, 6, 2, 0)) == 7
    assert [clocks.poly_date(Change(3, week, 7, 2, 0)) for week in (1, 2, 3, 4, 5)] == [1, 8, 15, 22, 22]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/Toronto", "STD+5DST+4,M3.2.0/2,M11.1.0/2"),
        ("Australia/Lord_Howe", "STD-10:30DST-11,M10.1.0/2,M4.1.0/2"),
        ("Asia/Kolkata", "STD-5:30"),
    ],
)
def test_a_zone_as_posix_writes_it_counts_hours_west(zone, text):
    assert clocks.posix_zone(clock(zone, 2026)) == text


def test_a_change_at_half_past_keeps_its_minutes():
    year = Clock(0, Change(3, 1, 1, 2, 30), Change(10, 1, 1, 3, 0), HOUR)
    assert clocks.posix_zone(year) == "STD+0DST-1,M3.1.1/2:30,M10.1.1/3"


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("America/Toronto", "America/New_York"),
        ("America/Regina", "America/Regina"),  # keeps the time of none it knows
        ("Australia/Melbourne", "Australia/Sydney"),
        ("Asia/Kolkata", "Asia/Kolkata"),
    ],
)
def test_gigaset_is_told_a_zone_it_knows_that_keeps_the_same_time(zone, written):
    assert gigaset_zone(zone, clock(zone, 2026)) == written
