"""What a media engine lacks is refused with the reason, not pretended."""

from __future__ import annotations

import pytest

from pbx.events import ConferenceRefused, ServerFault, VoicemailGreeted
from pbx.media.engine import Capability
from pbx.media.sdp import parse_sdp
from tests.switch.town import Town, assert_at_rest, directory

DEVICES = [{"id": device, "extension": device, "password": "x"} for device in ("101", "102", "103", "104")]


def town_without(*lacking: Capability, **changes: object) -> Town:
    town = Town(directory(**changes))
    town.engine.capabilities = frozenset(Capability) - frozenset(lacking)
    return town


def with_policy(policy: str) -> list[dict[str, str]]:
    return [{**device, "srtp": policy} if device["id"] == "102" else device for device in DEVICES]


def test_without_recording_nobody_is_promised_a_message():
    town = town_without(Capability.RECORDING)
    ana = town.phone("101")
    ana.dial("102")
    town.run(8.0)
    assert town.seen(VoicemailGreeted) == []
    assert ana.talk.state == "over"
    assert_at_rest(town)


def test_without_conferences_a_room_is_refused_with_the_reason():
    town = town_without(Capability.CONFERENCES, conferences=[{"extension": 600, "name": "Standup"}])
    ana = town.phone("101")
    ana.dial("600")
    town.run(5.0)
    assert [event.reason for event in town.seen(ConferenceRefused)] == ["the media engine mixes none"]
    assert town.switch.conferences.live() == 0


def test_a_device_that_must_have_srtp_is_not_called_without_and_the_fault_says_why():
    town = town_without(Capability.ENCRYPTION, devices=with_policy("yes"))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(3.0)
    assert ben.talks == []
    assert [event.message for event in town.seen(ServerFault)] == [
        "a leg was not called: 102 must have SRTP, and the media engine has none"
    ]


@pytest.mark.parametrize("lacking", [(), (Capability.ENCRYPTION,)])
def test_a_device_that_may_have_srtp_is_offered_it_where_there_is_any(lacking):
    town = town_without(*lacking, devices=with_policy("opportunistic"))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.5)
    assert ben.talk.session.remote_sdp is not None
    assert bool(parse_sdp(ben.talk.session.remote_sdp).crypto) is not bool(lacking)
    ana.hang_up()
    assert_at_rest(town)
