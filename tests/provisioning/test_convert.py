from __future__ import annotations

import pytest

from provisioning_server import convert
from provisioning_server.convert import Change, Clock, clock

HOUR = 3600


@pytest.mark.parametrize(("dscp", "tos"), [(46, 184), (26, 104), (0, 0), (63, 252)])
def test_dscp_is_the_upper_six_bits_of_the_tos_byte(dscp, tos):
    assert convert.dscp_to_tos(dscp) == tos


@pytest.mark.parametrize("dscp", [-1, 64, 184])
def test_a_tos_byte_given_for_a_dscp_is_refused(dscp):
    with pytest.raises(ValueError, match="0–63"):
        convert.dscp_to_tos(dscp)


@pytest.mark.parametrize(("seconds", "minutes"), [(120, 2), (121, 3), (60, 1), (59, 1), (0, 1), (3600, 60)])
def test_seconds_become_whole_minutes_rounded_up_and_never_none(seconds, minutes):
    assert convert.whole_minutes(seconds) == minutes


@pytest.mark.parametrize(("name", "number", "poly"), [("udp", 0, "UDPOnly"), ("tcp", 1, "TCPOnly"), ("tls", 2, "TLS")])
def test_transports(name, number, poly):
    assert (convert.transport_number(name), convert.poly_transport(name)) == (number, poly)


@pytest.mark.parametrize(
    ("text", "names"),
    [("PCMU, PCMA", ["PCMU", "PCMA"]), ("pcma", ["PCMA"]), ("G722,PCMU,,g722", ["G722", "PCMU"])],
)
def test_codecs_are_read_in_order_of_preference(text, names):
    assert convert.codec_names(text) == names


def test_an_unknown_codec_is_refused_by_name():
    with pytest.raises(ValueError, match="OPUS"):
        convert.codec_names("PCMU, opus")


@pytest.mark.parametrize(
    ("codec", "poly", "number", "rate"),
    [("PCMU", "G711_Mu", 0, 8000), ("PCMA", "G711_A", 8, 8000), ("G722", "G722", 9, 16000)],
)
def test_codec_names_of_the_vendors(codec, poly, number, rate):
    assert (convert.poly_codec(codec), convert.payload_type(codec), convert.clock_rate(codec)) == (poly, number, rate)


@pytest.mark.parametrize(
    ("method", "yealink", "grandstream"),
    [("rfc4733", 1, (101, 102, 100)), ("info", 2, (102, 101, 100)), ("inband", 0, (100, 101, 102))],
)
def test_dtmf_methods(method, yealink, grandstream):
    assert (convert.yealink_dtmf(method), convert.grandstream_dtmf(method)) == (yealink, grandstream)


@pytest.mark.parametrize(("kind", "number"), [("none", 0), ("park", 10), ("speed", 13), ("line", 15), ("blf", 16)])
def test_kinds_of_keys(kind, number):
    assert convert.yealink_key(kind) == number


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
    assert convert.yealink_offset(seconds) == text


def test_a_change_as_each_vendor_writes_it():
    begins, ends = Change(3, 2, 7, 2, 0), Change(10, 5, 7, 4, 0)
    assert (convert.yealink_change(begins), convert.yealink_change(ends)) == ("3/2/7/2", "10/5/7/4")
    assert (convert.poly_weekday(begins), convert.poly_date(begins)) == (1, 8)
    assert convert.poly_weekday(Change(3, 1, 6, 2, 0)) == 7
    assert [convert.poly_date(Change(3, week, 7, 2, 0)) for week in (1, 2, 3, 4, 5)] == [1, 8, 15, 22, 22]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/Toronto", "STD+5DST+4,M3.2.0/2,M11.1.0/2"),
        ("Australia/Lord_Howe", "STD-10:30DST-11,M10.1.0/2,M4.1.0/2"),
        ("Asia/Kolkata", "STD-5:30"),
    ],
)
def test_a_zone_as_posix_writes_it_counts_hours_west(zone, text):
    assert convert.posix_zone(clock(zone, 2026)) == text


def test_a_change_at_half_past_keeps_its_minutes():
    year = Clock(0, Change(3, 1, 1, 2, 30), Change(10, 1, 1, 3, 0), HOUR)
    assert convert.posix_zone(year) == "STD+0DST-1,M3.1.1/2:30,M10.1.1/3"
