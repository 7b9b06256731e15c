"""Call records: the events of a call in, one row out."""

from datetime import UTC, datetime

import pytest

from pbx.clock import Moment, moment_at
from pbx.events import (
    AnswerConfirmed,
    CallEnded,
    CallHeld,
    CallInvited,
    CallRouted,
    CallUp,
    ConfirmationAsked,
    LegEnded,
    LegInvited,
    MenuEntered,
    VoicemailGreeted,
    VoicemailOpened,
    VoicemailRefused,
)
from pbx.records import CallFacts

EPOCH = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
INVITED = CallInvited("c-1", "c-1.0", "101", "Ana", "101", "102", "x")
FROM_OUTSIDE = CallInvited("c-1", "c-1.0", "14165550142", "Pat", "", "14165550100", "x")


def at(seconds: float) -> Moment:
    return moment_at(seconds, EPOCH)


def routed(to):
    return CallRouted("c-1", "102", to, "{}", False)


def rings(device="102", number=""):
    return LegInvited("c-1", "c-1.1", device, device, number, "101", "Ana", "y")


def answered_by(extension):
    return CallUp("c-1", "c-1.1", extension, extension, "101", "called")


CALLER_UP = CallUp("c-1", "c-1.0", "101", "101", "101", "caller")
CALLER_LEFT = LegEnded("c-1", "c-1.0", "101", "101", 16, "peer")


def facts(*events, invited=INVITED, cause=16):
    """Take the events, a second apart, and the end of the call."""
    made = CallFacts("c-1")
    for second, event in enumerate((invited, *events)):
        made.take(event, at(second))
    end = at(len(events) + 1)
    made.take(CallEnded("c-1", "101", "", "101", "102", cause, made.talk_s(end)), end)
    return made


def outcome(*events, **keywords):
    record = facts(*events, **keywords).record()
    return record.disposition, record.answered_by, record.talk_s


def test_an_answered_call_has_all_its_facts():
    record = facts(routed("user:102"), rings(), answered_by("102"), CALLER_UP, CALLER_LEFT).record()
    start = EPOCH.timestamp()
    assert (record.call, record.caller_number, record.caller_name, record.device) == ("c-1", "101", "Ana", "101")
    assert (record.dialled, record.answered_by, record.disposition, record.direction) == (
        "102",
        "102",
        "ANSWERED",
        "internal",
    )
    assert (record.started_at, record.answered_at, record.ended_at) == (start, start + 4, start + 6)
    assert (record.talk_s, record.cause, record.path) == (3.0, 16, "user:102")


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [(17, "BUSY"), (19, "NO ANSWER"), (20, "NO ANSWER"), (16, "NO ANSWER"), (1, "FAILED"), (41, "FAILED")],
)
def test_an_unanswered_call_says_why(cause, disposition):
    assert outcome(routed("user:102"), rings(), cause=cause) == (disposition, "", 0.0)


def test_a_caller_who_left_first_has_cancelled():
    assert outcome(routed("user:102"), rings(), CALLER_LEFT) == ("CANCELLED", "", 0.0)
    assert outcome(routed("queue:500"), CALLER_UP, CALLER_LEFT) == ("CANCELLED", "", 0.0)


def test_voicemail_is_an_outcome_of_its_own():
    assert outcome(routed("mailbox:102"), CALLER_UP, VoicemailGreeted("c-1", "102"), CALLER_LEFT) == (
        "VOICEMAIL",
        "102",
        2.0,
    )


@pytest.mark.parametrize("event", [VoicemailOpened("c-1", "101"), VoicemailRefused("c-1", "101", 1)])
def test_listening_to_ones_messages_is_an_answered_call(event):
    assert outcome(CALLER_UP, event) == ("ANSWERED", "101", 1.0)


def test_an_attendant_answers_until_the_call_goes_on():
    menu = MenuEntered("c-1", "400", "main", "")
    assert outcome(routed("attendant:400/main"), CALLER_UP, menu, CALLER_LEFT) == ("ANSWERED", "400", 2.0)
    on = (routed("attendant:400/main"), CALLER_UP, menu, routed("user:102"), rings())
    assert outcome(*on, cause=19) == ("NO ANSWER", "", 0.0)
    assert outcome(*on, CALLER_LEFT) == ("CANCELLED", "", 0.0)
    assert outcome(*on, answered_by("102")) == ("ANSWERED", "102", 1.0)


def test_after_a_transfer_the_last_to_answer_counts_and_talking_goes_on():
    events = (answered_by("102"), CALLER_UP, MenuEntered("c-1", "400", "main", ""), rings("103"), answered_by("103"))
    assert outcome(*events) == ("ANSWERED", "103", 5.0)


def test_who_answers_but_never_confirms_has_not_answered():
    asked, mobile = ConfirmationAsked("c-1", "c-1.1"), answered_by("14165550199")
    assert outcome(CALLER_UP, rings("", "14165550199"), mobile, asked, CALLER_LEFT) == ("CANCELLED", "", 0.0)
    confirmed = AnswerConfirmed("c-1", "c-1.1")
    assert outcome(CALLER_UP, mobile, asked, confirmed, CALLER_LEFT) == ("ANSWERED", "14165550199", 2.0)


@pytest.mark.parametrize(
    ("invited", "leg", "direction"),
    [
        (INVITED, rings(), "internal"),
        (INVITED, rings("", "14165550190"), "outbound"),
        (FROM_OUTSIDE, rings(), "inbound"),
        (FROM_OUTSIDE, rings("", "14165550199"), "inbound"),
    ],
)
def test_the_direction_follows_from_who_called_and_whether_the_trunk_was_used(invited, leg, direction):
    assert facts(leg, invited=invited).record().direction == direction


def test_an_outside_number_may_have_answered():
    up = CallUp("c-1", "c-1.1", "", "", "14165550101", "called")
    assert outcome(rings("", "14165550190"), up)[:2] == ("ANSWERED", "14165550190")


def test_the_path_names_each_stop_once_in_a_row():
    record = facts(routed("user:101"), routed("user:101"), routed("mailbox:101")).record()
    assert record.path == "user:101 > mailbox:101"


def test_an_open_row_says_what_is_known_and_other_events_change_nothing():
    made = CallFacts("c-1")
    with pytest.raises(ValueError, match="has not been invited"):
        made.record()
    made.take(INVITED, at(0))
    made.take(CallHeld("c-1", "c-1.0", "101"), at(1))
    record = made.record()
    assert (record.disposition, record.ended_at, record.cause, made.talk_s(at(9))) == ("", 0.0, 0, 0.0)
