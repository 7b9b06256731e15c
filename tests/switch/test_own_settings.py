"""What users set at their telephones is in force at once, and after a restart (domain-features 1.9)."""

from __future__ import annotations

import pytest

from pbx.domain.own_settings import OwnSettings
from pbx.events import CallRecordWritten, CallRinging, OwnSettingChanged, VoicemailGreeted
from pbx.sip.uri import NameAddr
from tests.switch.test_switch_calls import up
from tests.switch.town import Town, assert_at_rest, directory


def use(town, phone, code):
    phone.dial(code)
    town.run(3.0)
    assert phone.talk.state == "over"


def changes(town):
    return [(change.extension, change.setting, change.value) for change in town.seen(OwnSettingChanged)]


def test_do_not_disturb_rings_nobody_until_it_is_off_and_survives_a_restart(town):
    ana, ben = town.phone("101"), town.phone("102")
    use(town, ben, "*78")
    assert "prompt:do-not-disturb-on" in ben.heard
    talks = len(ben.talks)
    for _ in range(2):
        ana.dial("102")
        town.run(1.0)
        assert town.last(VoicemailGreeted).box == "102"
        ana.hang_up()
        town.run(1.0)
        town.restart()
    assert len(ben.talks) == talks
    use(town, ben, "*79")
    ana.dial("102")
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ana.hang_up()
    assert changes(town) == [("102", "do not disturb", "on"), ("102", "do not disturb", "off")]


def test_all_calls_are_forwarded_and_the_forward_says_by_whose_wish(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    use(town, ben, "*72103")
    talks = len(ben.talks)
    ana.dial("102")
    town.run(1.0)
    assert (len(ben.talks), cleo.talk.state) == (talks, "ringing")
    ana.hang_up()
    use(town, ben, "*73")
    ana.dial("102")
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ana.hang_up()
    assert changes(town) == [("102", "forward always", "user 103"), ("102", "forward always", "off")]


@pytest.mark.parametrize(("code", "answer"), [("*41103", 486), ("*42103", 0)])
def test_busy_and_unanswered_calls_are_forwarded_each_on_its_own(town, code, answer):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    use(town, ben, code)
    ben.answers_with = answer
    ana.dial("102")
    town.run(1.0 if answer else 5.0)  # Ben rings for four seconds
    assert cleo.talk.state == "ringing"
    ana.hang_up()


def test_a_forward_to_somebody_who_is_gone_ends_the_call():
    town = Town(directory())
    ana, ben = town.phone("101"), town.phone("102")
    use(town, ben, "*72104")
    document = directory()
    users = tuple(user for user in document.users if user.extension != "104")
    devices = tuple(device for device in document.devices if device.extension != "104")
    queues = tuple(queue for queue in document.queues if queue.extension != "502")
    town.switch.apply(document.replaced(users=users, devices=devices, queues=queues), town.now)
    ana.dial("102")
    town.run(1.0)
    assert ana.talk.status == 404
    assert_at_rest(town)


def test_what_a_user_has_set_goes_with_the_user():
    town = Town(directory())
    use(town, town.phone("104"), "*77")
    document = directory()
    gone = {"users": [user for user in document.users if user.extension != "104"],
            "devices": [device for device in document.devices if device.extension != "104"],
            "queues": [queue for queue in document.queues if queue.extension != "502"]}  # fmt: skip
    town.switch.apply(document.replaced(**gone), town.now)
    assert town.switch.settings_of_users.of("104") == OwnSettings("104")
    assert list(town.history.own_settings()) == [OwnSettings("104")]
    assert_at_rest(town)


def test_callers_who_withhold_their_number_are_refused(town):
    ana = town.phone("101")
    use(town, ana, "*77")
    nobody = NameAddr("sip:anonymous@anonymous.invalid", "Anonymous")
    town.carrier.dial("14165550101", who=nobody)
    town.run(1.0)
    assert town.carrier.talk.status == 433
    town.carrier.dial("14165550101")
    town.run(1.0)
    assert ana.talk.state == "ringing"
    town.carrier.hang_up()
    use(town, ana, "*87")
    town.carrier.dial("14165550101", who=nobody)
    town.run(1.0)
    assert ana.talk.state == "ringing"
    town.carrier.hang_up()


def test_a_colleague_who_withholds_its_number_is_refused_too(town):
    ana, ben = town.phone("101"), town.phone("102")
    use(town, ben, "*77")
    talks = len(ben.talks)
    ana.dial("*67102")
    town.run(1.0)
    assert (ana.talk.status, len(ben.talks)) == (433, talks)
    ana.dial("102")
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ana.hang_up()


def test_whoever_called_last_is_called_back_inside_and_outside(town):
    ana, ben = town.phone("101"), town.phone("102")
    town.carrier.dial("14165550101")
    town.run(1.0)
    town.carrier.hang_up()
    town.run(1.0)
    ana.dial("*69")
    town.run(1.0)
    assert town.carrier.talk.session.request.uri.startswith("sip:+14165550142@")
    ana.hang_up()
    ben.dial("101")
    town.run(1.0)
    ben.hang_up()
    town.run(1.0)
    ana.dial("*69")
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ben.answer()
    town.run(1.0)
    ana.hang_up()
    town.run(1.0)
    record = town.last(CallRecordWritten)
    assert (record.dialled, record.answered_by, record.disposition) == ("*69", "102", "ANSWERED")


@pytest.mark.parametrize("how", ["for one call", "by the user's settings"])
def test_without_call_waiting_a_second_caller_finds_the_user_busy(how):
    setting = {} if how == "for one call" else {"101": {"call_waiting": False}}
    town = Town(directory(users=setting))
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("*70102" if how == "for one call" else "102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    cleo.dial("101")
    town.run(1.0)
    assert town.last(VoicemailGreeted).box == "101"
    assert len(town.seen(CallRinging)) == 1
    cleo.hang_up()
    ana.hang_up()
    town.run(1.0)
    cleo.dial("101")
    town.run(1.0)
    assert ana.talk.state == "ringing"
    cleo.hang_up()
    assert_at_rest(town)


def test_with_call_waiting_a_second_caller_knocks(town):
    ana, _ = up(town)
    cleo = town.phone("103")
    cleo.dial("101")
    town.run(1.0)
    assert ana.talk.state == "ringing"
    cleo.hang_up()
    ana.hang_up(ana.talks[0])


def test_a_lamp_shows_do_not_disturb(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.watch("presence", "102")
    use(town, ben, "*78")
    assert b"Do not disturb" in ana.told("presence")[-1].body
