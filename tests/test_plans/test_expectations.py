"""Matching events against conditions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.clock import moment_at
from pbx.events import CallEnded, CallRinging, DeviceRefreshed, SipRequest, Stamped
from test_plans.expectations import describe, matches, meets, nearest, unmet

AT = moment_at(0.0, datetime(2026, 11, 24, 15, tzinfo=UTC))
ENDED = CallEnded("c-1", "11", "12", "11", "12", 16, 4.5)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        (5, "3..8", True),
        (8, "3..8", True),
        (8.01, "3..8", False),
        (-1, "-2..0", True),
        (0.7, "> 0.5%", True),
        (0.5, "> 0.5%", False),
        (21, "> 20ms", True),
        (1, ">= 1", True),
        (1, "<1", False),
        (2, "<= 2 s", True),
        (401, [401, 407], True),
        (403, [401, 407], False),
        (16, 16, True),
        (16, "16", True),
        (16, "sixteen", False),
        ("", None, True),
        (None, None, True),
        ("x", None, False),
        (True, True, True),
        (True, "true", True),
        (False, True, False),
        ("true", True, True),
        ("user:101", "user:*", True),
        ("user:101", "queue:*", False),
        ("user:101", ["queue:*", "user:1*"], True),
        ("busy", "!busy", False),
        ("idle", "!busy", True),
        ("12", 12, True),
        ("3..8", "3..8", True),
    ],
)
def test_a_value_meets_a_range_a_limit_a_list_a_glob_or_itself(value, wanted, expected):
    assert meets(value, wanted) is expected


def test_an_event_matches_its_kind_and_what_it_refines():
    refreshed = DeviceRefreshed("11", "11", "sip:a", "udp:1", 60, "x")
    assert matches(refreshed, "registration.refreshed", {})
    assert matches(refreshed, "registration.added", {"expires_s": ">= 60"})
    assert not matches(refreshed, "registration.removed", {})
    assert not matches(refreshed, "event", {})


def test_unmet_conditions_are_named_one_by_one():
    assert unmet(ENDED, {"cause": 16, "talk_s": "4..5"}) == []
    assert unmet(ENDED, {"cause": 17, "colour": "red"}) == ["cause is 16, not 17", "has no colour"]


def test_what_came_nearest_is_told_first_and_sip_noise_never():
    events = [
        Stamped(1, AT, CallRinging("c-1", "c-1.1", "12", "12", "99", "")),
        Stamped(2, AT, CallRinging("c-1", "c-1.1", "13", "13", "99", "")),
        Stamped(3, AT, SipRequest("in", "BYE", "udp:1", "x", "11", b"BYE")),
        Stamped(4, AT, ENDED),
    ]
    seen = nearest(events, "call.ringing", {"device": "12", "caller_number": "11"})
    assert [line.split()[0] for line in seen] == ["call.ringing", "call.ringing", "call.ended"]
    assert seen[0].endswith(": caller_number is '99', not '11'")
    assert nearest(events, "sip.request", {"method": "INVITE"})[0].startswith("sip.request")


def test_a_description_leaves_out_what_is_empty_and_what_is_long():
    text = describe(Stamped(1, AT, ENDED))
    assert text.startswith("call.ended call=c-1 device=11")
    long = SipRequest("in", "INVITE", "udp:1", "x" * 500, "", b"INVITE sip:secret")
    described = describe(Stamped(1, AT, long))
    assert len(described) <= 240
    assert "secret" not in described


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_range_is_met_exactly_by_what_lies_in_it(value, low, high):
    assert meets(value, f"{low}..{high}") is (low <= value <= high)


@given(st.text(max_size=20), st.one_of(st.text(max_size=20), st.integers(), st.none(), st.lists(st.text(max_size=5))))
def test_no_value_and_no_condition_raises(value, wanted):
    assert meets(value, wanted) in (True, False)
