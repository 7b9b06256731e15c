"""The book of calls keeps every event with its call, and no more than it promises."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.callbook import KEPT_CALLS, CallBook
from pbx.clock import Moment
from pbx.events import (
    CallEnded,
    CallInvited,
    CallRecordWritten,
    CallRouted,
    DeviceRegistered,
    Event,
    LegInvited,
    MediaHeard,
    MediaReport,
    SipRequest,
    SipResponse,
    Stamped,
)

AT = Moment(1.0, datetime(2026, 11, 24, 15, tzinfo=UTC))


def book_of(*events: Event) -> CallBook:
    book = CallBook()
    for seq, event in enumerate(events, start=1):
        book.take(Stamped(seq, AT, event))
    return book


def invited(call: str = "c-1", sip: str = "a@x") -> CallInvited:
    return CallInvited(call, "l-1", "101", "Ana", "101", "102", sip)


def request(sip: str, method: str = "INVITE") -> SipRequest:
    return SipRequest("in", method, "udp:127.0.0.1:5060", sip, "101", f"{method} sip:102 SIP/2.0".encode())


def test_the_invite_that_opened_a_call_is_found_though_it_came_before_the_call_had_a_name():
    book = book_of(request("a@x"), invited(), request("a@x", "ACK"), request("other@x"))
    entry = book.entry("c-1")
    assert [m.event.method for m in entry.messages] == ["INVITE", "ACK"]


def test_all_legs_are_one_call():
    second = LegInvited("c-1", "l-2", "102", "102", "", "101", "Ana", "b@x")
    book = book_of(invited(), second, request("b@x"), SipResponse("in", "INVITE", 180, "udp:h:1", "b@x", "102", b""))
    assert len(book.entry("c-1").messages) == 2


def test_path_records_and_result_come_from_the_events():
    book = book_of(
        invited(),
        CallRouted("c-1", "102", "user:102", '{"outcome": "user:102"}', first=True),
        CallRouted("c-1", "102", "mailbox:102", '{"outcome": "mailbox:102"}', first=False),
        CallEnded("c-1", "101", "102", "101", "102", 16, 4.0),
        CallRecordWritten("c-1", "101", "102", "101", "102", "VOICEMAIL", 4.0, 16, "internal"),
    )
    entry = book.entry("c-1")
    assert entry.path == ("user:102", "mailbox:102")
    assert [r["outcome"] for r in entry.records] == ["user:102", "mailbox:102"]
    assert (entry.ended, entry.disposition, entry.talk_s) == (True, "VOICEMAIL", 4.0)


def test_sound_is_told_in_words():
    book = book_of(
        invited(),
        MediaHeard("c-1", "l-1", "101", "signature:101"),
        MediaReport("c-1", "l-1", "101", "PCMU", 200, 200, 0, 1.0, 4.4, 4.0),
        MediaReport("c-1", "l-2", "102", "", 0, 0, 0, 0.0, 1.0, 0.0),
    )
    assert book.entry("c-1").sounds == (
        "101: signature:101",
        "101: PCMU, 200 packets received, 0 lost, jitter 1.0 ms, MOS 4.40",
        "102: nothing received",
    )


def test_events_of_no_call_are_not_kept():
    book = book_of(DeviceRegistered("101", "101", "sip:101@h", "udp:h:5060", 60, "T54W"))
    assert list(book.entries()) == []


def test_the_oldest_call_leaves_when_the_book_is_full():
    book = book_of(*(invited(f"c-{n}", f"{n}@x") for n in range(KEPT_CALLS + 1)))
    assert book.entry("c-0") is None
    assert next(iter(book.entries())).call == f"c-{KEPT_CALLS}"
    assert book.take(Stamped(9999, AT, request("0@x"))) is None
