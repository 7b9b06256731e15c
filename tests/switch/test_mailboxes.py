"""What becomes of recordings: messages, copies, greetings, and what nobody wants (through the switch)."""

from __future__ import annotations

import pytest

from pbx.callflow.ports import MessageSaved, PromptSaved, RecordingDropped
from pbx.domain.history import Message
from pbx.domain.kept import KeptPrompt
from pbx.events import LampSent, PromptMissing, VoicemailDropped, VoicemailFull, VoicemailLeft
from pbx.store.memory import MemoryStore
from tests.switch.test_switch_features import leave_message
from tests.switch.town import Town, assert_at_rest, directory

DAY_S = 86_400


class Ledger(MemoryStore):
    """Notes which recordings were dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: list[str] = []

    def submit(self, change):
        if isinstance(change, RecordingDropped):
            self.dropped.append(change.recording)
        return super().submit(change)


def town_with(**ben):
    """The town; what is said of Ben's mailbox (102)."""
    return Town(directory(users={"102": {"mailbox": ben}}), history=Ledger())


def ended(town):
    town.run(1.0)
    assert_at_rest(town)


def recording(town, speaks_s=3.0):
    """Ana is recorded for Ben's box and has spoken."""
    ana = town.phone("101")
    ana.dial("7102")
    town.run(6.0)
    town.run(speaks_s)
    return ana


def folders(town, box="102"):
    return [message.folder for message in town.history.messages(box)]


def test_a_message_ended_by_the_key_is_left_once_its_caller_has_said_so():
    town = town_with()
    ana = recording(town)
    ana.press("#")
    town.run(0.5)
    assert folders(town) == []
    ana.press("1")
    town.run(3.0)
    assert folders(town) == ["new"]
    assert town.history.messages("102")[0].caller_name == "Ana Silva"
    ended(town)


def test_a_caller_who_hangs_up_in_the_menu_has_left_the_message():
    town = town_with()
    ana = recording(town)
    ana.press("#")
    town.run(0.5)
    ana.hang_up()
    ended(town)
    assert folders(town) == ["new"]


def test_a_message_recorded_again_is_the_second_one_alone():
    town = town_with()
    ana = recording(town)
    ana.press("#3")
    town.run(4.0)
    ana.hang_up()
    ended(town)
    assert folders(town) == ["new"]
    assert town.last(VoicemailDropped).reason == "recorded again"
    assert len(town.history.dropped) == 1


def test_what_is_shorter_than_the_box_wants_is_dropped_with_its_sound():
    town = town_with(min_message_s=5)
    recording(town).hang_up()
    ended(town)
    assert folders(town) == []
    assert town.last(VoicemailDropped).reason == "too short"
    assert len(town.history.dropped) == 1


def test_every_message_is_copied_to_those_on_the_list_and_no_further():
    users = {"101": {"mailbox": {"copy_to": ["102"]}}, "102": {"mailbox": {"copy_to": ["101", "104"]}}}
    town = Town(directory(users=users))
    recording(town).hang_up()
    ended(town)
    assert [folders(town, box) for box in ("101", "102", "104")] == [["new"], ["new"], ["new"]]
    assert [event.box for event in town.seen(VoicemailLeft)] == ["102", "101", "104"]
    (copy,) = town.history.messages("104")
    assert (copy.forwarded_by, copy.recording) == ("102", town.history.messages("102")[0].recording)


def test_a_copy_that_does_not_fit_is_told_and_the_message_is_left_all_the_same():
    town = Town(directory(users={"101": {"mailbox": {"storage_kb": 8}}, "102": {"mailbox": {"copy_to": ["101"]}}}))
    recording(town).hang_up()
    ended(town)
    assert (folders(town), folders(town, "101")) == (["new"], [])
    assert town.last(VoicemailFull).box == "101"


def test_a_full_mailbox_takes_no_call_to_its_beep():
    town = town_with(storage_kb=8)
    town.history.submit(MessageSaved(Message("m", "102", "saved", "r", 1.0, "104", "silence", 0.0)))
    ana = town.phone("101")
    ana.dial("7102")
    town.run(5.0)
    assert ana.heard == ["prompt:vm-full", "prompt:goodbye"]
    assert town.last(VoicemailFull).box == "102"
    ended(town)


@pytest.mark.parametrize(("days", "left"), [(30, ["saved", "new"]), (0, ["trash", "saved", "new"])])
def test_the_trash_is_emptied_of_what_is_old(days, left):
    town = town_with(trash_days=days)
    old = town.now.wall.timestamp() - 31 * DAY_S
    for number, folder in enumerate(("trash", "saved")):
        town.history.submit(MessageSaved(Message(f"m{number}", "102", folder, "r", 1.0, "104", "silence", old)))
    leave_message(town, town.phone("101"))
    assert folders(town) == left


def test_a_greeting_is_recorded_by_telephone_and_heard_by_the_next_caller():
    town = town_with()
    ben = town.phone("102")
    ben.dial("5001")
    town.run(0.5)
    ben.press("4102#")
    town.run(3.0)
    ben.press("413")
    town.run(2.8)
    town.run(3.0)
    ben.press("#1")
    town.run(2.0)
    ben.hang_up()
    town.run(1.0)
    assert town.history.box("102").greeting == 3
    ana = town.phone("101")
    ana.dial("7102")
    town.run(4.0)
    assert ana.heard[0] == "signature:102"
    ana.hang_up()
    ended(town)


def test_a_greeting_nobody_kept_goes_with_the_call():
    town = town_with()
    ben = town.phone("102")
    ben.dial("5001")
    town.run(0.5)
    ben.press("4102#")
    town.run(3.0)
    ben.press("413")
    town.run(5.8)
    ben.hang_up()
    ended(town)
    assert len(town.history.dropped) == 1
    assert town.history.prompts("102") == {}


def test_a_greeting_that_is_gone_is_told_and_the_caller_still_asked_for_a_message():
    town = town_with()
    town.history.submit(PromptSaved(KeptPrompt("102", "name", "nowhere", 2.0, "call")))
    ana = town.phone("101")
    ana.dial("7102")
    town.run(4.0)
    assert ana.heard[:3] == ["prompt:vm-the-person", "prompt:vm-not-available", "tone:beep"]
    assert (town.last(PromptMissing).recording, town.last(PromptMissing).device) == ("nowhere", "101")
    ana.hang_up()
    ended(town)


def test_a_message_is_sent_on_with_a_comment():
    town = town_with()
    leave_message(town, town.phone("101"))
    ben = town.phone("102")
    ben.dial("5001")
    town.run(0.5)
    ben.press("4102#")
    town.run(3.2)
    ben.press("3101#1")
    town.run(1.5)
    town.run(3.0)
    ben.press("#")
    town.run(2.0)
    ben.hang_up()
    ended(town)
    (sent,) = town.history.messages("101")
    assert (sent.folder, sent.forwarded_by, sent.caller_number) == ("new", "102", "101")
    assert sent.comment.startswith("draft-")
    assert town.history.dropped == []


# --- a lamp that is lit without being asked for ---------------------------------------------------------


def town_that_tells_unasked():
    base = directory()
    devices = [
        {**device.model_dump(), "unsolicited_mwi": device.id == "102", "password": "x"} for device in base.devices
    ]
    return Town(directory(devices=devices))


def test_a_phone_that_never_subscribes_is_told_of_messages_where_it_is_to_be():
    town = town_that_tells_unasked()
    ben = town.phone("102")
    town.run(0.5)
    assert "Voice-Message: 0/0" in ben.lamps[-1]
    leave_message(town, town.phone("101"))
    assert "Messages-Waiting: yes" in ben.lamps[-1]
    assert "Voice-Message: 1/0" in ben.lamps[-1]
    assert (town.last(LampSent).device, town.last(LampSent).new) == ("102", 1)
    told = len(ben.lamps)
    ben.subscribe()
    leave_message(town, town.phone("104"))
    assert len(ben.lamps) == told + 2  # one for the subscription, one for the message: not twice
    ended(town)


def test_other_phones_are_told_only_what_they_subscribed_to():
    town = town_with()
    ben = town.phone("102")
    leave_message(town, town.phone("101"))
    assert ben.lamps == []
    ended(town)
