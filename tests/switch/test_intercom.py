"""Intercom: a phone answers by itself, one beep, both talk (F11)."""

from __future__ import annotations

import pytest

from pbx.domain.registrations import Peer
from pbx.events import CallRecordWritten, FeatureUsed, IntercomOpened, PromptPlayed
from pbx.switch.settings import SwitchSettings
from tests.switch.town import CARRIER_HOST, Town, assert_at_rest, directory


def says_it_answers(phone):
    request = phone.talk.session.request
    return [request.get(name) for name in ("Call-Info", "Alert-Info", "Answer-Mode")]


@pytest.mark.parametrize("dialled", ["*50102", "99102"])
def test_the_phone_is_told_to_answer_beeps_once_and_both_talk(town, dialled):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial(dialled)
    town.run(0.1)
    assert says_it_answers(ben) == [
        "<sip:acme.lab>;answer-after=0", "<http://acme.lab>;info=alert-autoanswer;delay=0", "Auto"]  # fmt: skip
    ben.answer()
    town.run(2.0)
    assert [sound for sound in ben.heard if sound == "tone:beep"] == ["tone:beep"]
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    assert "tone:beep" not in ana.heard
    opened = town.last(IntercomOpened)
    assert (opened.device, opened.extension) == ("102", "102")
    ben.hang_up()
    town.run(1.0)
    assert ana.talk.state == "over"
    record = town.last(CallRecordWritten)
    assert (record.disposition, record.answered_by) == ("ANSWERED", "102")


def test_an_ordinary_call_is_not_answered_by_itself(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.1)
    assert says_it_answers(ben) == [None, None, None]
    ana.hang_up()


@pytest.mark.parametrize("dialled", ["99103", "99104", "99101", "99999"])
def test_nobody_breaks_into_calls_do_not_disturb_or_empty_rooms(town, dialled):
    """Cleo talks, Dev wants no calls, 101 is the caller itself, 999 is nobody."""
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    dev = town.phone("104")
    ben.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(0.5)
    ana.dial(dialled)
    town.run(2.0)
    assert "prompt:not-available" in ana.heard
    assert (dev.talks, len(cleo.talks)) == ([], 1)
    assert not town.last(FeatureUsed).done
    ben.hang_up()


def test_a_phone_that_does_not_answer_by_itself_rings(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("99102")
    town.run(20.0)
    assert ben.talk.state == "ringing"
    town.run(8.0)
    assert (ben.talk.state, ana.talk.state) == ("over", "over")


def test_who_hangs_up_at_the_beep_ends_the_call(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("99102")
    town.run(0.1)
    ben.answer()
    town.run(0.1)
    ben.hang_up()
    town.run(1.0)
    assert ana.talk.state == "over"
    assert town.seen(IntercomOpened) == []


def test_the_headers_are_those_of_the_phones_family():
    settings = SwitchSettings(
        carrier=Peer("udp", CARRIER_HOST, 5060),
        auto_answer=lambda family: {"Alert-Info": f"<sip:{{domain}}>;info={family}"},
    )
    devices = [{"id": "101", "extension": 101, "password": "x"},
               {"id": "102", "extension": 102, "password": "x", "family": "acme/desk"},
               {"id": "103", "extension": 103, "password": "x"}]  # fmt: skip
    town = Town(directory(devices=devices), settings=settings)
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("99102")
    town.run(0.1)
    assert says_it_answers(ben) == [None, "<sip:acme.lab>;info=acme/desk", None]
    ana.hang_up()
    assert_at_rest(town)


def test_an_agents_phone_may_be_asked_to_answer_by_itself():
    queue = {"extension": 500, "name": "Q", "agents": [{"extension": 102, "auto_answer": True}]}
    town = Town(directory(queues=[queue], attendants=[], numbers=[]))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(0.5)
    assert says_it_answers(ben)[2] == "Auto"
    ana.hang_up()
    assert_at_rest(town)


def test_intercom_is_not_reached_from_outside(town):
    town.carrier.dial("99102")
    town.run(0.5)
    assert town.carrier.talk.status == 404
    assert town.seen(PromptPlayed) == []


def test_the_extension_of_an_intercom_is_given_to_nobody():
    with pytest.raises(ValueError, match="99101 is reserved and never an extension: 99 and an extension"):
        directory(users={"101": {"extension": 99101}})
