"""Leaving a message, and getting into a mailbox, as conversations."""

import pytest

from pbx.callflow.voicemail import leave_message, log_in
from pbx.domain.kept import BoxState, KeptPrompt
from pbx.events import (
    VoicemailDropped,
    VoicemailGreeted,
    VoicemailLocked,
    VoicemailOpened,
    VoicemailRefused,
)
from tests.callflow.mailbox import kinds, message
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office

GENERIC = "play prompt:vm-greeting+digit-1+digit-0+digit-1+vm-not-available"
LEFT = "play prompt:vm-message-left"


def caller(**mailbox):
    """Somebody at Ana's mailbox."""
    book = Playbook(office(ana={"voicemail_pin": "4101", "mailbox": mailbox}))
    return book.start(leave_message(book, "101"))


def recording(**mailbox):
    """Greeting and beep are over; what is recorded has begun."""
    book = caller(**mailbox).played().played()
    book.take()
    return book


def greeting(name, recording="g"):
    return KeptPrompt("101", name, recording, 2.0, "call")


# --- leaving one ----------------------------------------------------------------------------------------


def test_a_message_is_left_after_greeting_and_beep():
    book = caller()
    assert book.take() == ["answer", GENERIC]
    assert kinds(book) == [VoicemailGreeted]
    book.played()
    assert book.take() == ["play tone:beep"]
    book.played()
    assert book.take() == ["record 101"]
    assert book.limits == (180.0, 4.0)
    book.recorded()
    assert book.take() == ["deliver rec-1", LEFT]
    book.played()
    assert book.take() == ["play prompt:goodbye"]
    assert book.played().goes_to == "hangup:normal"


def test_while_nothing_can_be_kept_no_message_is_promised():
    book = Playbook()
    book.can_record = False
    book.start(leave_message(book, "101"))
    assert (book.take(), book.goes_to) == ([], "hangup:unavailable")


def test_who_has_been_answered_is_told_so():
    book = Playbook()
    book.can_record, book.answered = False, True
    book.start(leave_message(book, "101"))
    assert book.take() == ["play prompt:vm-no-room+goodbye"]
    assert book.played().goes_to == "hangup:unavailable"
    assert kinds(book) == []


def test_a_key_skips_the_greeting():
    assert caller().key("#").take()[2:] == ["stop", "play tone:beep"]


def test_the_owner_s_key_leads_to_the_log_in():
    assert caller().key("*").goes_to == "voicemail-login:101"


def test_a_recording_whose_end_is_never_reported_ends_too():
    assert caller().played().played().wait(600).done


def test_limits_are_those_of_the_mailbox_and_no_silence_means_none():
    assert recording(max_message_s=30, silence_s=0).limits == (30.0, 30.0)


def test_a_message_that_reached_its_limit_is_said_to_have():
    assert recording().recorded(180.0, "limit").take() == ["deliver rec-1", "play prompt:vm-limit+vm-message-left"]


def test_what_is_too_short_is_not_kept_and_may_be_said_again():
    book = recording(min_message_s=2).recorded(1.0, "key")
    assert book.take() == ["discard rec-1", "play prompt:vm-too-short"]
    assert [(e.seconds, e.reason) for e in book.events if isinstance(e, VoicemailDropped)] == [(1.0, "too short")]
    book.played().played()
    assert book.take() == ["play tone:beep", "record 101"]
    assert book.recorded(3.0).take() == ["deliver rec-2", LEFT]


def test_silence_alone_is_no_message():
    assert recording().recorded(0.0, "silence").take() == ["discard rec-1", "play prompt:goodbye"]


def test_who_ends_it_by_the_key_may_hear_it_and_say_it_again():
    book = recording().recorded(3.0, "key")
    assert book.take() == ["play prompt:vm-review"]
    book.key("2")
    assert book.take() == ["stop", "play recording:rec-1"]
    book.played()
    assert book.take() == ["play prompt:vm-review"]
    book.key("3")
    assert book.take() == ["stop", "discard rec-1", "play tone:beep"]
    book.played().recorded(4.0, "key").key("1")
    assert book.take()[-2:] == ["deliver rec-2", LEFT]


def test_who_says_nothing_to_the_question_has_left_the_message():
    book = recording().recorded(3.0, "key").played().wait(5)
    assert book.take()[-2:] == ["deliver rec-1", LEFT]


def test_nobody_records_again_for_ever():
    book = recording()
    for _ in range(3):
        book.recorded(3.0, "key").key("3").played()
    assert book.said[-1] == "play prompt:goodbye"


@pytest.mark.parametrize(
    ("kept", "chosen", "heard"),
    [
        ([greeting("1"), greeting("2", "g2")], 2, "play prompt:recording:g2"),
        ([greeting("1")], 0, GENERIC),
        ([greeting("1")], 7, GENERIC),
        ([greeting("name", "n")], 0, "play prompt:recording:n+vm-not-available"),
    ],
)
def test_the_greeting_is_the_one_chosen_else_the_generic_one_with_the_recorded_name(kept, chosen, heard):
    book = Playbook()
    book.kept, book.states = kept, {"101": BoxState("101", greeting=chosen)}
    book.start(leave_message(book, "101"))
    assert book.take()[1] == heard


def test_a_full_mailbox_says_so():
    """625 KB are 80 s of sound."""
    book = Playbook(office(ana={"mailbox": {"storage_kb": 625}}))
    book.left = [message(number, folder) for number, folder in enumerate(["new", "saved", "trash"] * 9)]
    book.start(leave_message(book, "101"))
    assert book.take() == ["answer", "full 101", "play prompt:vm-full+goodbye"]
    assert kinds(book) == [VoicemailGreeted]
    assert book.played().goes_to == "hangup:normal"


def test_a_message_gets_no_more_than_the_room_there_is():
    book = Playbook(office(ana={"mailbox": {"storage_kb": 625}}))
    book.left, book.kept = [message(1)], [greeting("1"), greeting("name")]
    book.start(leave_message(book, "101")).played().played()
    assert book.limits == (80 - 3 - 2 - 2, 4.0)


# --- getting in -----------------------------------------------------------------------------------------


def mailbox(*messages, box="101"):
    book = Playbook(office(ana={"voicemail_pin": "4101"}))
    book.left = list(messages)
    return book.start(log_in(book, box))


def test_the_right_pin_opens_the_own_box():
    book = mailbox(message(1), message(2))
    assert book.take() == ["answer", "play prompt:vm-password"]
    book.key("4101#")
    assert book.take() == ["stop", "play prompt:vm-you-have+digit-2+vm-new-messages"]
    assert kinds(book) == [VoicemailOpened]


def test_box_and_pin_are_asked_for():
    book = mailbox(box="")
    assert book.take() == ["answer", "play prompt:vm-login"]
    book.played().key("101#")
    assert book.take() == ["play prompt:vm-password"]
    book.key("4101").wait(3)
    assert kinds(book) == [VoicemailOpened]


@pytest.mark.parametrize("entered", ["", "#", "4102#", "0000000000"])
def test_three_wrong_pins_end_the_call(entered):
    book = mailbox(message(1))
    for _ in range(3):
        book.played().key(entered).wait(8)
        assert book.said[-1] == "play prompt:vm-wrong-password"
        book.played()
    assert [e.attempt for e in book.events if isinstance(e, VoicemailRefused)] == [1, 2, 3]
    assert book.said[-1] == "play prompt:goodbye"
    assert book.played().goes_to == "hangup:normal"


@pytest.mark.parametrize("box", ["199", "103"])
def test_a_box_that_is_none_is_refused_like_a_wrong_pin_and_counts_for_nobody(box):
    book = mailbox(box="").key(f"{box}#").key("4101#")
    assert [(e.box, e.attempt) for e in book.events if isinstance(e, VoicemailRefused)] == [(box, 1)]
    assert book.states == {}


def test_a_user_without_a_pin_cannot_be_listened_to():
    book = Playbook(office())
    book.start(log_in(book, "101")).key("#")
    assert kinds(book) == [VoicemailRefused]


def wrong(book):
    return book.key("1#").played()


def test_wrong_pins_lock_the_mailbox_over_all_calls_for_a_while():
    book = mailbox()
    book.states = {"101": BoxState("101", failures=8)}
    wrong(wrong(book))
    assert [(e.box, e.minutes) for e in book.events if isinstance(e, VoicemailLocked)] == [("101", 15)]
    book.take()
    book.key("4101#")
    assert book.take() == ["stop", "play prompt:vm-locked"]
    assert book.played().played().goes_to == "hangup:normal"
    book.wait(15 * 60)
    assert kinds(book.start(log_in(book, "101")).key("4101#"))[-1] is VoicemailOpened


def test_the_right_pin_forgets_the_wrong_ones():
    book = wrong(mailbox())
    assert book.states["101"].failures == 1
    book.key("4101#")
    assert book.states["101"].failures == 0


def test_a_pin_chosen_at_the_telephone_counts_until_another_is_configured():
    book = mailbox()
    book.states = {"101": BoxState("101", pin="7788", instead_of="4101")}
    assert kinds(wrong(book).key("4101#").played().key("7788#"))[-1] is VoicemailOpened
    later = mailbox()
    later.states = {"101": BoxState("101", pin="7788", instead_of="9999")}
    assert kinds(later.key("7788#").played().key("4101#"))[-1] is VoicemailOpened
