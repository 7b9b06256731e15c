"""The owner in the mailbox: folders, messages and their keys, greetings, name, PIN."""

import pytest

from pbx.callflow.question import Asked
from pbx.callflow.voicemail.menu import attend_owner
from pbx.callflow.voicemail.options import acceptable_pin
from pbx.domain.kept import KeptPrompt
from pbx.events import (
    GreetingChosen,
    PinChanged,
    PromptKept,
    VoicemailDeleted,
    VoicemailForwarded,
    VoicemailHeard,
    VoicemailRestored,
)
from tests.callflow.mailbox import LEFT_AT, kinds, message
from tests.callflow.playbook import Playbook
from tests.callflow.small_office import office

MAIN = "play prompt:vm-main-menu"
MESSAGE = "play prompt:vm-message-menu"
OPTIONS = "play prompt:vm-options-menu"
DAY_S = 86_400


def owner(*messages, caller="101", **mailbox):
    """Ana in her mailbox; what is said before the first message, or before the menu, is said."""
    book = Playbook(office(ana={"voicemail_pin": "4101", "mailbox": {"newest_first": False, **mailbox}}), answered=True)
    book.left, book.asked = list(messages), Asked("5001", caller or "14165550199", caller_extension=caller)
    book.start(attend_owner(book, book.directory.users_by_extension["101"]))
    book.take()
    return book.played()


def keyed(book, keys):
    """What a key leads to, without the silencing of what played."""
    book.key(keys)
    return [said for said in book.take() if said != "stop"]


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["new", "new", "trash"], "play prompt:vm-you-have+digit-2+vm-new-messages"),
        (["new", "saved"], "play prompt:vm-you-have+digit-1+vm-new-messages+digit-1+vm-saved-messages"),
        (["trash"], "play prompt:vm-you-have+vm-no-messages"),
    ],
)
def test_the_owner_is_told_what_is_there(folders, said):
    book = Playbook(office(), answered=True)
    book.left = [message(number, folder) for number, folder in enumerate(folders)]
    book.start(attend_owner(book, book.directory.users_by_extension["101"]))
    assert book.take() == [said]


def test_a_message_heard_to_its_end_is_saved_and_the_menu_follows_the_last():
    book = owner(message(1))
    assert book.take() == ["play recording:r1"]
    book.played()
    assert book.take() == ["keep m1 saved", MESSAGE]
    assert kinds(book) == [VoicemailHeard]
    book.played().wait(6)
    assert book.take() == ["play prompt:vm-end-of-messages"]
    book.played()
    assert book.take() == [MAIN]


def test_the_newest_comes_first_unless_set_otherwise():
    assert owner(message(1), message(2)).take() == ["play recording:r1"]
    assert owner(message(1), message(2), newest_first=True).take() == ["play recording:r2"]


def test_folders_are_chosen_and_new_messages_need_no_choice():
    book = owner(message(1, "saved"), message(2, "trash"))
    assert book.take() == [MAIN]
    assert keyed(book, "2") == ["play recording:r1"]
    assert keyed(book, "*")[-1] == MAIN
    assert keyed(book, "3") == ["play recording:r2"]
    assert keyed(book, "*")[-1] == MAIN
    assert keyed(book, "1") == ["play prompt:vm-end-of-messages"]


def test_seven_deletes_into_the_trash_while_it_plays_or_after():
    book = owner(message(1), message(2))
    book.take()
    assert keyed(book, "7") == ["keep m1 saved", "keep m1 trash", "play prompt:vm-message-deleted"]
    book.played().played()
    assert keyed(book, "7")[-2:] == ["keep m2 trash", "play prompt:vm-message-deleted"]
    assert [e.message for e in book.events if isinstance(e, VoicemailDeleted)] == ["m1", "m2"]


def test_from_the_trash_seven_deletes_for_good_and_nine_brings_back():
    book = owner(message(1, "trash"), message(2, "trash")).key("3")
    book.take()
    assert keyed(book, "7") == ["remove m1", "play prompt:vm-message-deleted"]
    book.played()
    book.take()
    assert keyed(book, "9") == ["keep m2 saved", "play prompt:vm-message-restored"]
    assert [e.message for e in book.events if isinstance(e, VoicemailRestored)] == ["m2"]


def test_nine_saves_one_repeats_any_other_key_goes_on():
    book = owner(message(1), message(2))
    book.take()
    assert keyed(book, "1") == ["keep m1 saved", "play recording:r1"]
    assert keyed(book, "9") == ["play prompt:vm-message-saved"]
    book.played()
    book.take()
    assert keyed(book, "#") == ["keep m2 saved", "play prompt:vm-end-of-messages"]


def test_it_goes_back_and_ahead_by_five_seconds_and_pauses():
    book = owner(message(1, seconds=60.0))
    book.wait(20)
    assert keyed(book, "6")[-1] == "play recording:r1@25"
    book.wait(2)
    assert keyed(book, "4") == ["play recording:r1@22"]
    assert keyed(book, "5") == []
    book.wait(60)
    assert keyed(book, "5") == ["play recording:r1@22"]
    assert keyed(book, "4444444")[-1] == "play recording:r1"
    assert keyed(book, "1") == ["play recording:r1"]
    book.wait(58)
    assert keyed(book, "6") == ["play recording:r1@60"]


def test_help_is_the_menu_of_the_message():
    assert keyed(owner(message(1)), "0")[-1] == MESSAGE


@pytest.mark.parametrize(
    ("left", "when"),
    [
        (LEFT_AT, "today+at+digit-9+number-20+am"),
        (LEFT_AT + 4 * 3600 + 45 * 60, "today+at+digit-2+oh+digit-5+pm"),
        (LEFT_AT - DAY_S - 20 * 60, "yesterday+at+digit-9+am"),
        (LEFT_AT - 4 * DAY_S, "friday+at+digit-9+number-20+am"),
        (LEFT_AT - 40 * DAY_S, "october+number-15+at+number-10+number-20+am"),
        (LEFT_AT + 15 * 3600, "november+number-20+digit-5+at+number-12+number-20+am"),
    ],
)
def test_the_envelope_tells_when_and_who_on_the_owner_s_clock(left, when):
    book = owner(message(1, at=left))
    assert keyed(book, "2")[-1] == f"play prompt:vm-received+{when}+vm-from+digit-1+digit-0+digit-2"


def test_date_and_caller_are_announced_when_set():
    assert owner(message(1), announce_date=True).take()[0].startswith("play prompt:vm-received+today")
    book = owner(message(1, caller_number=""), announce_caller=True)
    assert book.take() == ["play prompt:vm-unknown-caller"]
    book.played()
    assert book.take() == ["play recording:r1"]


def test_a_caller_inside_is_announced_by_the_name_recorded_there():
    book = owner(message(1))
    book.kept = [KeptPrompt("102", "name", "ben", 1.0, "call")]
    assert keyed(book, "2")[-1].endswith("+vm-from+recording:ben")


def test_a_message_is_sent_on_with_a_comment_that_is_heard_first():
    book = owner(message(1))
    assert keyed(book, "3")[-1] == "play prompt:vm-send-to"
    assert keyed(book, "102#") == ["play prompt:vm-comment"]
    assert keyed(book, "1") == ["play tone:beep"]
    book.played()
    assert book.take() == ["record draft"]
    book.recorded(3.0, "key")
    assert book.take() == ["send m1 to 102 with rec-1", "play prompt:vm-sent-on"]
    told = [(e.to, e.commented) for e in book.events if isinstance(e, VoicemailForwarded)]
    assert told == [("102", True)]
    book.played()
    assert book.take() == [MESSAGE]
    heard = owner(message(1, forwarded_by="102", comment="c1"))
    assert heard.take() == ["play prompt:recording:c1"]
    heard.played()
    assert heard.take() == ["play recording:r1"]


def test_a_message_is_sent_on_without_a_comment():
    assert keyed(owner(message(1)), "3102##")[-2:] == ["send m1 to 102", "play prompt:vm-sent-on"]


@pytest.mark.parametrize("box", ["199", "103"])
def test_there_is_no_sending_to_nobody(box):
    assert keyed(owner(message(1)), f"3{box}#")[-1] == "play prompt:vm-no-such-box"


@pytest.mark.parametrize(
    ("number", "caller", "goes_to"),
    [
        ("102", "101", "user:102"),
        ("102", "", "user:102"),
        ("14165550142", "101", "external:14165550142"),
        ("14165550142", "", None),
        ("14165550142", "103", None),
        ("", "101", None),
    ],
)
def test_a_caller_is_called_back_outside_only_by_who_may_call_there(number, caller, goes_to):
    """103 is barred; nobody calls out from outside, whatever PIN they have."""
    book = owner(message(1, caller_number=number), caller=caller)
    said = keyed(book, "8")
    if goes_to is None:
        assert said[-1] == "play prompt:vm-no-call-back"
    else:
        assert book.goes_to == goes_to


def test_a_caller_who_hangs_up_while_it_plays_has_not_heard_it():
    book = owner(message(1))
    book.take()
    book.hang_up_caller()
    assert (book.take(), kinds(book)) == ([], [])


def test_who_wants_nothing_is_let_go():
    book = owner()
    for _ in range(3):
        book.played().wait(6)
    assert book.said[-1] == "play prompt:goodbye"
    assert book.played().goes_to == "hangup:normal"
    assert owner().key("#").played().goes_to == "hangup:normal"


# --- options --------------------------------------------------------------------------------------------


def options():
    book = owner()
    assert keyed(book, "4")[-1] == OPTIONS
    return book


def test_a_greeting_is_recorded_heard_kept_and_in_force():
    book = options()
    assert keyed(book, "12") == ["play prompt:vm-which-greeting", "play prompt:record-after-tone"]
    book.played()
    assert book.take() == ["play tone:beep"]
    book.played()
    assert book.take() == ["record draft"]
    book.recorded(5.0, "key")
    assert book.take() == ["play prompt:recording:rec-1+keep-recording"]
    said = keyed(book, "1")
    assert said == ["keep prompt 101/2 rec-1", "play prompt:recording-kept"]
    book.played()
    assert book.take() == ["play prompt:vm-greeting-chosen+digit-2"]
    assert book.states["101"].greeting == 2
    assert kinds(book) == [PromptKept, GreetingChosen]
    book.played()
    assert book.take() == [OPTIONS]


def test_a_recording_may_be_done_again_or_dropped():
    book = options().key("3").played().played()
    book.recorded(2.0, "silence").key("2").played().played()
    assert book.take()[-2:] == ["play tone:beep", "record draft"]
    book.recorded(2.0).key("5")
    assert book.take()[-2:] == ["discard rec-2", OPTIONS]
    assert book.kept == []


def test_the_name_is_recorded():
    book = options().key("3").played().played().recorded(2.0).key("1")
    assert [(one.owner, one.name, one.origin) for one in book.kept] == [("101", "name", "call")]


def test_a_greeting_is_chosen_among_those_that_were_recorded():
    book = options()
    book.kept = [KeptPrompt("101", "3", "g3", 2.0, "call")]
    assert keyed(book, "23")[-1] == "play prompt:vm-greeting-chosen+digit-3"
    book.played()
    assert keyed(book, "24")[-1] == "play prompt:vm-no-such-greeting"
    book.played()
    assert keyed(book, "20")[-1] == "play prompt:vm-greeting-chosen+digit-0"
    assert book.states["101"].greeting == 0


def test_the_pin_is_changed_after_being_entered_twice():
    book = options()
    assert keyed(book, "4")[-1] == "play prompt:vm-new-pin"
    assert keyed(book, "1234#")[-1] == "play prompt:vm-pin-too-plain"
    book.played()
    assert keyed(book, "7391#7392#")[-1] == "play prompt:vm-pins-differ"
    book.played()
    assert keyed(book, "7391#7391#")[-1] == "play prompt:vm-pin-changed"
    state = book.states["101"]
    assert (state.pin, state.instead_of) == ("7391", "4101")
    assert "7391" not in repr(state)
    assert kinds(book) == [PinChanged]


@pytest.mark.parametrize("pin", ["123", "1234", "4321", "1111", "7890", "101", "0101", "101101", "", "12a4"])
def test_a_pin_that_anybody_would_guess_is_none(pin):
    assert not acceptable_pin(pin, "101", 4)


@pytest.mark.parametrize("pin", ["7391", "1357", "1212", "90210"])
def test_others_are_fine(pin):
    assert acceptable_pin(pin, "101", 4)
