"""The event stream."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pbx import bus as module
from pbx.bus import Bus
from pbx.clock import moment_at
from pbx.events import CallHeld, CallResumed, ServerFault, SipRequest

AT = moment_at(1.0, datetime(2026, 11, 24, tzinfo=UTC))
HELD, RESUMED = CallHeld("c", "l", "101"), CallResumed("c", "l", "101")


def test_everybody_is_told_in_order_with_a_number():
    bus, seen = Bus(), []
    bus.subscribe(seen.append)
    stamped = [bus.publish(event, AT) for event in (HELD, RESUMED)]
    assert seen == stamped
    assert [(s.seq, s.event, s.at) for s in seen] == [(1, HELD, AT), (2, RESUMED, AT)]
    assert bus.seq == 2


def test_a_subscriber_may_ask_for_some_kinds_only():
    bus, seen = Bus(), []
    bus.subscribe(seen.append, kinds=[CallResumed])
    bus.publish(HELD, AT)
    bus.publish(RESUMED, AT)
    assert [s.event for s in seen] == [RESUMED]


def test_a_subscriber_may_leave_some_kinds_out():
    bus, seen = Bus(), []
    bus.publish(RESUMED, AT)
    bus.subscribe(seen.append, but=[CallResumed])
    bus.publish(RESUMED, AT)
    bus.publish(HELD, AT)
    assert [s.event for s in seen] == [HELD]


def test_messages_are_kept_apart_so_that_they_push_nothing_else_out(monkeypatch):
    monkeypatch.setattr(module, "KEPT_MESSAGES", 2)
    bus = Bus()
    said = SipRequest("in", "OPTIONS", "udp:192.0.2.1:5060", "1@x", "", b"OPTIONS")
    for event in (HELD, said, said, RESUMED, said, said):
        bus.publish(event, AT)
    assert [(s.seq, s.event) for s in bus.since(0)] == [(1, HELD), (4, RESUMED), (5, said), (6, said)]


def test_a_subscription_ends_also_while_it_is_being_told():
    bus, seen = Bus(), []
    ends = []

    def once(stamped):
        seen.append(stamped.seq)
        ends[0]()
        ends[0]()

    ends.append(bus.subscribe(once))
    bus.publish(HELD, AT)
    bus.publish(HELD, AT)
    assert seen == [1]


def test_what_was_missed_can_be_read_as_far_as_it_is_kept(monkeypatch):
    monkeypatch.setattr(module, "KEPT", 3)
    bus = Bus()
    for _ in range(5):
        bus.publish(HELD, AT)
    assert [s.seq for s in bus.since(0)] == [3, 4, 5]
    assert [s.seq for s in bus.since(4)] == [5]
    assert bus.since(5) == bus.since(9) == []


def test_a_subscriber_that_fails_disturbs_nobody_and_is_told_of():
    bus, seen = Bus(), []

    def broken(stamped):
        raise KeyError("no such phone")

    bus.subscribe(broken)
    bus.subscribe(seen.append)
    stamped = bus.publish(HELD, AT)
    assert seen[0] == stamped
    (fault,) = [s.event for s in seen[1:]]
    assert isinstance(fault, ServerFault)
    assert (fault.where, fault.call) == ("subscriber", "c")
    assert "KeyError: 'no such phone' (call.held, test_bus.py:" in fault.message


@given(st.lists(st.sampled_from((HELD, RESUMED)), max_size=30), st.integers(0, 30))
def test_numbers_have_no_gaps(events, after):
    bus = Bus()
    for event in events:
        bus.publish(event, AT)
    assert [s.seq for s in bus.since(after)] == list(range(after + 1, len(events) + 1))
