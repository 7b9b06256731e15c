"""Voicemail, as a conversation."""

import pytest

from pbx.callflow.voicemail import leave_message, log_in
from pbx.domain.history import Message
from pbx.events import VoicemailDeleted, VoicemailGreeted, VoicemailHeard, VoicemailOpened, VoicemailRefused
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office


def message(number, folder="new", box="101"):
    return Message(f"m{number}", box, folder, f"r{number}", 3.0, "102", "signature:102", 1000.0 + number)


def mailbox(*messages, box="101"):
    book = Playbook(office(ana={"voicemail_pin": "4101"}))
    book.box = list(messages)
    return book.start(log_in(book, box))


def opened(*messages):
    """Ana's box, with the right PIN; what is said before the first message is said."""
    book = mailbox(*messages).key("4101#")
    book.take()
    return book.played()


def kinds(book):
    return [type(event) for event in book.events]


def test_a_message_is_left_after_greeting_and_beep():
    book = Playbook()
    book.start(leave_message(book, "101"))
    assert book.take() == ["answer", "play prompt:vm-greeting+digit-1+digit-0+digit-1+vm-not-available"]
    assert kinds(book) == [VoicemailGreeted]
    book.played()
    assert book.take() == ["play tone:beep"]
    book.played()
    assert book.take() == ["record 101"]
    book.recorded()
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
    assert book.take() == ["play prompt:vm-not-available+goodbye"]
    assert book.played().goes_to == "hangup:unavailable"
    assert kinds(book) == []


def test_a_key_skips_the_greeting():
    book = Playbook()
    book.start(leave_message(book, "101")).key("#")
    assert book.take()[2:] == ["stop", "play tone:beep"]


def test_a_recording_whose_end_is_never_reported_ends_too():
    book = Playbook()
    book.start(leave_message(book, "101")).played().played().wait(600)
    assert book.done


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
def test_a_box_that_is_none_is_refused_like_a_wrong_pin(box):
    book = mailbox(box="").key(f"{box}#").key("4101#")
    assert [(e.box, e.attempt) for e in book.events if isinstance(e, VoicemailRefused)] == [(box, 1)]


def test_a_user_without_a_pin_cannot_be_listened_to():
    book = Playbook(office())
    book.start(log_in(book, "101")).key("#")
    assert kinds(book) == [VoicemailRefused]


def test_a_message_heard_to_its_end_is_saved():
    book = opened(message(1))
    assert book.take() == ["play recording:r1"]
    book.played()
    assert book.take() == ["keep m1 saved", "play prompt:vm-message-menu"]
    assert kinds(book) == [VoicemailOpened, VoicemailHeard]
    book.played().wait(6)
    assert book.take() == ["play prompt:vm-end-of-messages+goodbye"]
    assert book.played().goes_to == "hangup:normal"


def test_seven_deletes_while_it_plays_or_after():
    book = opened(message(1), message(2))
    book.take()
    book.key("7")
    assert book.take() == ["stop", "keep m1 saved", "remove m1", "play prompt:vm-message-deleted"]
    book.played().played().key("7")
    assert book.take()[-3:] == ["stop", "remove m2", "play prompt:vm-message-deleted"]
    assert [e.message for e in book.events if isinstance(e, VoicemailDeleted)] == ["m1", "m2"]


def test_two_saves_one_repeats_any_other_key_goes_on():
    book = opened(message(1), message(2))
    book.take()
    book.key("1")
    assert book.take() == ["stop", "keep m1 saved", "play recording:r1"]
    book.key("2")
    assert book.take() == ["stop", "play prompt:vm-message-saved"]
    book.played().key("5")
    assert book.take()[-1] == "play prompt:vm-end-of-messages+goodbye"


def test_saved_messages_are_played_when_there_are_no_new_ones():
    book = mailbox(message(1, "saved")).key("4101#")
    assert book.said[-1] == "play prompt:vm-you-have+vm-no-messages"
    book.played()
    assert book.said[-1] == "play recording:r1"
    book.take()
    book.played()
    assert book.take() == ["play prompt:vm-message-menu"]


def test_a_caller_who_hangs_up_while_it_plays_has_not_heard_it():
    book = opened(message(1))
    book.take()
    book.hang_up_caller()
    assert book.take() == []
    assert kinds(book) == [VoicemailOpened]
