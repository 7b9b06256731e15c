"""Hot desks and PINs: a telephone that is another user's for a while, and calls made once a PIN was entered."""

from __future__ import annotations

import pytest

from pbx.domain.directory import Directory
from pbx.events import CallerProved, CallRinging, EmergencyCalled, LampSent, LegInvited, OwnSettingChanged, PinRefused
from tests.switch.town import Town, assert_at_rest, directory

LOBBY = "103"
"""Cleo's telephone stands in Laval and may call nobody outside."""


def town_of(**changes: object) -> Town:
    devices = [{"id": i, "extension": i[:3], "password": "x", "hot_desk": i == LOBBY}
               for i in ("101", "102", "103", "104")]  # fmt: skip
    users = {"103": {"site": "Laval", "voicemail_pin": "4103", "dial_policy_with_pin": "US and Canada",
                     "caller_id": 14505550113}}  # fmt: skip
    document = directory(users=users, **changes).model_dump(mode="json", context={"secrets": True})
    return Town(Directory.model_validate({**document, "devices": devices}))


@pytest.fixture
def town():
    town = town_of()
    yield town
    assert_at_rest(town)


def log_in(town, phone, keys="101#4101#"):
    phone.dial("5002")
    town.run(0.5)
    for part in keys.split("#")[:-1]:
        phone.press(f"{part}#")
        town.run(1.5)
    town.run(3.0)


def changes(town):
    return [(e.extension, e.value) for e in town.seen(OwnSettingChanged) if e.setting == "hot desk"]


def test_who_logs_in_at_a_hot_desk_is_called_there_and_calls_from_there(town):
    lobby, ben = town.phone(LOBBY), town.phone("102")
    log_in(town, lobby)
    assert (changes(town), lobby.talk.state) == ([("101", "103")], "over")
    ben.dial("101")
    town.run(1.0)
    assert (town.last(CallRinging).device, town.last(CallRinging).extension) == ("103", "101")
    lobby.answer()
    town.run(1.0)
    assert ben.heard[-1] == "signature:103"
    ben.hang_up()
    town.run(1.0)
    lobby.dial("102")
    town.run(1.0)
    assert ben.talk.shown == ("101", "Ana Silva")
    lobby.hang_up()
    town.run(1.0)
    lobby.dial("4165550190")
    town.run(1.0)
    assert town.carrier.talk.shown == ("14165550101", "Ana Silva"), "with her number and her permission, not Cleo's"
    lobby.hang_up()


def test_a_desk_is_freed_by_the_pin_of_who_is_logged_in_by_its_own_user_and_by_the_next_guest(town):
    lobby = town.phone(LOBBY)
    log_in(town, lobby)
    log_in(town, lobby, "102#4102#")
    assert changes(town)[1:] == [("101", "off"), ("102", "103")]
    lobby.dial("*46")
    town.run(0.5)
    lobby.press("4101#")  # the former guest's
    town.run(2.0)
    lobby.press("4102#")
    town.run(4.0)
    assert (changes(town)[-1], len(town.seen(PinRefused))) == (("102", "off"), 1)
    lobby.dial("*46")
    town.run(0.5)
    assert lobby.heard[-1] == "prompt:desk-nobody"
    town.run(4.0)
    log_in(town, lobby)
    log_in(town, lobby, "103#4103#")
    assert changes(town)[-1] == ("101", "off")


def test_who_logs_in_elsewhere_leaves_the_first_desk_and_a_guest_outlives_a_restart(town):
    lobby = town.phone(LOBBY)
    log_in(town, lobby)
    town.restart()
    ben = town.phone("102")
    ben.dial("101")
    town.run(1.0)
    assert lobby.talk.state == "ringing"
    ben.hang_up()
    town.run(1.0)
    document = town.switch.configured
    assert document.devices_by_id["103"].extension == "103", "it is no configuration"
    plain = document.replaced(devices=tuple(d.model_copy(update={"hot_desk": False}) for d in document.devices))
    town.switch.apply(plain, town.now)
    assert changes(town)[-1] == ("101", "off"), "it is no hot desk any more"


def test_nobody_logs_in_where_there_is_no_hot_desk_or_without_the_pin(town):
    lobby, ben = town.phone(LOBBY), town.phone("102")
    ben.dial("5002")
    town.run(0.5)
    assert ben.heard[-1] == "prompt:desk-none"
    town.run(4.0)
    log_in(town, lobby, "101#1111#101#2222#999#3333#")
    assert (changes(town), [refused.extension for refused in town.seen(PinRefused)]) == ([], ["101", "101", "999"])
    assert lobby.heard[-1] == "prompt:goodbye"
    town.run(4.0)


def test_the_lamp_of_a_hot_desk_is_that_of_its_guest(town):
    lobby = town.phone(LOBBY)
    lobby.subscribe()
    log_in(town, lobby)
    town.run(2.0)
    assert [(sent.device, sent.box) for sent in town.seen(LampSent)] == [("103", "103"), ("103", "101")]
    assert "Message-Account: sip:101@" in lobby.lamps[-1]


def test_911_from_a_hot_desk_tells_where_the_desk_stands(town):
    lobby = town.phone(LOBBY)
    log_in(town, lobby)
    lobby.dial("911")
    town.run(1.0)
    called = town.last(EmergencyCalled)
    assert (called.device, called.extension, called.location) == ("103", "101", "ECRC"), "not the guest's own office"
    lobby.hang_up()


@pytest.mark.parametrize("how", ["5003", "*484165550190"])
def test_a_telephone_anybody_passes_may_call_outside_once_its_pin_was_entered(town, how):
    lobby = town.phone(LOBBY)
    lobby.dial("4165550190")
    town.run(1.0)
    assert lobby.talk.status == 403
    lobby.dial(how)
    town.run(0.5)
    lobby.press("4103#")
    town.run(1.0)
    if how == "5003":
        assert lobby.heard[-1] == "tone:dial"
        lobby.press("4165550190#")
        town.run(1.0)
    assert town.carrier.talk.shown[0] == "14505550113"
    assert [(e.device, e.extension) for e in town.seen(CallerProved)] == [("103", "103")]
    town.carrier.answer()
    town.run(1.0)
    assert lobby.heard[-1] == "signature:14165550142"
    lobby.hang_up()


def test_an_extension_and_its_pin_let_anybody_call_in_its_name(town):
    lobby, ben = town.phone(LOBBY), town.phone("102")
    lobby.dial("*49102")
    town.run(0.5)
    for keys in ("101#", "4101#"):
        lobby.press(keys)
        town.run(1.5)
    assert ben.talk.shown == ("101", "Ana Silva")
    lobby.hang_up()
    town.run(1.0)
    assert next(record.path for record in town.history.records()) == "feature:*49102 > as:101 > user:102"


@pytest.mark.parametrize("code", ["*48", "*49"])
def test_emergency_waits_for_no_pin(town, code):
    lobby = town.phone(LOBBY)
    lobby.dial(f"{code}911")
    town.run(1.0)
    assert town.last(LegInvited).number.startswith("emergency-")
    lobby.hang_up()


def test_an_operator_frees_a_desk(town):
    lobby = town.phone(LOBBY)
    log_in(town, lobby)
    assert [town.switch.free_desk("103", town.now) for _ in range(2)] == ["101", ""]
    assert changes(town)[-1] == ("101", "off")
