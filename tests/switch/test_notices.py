"""Mail about voicemail: what is owed, what becomes of it, reminders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.callflow.ports import MessageSaved
from pbx.domain.history import Message
from pbx.events import MailDelayed, MailQueued, MailRefused, MailSent, VoicemailTranscribed
from tests.switch.test_mailboxes import folders
from tests.switch.test_switch_features import leave_message
from tests.switch.town import Town, directory

HOUR_S = 3600


def town_with(email="ben@acme.lab", **mailbox):
    """What is said of Ben's mailbox (102)."""
    return Town(directory(users={"102": {"email": email, "mailbox": mailbox}}))


def left(town):
    """Ana leaves Ben a message; return what is owed then."""
    leave_message(town, town.phone("101"))
    return town.history.notices()


def sent(town, notice):
    town.switch.mail_sent(notice.id, town.now)


def test_nothing_is_owed_unless_the_mailbox_says_so():
    assert left(town_with()) == []
    assert left(town_with("", notify="yes")) == []


@pytest.mark.parametrize(
    ("mode", "attached", "folder", "brief"),
    [
        ("yes", False, "new", False),
        ("attnew", True, "new", False),
        ("attsave", True, "saved", False),
        ("atttrash", True, "trash", False),
        ("brief", False, "new", True),
        ("briefattnew", True, "new", True),
        ("briefattsave", True, "saved", True),
        ("briefatttrash", True, "trash", True),
    ],
)
def test_a_mode_says_what_is_sent_and_where_the_message_goes_once_it_is(mode, attached, folder, brief):
    town = town_with(notify=mode)
    (notice,) = left(town)
    (message,) = town.history.messages("102")
    assert notice.to == ("ben@acme.lab",)
    assert notice.recording == (message.recording if attached else "")
    assert ("\n" not in notice.text) == brief
    assert "Ana Silva 101" in notice.text
    assert notice.subject == "Voicemail from Ana Silva 101"
    assert folders(town) == ["new"]
    sent(town, notice)
    assert folders(town) == [folder]
    assert town.history.notices() == []
    event = town.last(MailSent)
    assert (event.to, event.attached, event.folder) == ("ben@acme.lab", attached, folder)


def test_who_heard_the_message_before_the_mail_went_keeps_it_where_it_is():
    town = town_with(notify="atttrash")
    (notice,) = left(town)
    (message,) = town.history.messages("102")
    town.switch.mailboxes.keep(replace(message, folder="saved"))
    sent(town, notice)
    assert folders(town) == ["saved"]


def test_every_address_gets_its_own():
    town = town_with("ben@acme.lab; ben@home.test", notify="yes")
    assert [notice.to for notice in left(town)] == [("ben@acme.lab",), ("ben@home.test",)]
    assert [event.to for event in town.seen(MailQueued)] == ["ben@acme.lab", "ben@home.test"]


def test_what_could_not_be_sent_waits_and_says_why():
    town = town_with(notify="attsave")
    (notice,) = left(town)
    for tries in (1, 2):
        town.switch.mail_failed(notice.id, "no route to host", town.now, for_good=False)
        told = town.last(MailDelayed)
        assert (told.reason, told.tries) == ("no route to host", tries)
    (kept,) = town.history.notices()
    assert (kept.tries, kept.problem, kept.refused) == (2, "no route to host", False)
    assert folders(town) == ["new"]


def test_what_will_never_be_taken_is_kept_for_whoever_looks():
    town = town_with(notify="yes")
    (notice,) = left(town)
    town.switch.mail_failed(notice.id, "550 no such user", town.now, for_good=True)
    assert town.last(MailRefused).reason == "550 no such user"
    assert [kept.refused for kept in town.history.notices()] == [True]


def test_what_waits_survives_a_restart():
    town = town_with(notify="yes")
    owed = left(town)
    town.restart()
    assert town.history.notices() == owed


def test_a_full_mailbox_is_told_its_owner_where_wanted():
    town = town_with(storage_kb=8, alert_when_full=True)
    town.history.submit(MessageSaved(Message("m", "102", "saved", "r", 1.0, "104", "silence", 0.0)))
    ana = town.phone("101")
    ana.dial("7102")
    town.run(5.0)
    assert [notice.subject for notice in town.history.notices()] == ["Mailbox 102 is full"]


def test_a_message_becomes_text_also_when_nobody_wants_mail():
    town = town_with(transcription="google")
    (notice,) = left(town)
    assert (notice.to, notice.transcriber) == ((), "google")
    town.switch.transcribed(notice.id, "Please call me.", "", town.now)
    assert [message.transcription for message in town.history.messages("102")] == ["Please call me."]
    sent(town, notice)
    assert (town.history.notices(), town.seen(MailSent)) == ([], [])


def test_an_engine_that_is_not_there_is_told():
    town = town_with(transcription="google", notify="yes")
    (notice,) = left(town)
    town.switch.transcribed(notice.id, "", "no transcription engine 'google' is installed", town.now)
    told = town.last(VoicemailTranscribed)
    assert (told.box, told.transcriber) == ("102", "google")
    assert "google" in told.problem
    assert [kept.transcriber for kept in town.history.notices()] == [""]


def test_the_owner_is_reminded_of_what_nobody_has_heard_and_not_for_ever():
    town = town_with(remind_every_h=2, reminders=2)
    left(town)
    town.run(2 * HOUR_S - 60)
    assert town.history.notices() == []
    town.run(120)
    (reminder,) = town.history.notices()
    assert (reminder.subject, reminder.text) == (
        "Messages wait in mailbox 102", "1 new message in mailbox 102 waits to be heard.\n"
    )  # fmt: skip
    town.run(20 * HOUR_S)
    assert len(town.history.notices()) == 2


def test_nobody_is_reminded_of_what_was_heard():
    town = town_with(remind_every_h=2)
    left(town)
    (message,) = town.history.messages("102")
    town.switch.mailboxes.keep(replace(message, folder="saved"))
    town.run(10 * HOUR_S)
    assert town.history.notices() == []


def test_reminders_go_on_after_a_restart():
    town = town_with(remind_every_h=2)
    left(town)
    town.run(HOUR_S)
    town.restart()
    town.run(HOUR_S + 60)
    assert len(town.history.notices()) == 1
