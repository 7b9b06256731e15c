"""A call in words and as it crossed the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.trace import lines
from pbx.clock import Moment
from pbx.events import (
    CallEnded,
    CallInvited,
    CallRouted,
    CallUp,
    DigitReceived,
    Event,
    LampSent,
    MediaHeard,
    SipRequest,
    SipResponse,
    Stamped,
)

WALL = datetime(2026, 11, 26, 9, tzinfo=UTC)


def stamped(*events: Event) -> list[Stamped]:
    return [Stamped(seq, Moment(10.0 + seq / 10, WALL), event) for seq, event in enumerate(events, start=1)]


CALL = stamped(
    SipRequest("in", "INVITE", "udp:192.0.2.9:5060", "a@x", "101", b"INVITE sip:102 SIP/2.0\r\n"),
    CallInvited("c-1", "c-1.0", "101", "Ana", "101", "102", "a@x"),
    CallRouted("c-1", "102", "user:102", "{}", first=True),
    SipResponse("out", "INVITE", 200, "udp:192.0.2.9:5060", "a@x", "101", b"SIP/2.0 200 OK\r\n"),
    CallUp("c-1", "c-1.1", "102", "102", "101", "called"),
    MediaHeard("c-1", "c-1.0", "101", "signature:101"),
    DigitReceived("c-1", "c-1.0", "101", "7", "rfc4733"),
    LampSent("101", "101", 1, 0, True),
    CallEnded("c-1", "101", "102", "101", "102", 16, 4.0),
)


def test_the_wire_is_a_row_a_message_and_a_sound_with_times_from_the_first():
    told = list(lines(CALL, plain=False))
    assert [line.split() for line in told] == [
        ["0.000", "101", "──▶", "switch", "INVITE"],
        ["0.300", "switch", "──▶", "101", "200", "OK"],
        ["0.500", "101", "──▶", "switch", "♪", "signature:101"],
    ]


def test_in_words_a_call_reads_from_dialling_to_its_end_and_no_pressed_key_is_told():
    told = [" ".join(line.split()[1:]) for line in lines(CALL, plain=True)]
    assert told == [
        "101 dials 102",
        "switch 102 leads to user:102",
        "102 answers",
        "101 is heard: signature:101",
        "101 presses a key (rfc4733)",
        "switch the call is over, 4.0 s of talk",
    ]
