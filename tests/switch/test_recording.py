"""Conversations that are recorded: by code, always, for a queue (F12)."""

from __future__ import annotations

import pytest

from pbx.events import FeatureUsed, RecordingBegan, RecordingEnded, RecordingRefused, ServerFault
from pbx.media.engine import RecordingFinished
from tests.switch.test_replacing import consult
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory


def town_with(recording, **changes):
    return Town(directory(users={"101": {"recording": recording}}, **changes))


def kept(town):
    return [(it.extension, it.left, it.right, it.why) for it in town.history.call_recordings()]


def test_pressed_in_a_conversation_the_codes_begin_and_end_a_recording(town):
    ana, ben = up(town)
    ana.press("*80")
    town.run(10.0)
    ana.press("*81")
    town.run(1.0)
    began, ended = town.last(RecordingBegan), town.last(RecordingEnded)
    assert (began.device, began.extension, began.why) == ("101", "101", "code")
    assert ended.recording == began.recording
    assert ended.seconds == pytest.approx(10.5, abs=1.0)
    assert kept(town) == [("101", "101", "102", "code")]
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    assert "tone:beep" in ana.heard
    assert "tone:beep" in ben.heard
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()


def test_a_recording_ends_with_its_conversation(town):
    ana, ben = up(town)
    ben.press("*80")
    town.run(5.0)
    ana.hang_up()
    town.run(1.0)
    assert kept(town) == [("102", "102", "101", "code")]
    assert town.history.records()[0].path == "user:102 > recorded"


@pytest.mark.parametrize("keys", ["*8", "80", "*90", "8*0"])
def test_other_keys_record_nothing(town, keys):
    ana, _ = up(town)
    ana.press(keys)
    assert town.seen(RecordingBegan) == []
    ana.hang_up()


def test_keys_far_apart_are_no_code(town):
    ana, _ = up(town)
    ana.press("*8")
    town.run(4.0)
    ana.press("0")
    assert town.seen(RecordingBegan) == []
    ana.hang_up()


def test_who_may_not_record_is_refused():
    town = town_with("no")
    ana, _ = up(town)
    ana.press("*80")
    assert town.last(RecordingRefused).why == "user 101 may not record"
    assert town.seen(RecordingBegan) == []
    ana.hang_up()
    assert_at_rest(town)


def test_nobody_outside_records():
    town = Town(directory())
    ana = town.phone("101")
    town.carrier.dial("14165550101")
    town.run(0.5)
    ana.answer()
    town.run(1.0)
    town.carrier.press("*80")
    assert town.last(RecordingRefused).why == "only a user of the domain records"
    ana.press("*80")
    town.run(2.0)
    ana.hang_up()
    assert_at_rest(town)
    assert kept(town) == [("101", "101", "14165550142", "code")]


def test_every_conversation_of_a_user_is_recorded_each_for_itself():
    town = town_with("always")
    ana, ben = up(town)
    town.run(3.0)
    first, cleo = ben.talk, town.phone("103")
    consulted = consult(town, ben, "103", cleo)
    ben.refer_into(consulted, first)
    town.run(3.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    ana.hang_up()
    assert_at_rest(town)
    assert sorted(kept(town)) == [("101", "101", "102", "always"), ("101", "101", "103", "always")]


def test_a_hold_is_part_of_the_recording():
    town = town_with("always")
    ana, ben = up(town)
    ben.reoffer("sendonly")
    town.run(5.0)
    ben.reoffer("sendrecv")
    town.run(1.0)
    ana.hang_up()
    assert_at_rest(town)
    assert len(kept(town)) == 1
    assert town.last(RecordingEnded).seconds > 6.0


def test_a_transfer_into_a_mailbox_ends_the_recording_and_leaves_a_message():
    town = town_with("always")
    ana, ben = up(town)
    ben.refer(f"sip:7102@{DOMAIN}")
    town.run(10.0)
    ana.hang_up()
    assert_at_rest(town)
    assert len(kept(town)) == 1
    assert len(town.history.messages("102")) == 1


def test_a_queue_records_its_conversations():
    queue = {"extension": 500, "name": "Care", "recording": True, "agents": [{"extension": 102}]}
    town = Town(directory(queues=[queue], attendants=[], numbers=[]))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(0.5)
    ben.answer()
    town.run(3.0)
    ana.hang_up()
    assert_at_rest(town)
    assert kept(town) == [("102", "102", "101", "queue 500")]


def test_a_ringing_call_is_not_recorded():
    town = town_with("always")
    ana, ben = town.phone("101"), town.phone("102")
    ben.early = True
    ana.dial("102")
    town.run(2.0)
    assert town.seen(RecordingBegan) == []
    ana.hang_up()
    assert_at_rest(town)


def test_the_codes_dialled_from_another_phone_are_for_the_conversation_there_is(town):
    ana, _ = up(town)
    other = town.phone("101a")
    other.dial("*80")
    town.run(3.0)
    assert town.last(RecordingBegan).device == "101"
    other.dial("*81")
    town.run(3.0)
    assert kept(town) == [("101", "101", "102", "code")]
    other.dial("*81")
    town.run(3.0)
    assert "prompt:recording-refused" in other.heard
    assert [used.done for used in town.seen(FeatureUsed)] == [True, True, False]
    ana.hang_up()


def test_a_platform_may_record_without_a_beep():
    domain = {"name": "acme.lab", "platform": {"recording_beep": False}}
    town = town_with("always", domain=domain)
    ana, ben = up(town)
    assert "tone:beep" not in ana.heard + ben.heard
    ana.hang_up()
    assert_at_rest(town)


def test_a_recording_that_could_not_be_kept_is_told():
    town = Town(directory())
    ana, _ = up(town)
    ana.press("*80")
    name = town.last(RecordingBegan).recording
    town.switch.call_recordings.recorded(RecordingFinished("x", name, 0.0, "stopped", "", "the disk is full"))
    assert f"{name} was not kept: the disk is full" in town.last(ServerFault).message
    assert kept(town) == []


@pytest.mark.parametrize(
    ("device", "user", "site", "domain", "recording"),
    [
        ("", "", "", "on demand", "on demand"),
        ("", "", "", "no", "no"),
        ("", "", "always", "no", "always"),
        ("", "on demand", "always", "no", "on demand"),
        ("no", "always", "", "on demand", "no"),
        ("always", "no", "no", "no", "always"),
        ("on demand", "no", "always", "always", "on demand"),
    ],
)
def test_the_device_says_it_before_its_user_the_user_before_the_site_and_the_site_before_the_domain(
    device, user, site, domain, recording
):
    of = directory(users={"101": {"recording": user}})
    of = of.replaced(
        devices=tuple(it.model_copy(update={"recording": device if it.id == "101" else ""}) for it in of.devices),
        sites=tuple(it.model_copy(update={"recording": site}) for it in of.sites),
        domain=of.domain.model_copy(update={"recording": domain}),
    )
    assert of.recording_of(of.users_by_extension["101"], "101") == recording
