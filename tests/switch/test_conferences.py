"""Conference rooms through the switch in virtual time: who hears whom, when it begins, how it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.domain.registrations import Peer
from pbx.events import (
    CallEnded,
    CallRecordWritten,
    ConferenceBegan,
    ConferenceEnded,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceRefused,
    MediaReport,
)
from pbx.media.engine import Silence
from pbx.switch.settings import SwitchSettings
from tests.switch.test_switch_calls import up
from tests.switch.town import CARRIER_HOST, DOMAIN, Phone, Town, assert_at_rest, directory

ROOMS = [
    {"extension": 600, "name": "Open", "announce_arrival": False, "announce_departure": False},
    {"extension": 601, "name": "Board", "leader_pin": "9911", "participant_pin": "1234", "require_leader": True,
     "ends_with_leader": True, "site": "Toronto"},
    {"extension": 602, "name": "Quorum", "quorum": 3, "max_participants": 3, "music": "harp"},
    {"extension": 603, "name": "Ana's", "owner": 101, "require_leader": True, "participant_pin": "1234"},
]  # fmt: skip


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town(directory(conferences=ROOMS))
    yield made
    assert_at_rest(made)


def phones(town: Town, *names: str) -> list[Phone]:
    return [town.phone(name) for name in names]


def join(town: Town, *joining: Phone, room: str = "600") -> None:
    for phone in joining:
        phone.dial(room)
        town.run(1.5)


def hears(phone: Phone) -> str:
    """Whose signatures a phone hears now."""
    return phone.heard[-1].removeprefix("signature:")


def test_each_of_three_hears_the_two_others_and_never_itself(town: Town):
    ana, ben, cleo = three = phones(town, "101", "102", "103")
    join(town, *three)
    assert [hears(phone) for phone in three] == ["102+103", "101+103", "101+102"]
    assert not [sound for phone in three for sound in phone.heard if phone.name in sound]
    assert [event.participants for event in town.seen(ConferenceJoined)] == [1, 2, 3]
    assert (town.last(ConferenceBegan).conference, town.last(ConferenceBegan).participants) == ("600", 1)
    ben.hang_up()
    town.run(1.0)
    assert [hears(ana), hears(cleo)] == ["103", "101"]
    left = town.last(ConferenceLeft)
    assert (left.party, left.participants) == ("102", 2)
    ana.hang_up()
    cleo.hang_up()
    town.run(1.0)
    assert town.last(ConferenceEnded).lasted_s == pytest.approx(5.5, abs=0.5)
    assert {(it.answered_by, it.disposition) for it in town.seen(CallRecordWritten)} == {("600", "ANSWERED")}
    assert min(report.received for report in town.seen(MediaReport)) > 50


def test_who_is_called_from_outside_joins_by_a_number(town: Town):
    ana = town.phone("101")
    with_number = directory(conferences=ROOMS).replaced(
        numbers=[{"number": 14165550150, "routes": [{"to": "conference 600"}]}]
    )
    town.switch.apply(with_number, town.now)
    join(town, ana)
    town.carrier.dial("14165550150")
    town.run(2.0)
    assert [hears(ana), hears(town.carrier)] == ["14165550142", "101"]
    ana.hang_up()
    town.carrier.hang_up()


def test_participants_wait_on_the_site_s_music_for_the_leader_and_leave_with_it(town: Town):
    ana, ben, cleo = phones(town, "101", "102", "103")
    for phone, pin in ((ana, "1234"), (ben, "1234")):
        phone.dial("601")
        town.run(1.0)
        phone.press(f"{pin}#")
        town.run(2.0)
    assert [ana.heard[-1], ben.heard[-1]] == ["moh:jazz", "moh:jazz"]
    assert town.seen(ConferenceBegan) == []
    cleo.dial("601")
    town.run(1.0)
    cleo.press("9911#")
    town.run(2.0)
    assert [hears(ana), hears(ben), hears(cleo)] == ["102+103", "101+103", "101+102"]
    assert [event.leader for event in town.seen(ConferenceJoined)] == [False, False, True]
    cleo.hang_up()
    town.run(0.5)
    assert [ana.heard[-1], ben.heard[-1]] == ["prompt:conference-ended"] * 2
    town.run(2.0)
    assert (ana.talk.state, ben.talk.state) == ("over", "over")
    assert len(town.seen(ConferenceEnded)) == 1


def test_three_wrong_pins_end_the_call(town: Town):
    ana = town.phone("101")
    ana.dial("601")
    town.run(1.0)
    for _ in range(3):
        ana.press("4711#")
        town.run(3.0)
    town.run(2.0)
    assert ana.talk.state == "over"
    assert [event.reason for event in town.seen(ConferenceRefused)] == ["wrong PIN"] * 3
    assert town.seen(ConferenceJoined) == []


def test_a_room_waits_for_its_quorum_and_takes_no_more_than_its_limit(town: Town):
    ana, ben, cleo, dev = four = phones(town, "101", "102", "103", "104")
    join(town, ana, ben, room="602")
    assert [ana.heard[-1], ben.heard[-1]] == ["moh:harp", "moh:harp"]
    join(town, cleo, room="602")
    assert [hears(phone) for phone in four[:3]] == ["102+103", "101+103", "101+102"]
    join(town, dev, room="602")
    assert town.last(ConferenceRefused).reason == "full"
    assert dev.heard[-1] == "prompt:conference-full"
    town.run(2.0)
    assert dev.talk.state == "over"
    for phone in (cleo, ben):
        phone.hang_up()
        town.run(2.0)
    assert ana.talk.state == "up", "a conference that has begun goes on whoever leaves"
    ana.hang_up()


def test_arrival_is_announced_by_a_beep_departure_by_two(town: Town):
    ana, ben, cleo = phones(town, "101", "102", "103")
    town.switch.apply(directory(conferences=[{"extension": 600, "name": "Open"}]), town.now)
    join(town, ana, ben)
    for phone in (ana, ben):
        phone.engine.play(phone.talk.leg, Silence())
    town.run(1.0)
    cleo_joined = len(ana.heard)
    cleo.dial("600")
    town.run(0.3)
    cleo.engine.play(cleo.talk.leg, Silence())
    town.run(1.0)
    assert "tone:beep" in ana.heard[cleo_joined:]
    cleo.hang_up()
    before = len(ana.heard)
    town.run(2.0)
    assert "tone:beep" in ana.heard[before:]
    ana.hang_up()
    ben.hang_up()


def test_who_says_its_name_is_announced_by_it_when_it_comes_and_when_it_goes(town: Town):
    ana, ben = phones(town, "101", "102")
    town.switch.apply(directory(conferences=[{"extension": 600, "name": "Open", "ask_name": True}]), town.now)
    for phone in (ana, ben):
        phone.dial("600")
        town.run(2.5)
        assert phone.heard[-1] == "tone:beep"
        town.run(1.0)
        phone.press("#")
        phone.engine.play(phone.talk.leg, Silence())
        town.run(0.4)
    town.run(4.0)
    assert ana.heard[-3:] == ["signature:102", "prompt:conference-joined", "silence"]
    ben.hang_up()
    town.run(4.0)
    assert ana.heard[-3:] == ["signature:102", "prompt:conference-left", "silence"]
    ana.hang_up()


def test_the_owner_opens_the_own_room_without_a_pin(town: Town):
    ana, ben = phones(town, "101", "102")
    ben.dial("603")
    town.run(1.0)
    ben.press("1234#")
    town.run(2.0)
    assert ben.heard[-1] == "moh:house"
    join(town, ana, room="603")
    assert [hears(ana), hears(ben)] == ["102", "101"]
    ana.hang_up()
    ben.hang_up()


def test_a_call_becomes_a_conference_by_blind_transfer_into_a_room(town: Town):
    ana, ben = up(town)
    cleo = town.phone("103")
    join(town, cleo)
    ana.refer(f"sip:600@{DOMAIN}")
    town.run(1.0)
    join(town, ana)
    assert [hears(phone) for phone in (ana, ben, cleo)] == ["102+103", "101+103", "101+102"]
    for phone in (ana, ben, cleo):
        phone.hang_up()


def test_a_party_whose_sound_went_past_the_switch_comes_back_to_it_for_a_conference():
    settings = SwitchSettings(carrier=Peer("udp", CARRIER_HOST, 5060), direct_media=True)
    town = Town(directory(conferences=ROOMS, without_codes=True), settings=settings)
    ana, ben = up(town)
    town.run(2.0)
    cleo = town.phone("103")
    join(town, cleo)
    ana.refer(f"sip:600@{DOMAIN}")
    town.run(2.0)
    join(town, ana)
    assert [hears(phone) for phone in (ana, ben, cleo)] == ["102+103", "101+103", "101+102"]
    for phone in (ana, ben, cleo):
        phone.hang_up()
    assert_at_rest(town)


def test_who_is_consulted_in_a_room_is_replaced_there_by_whom_is_transferred(town: Town):
    ana, ben = up(town)
    cleo = town.phone("103")
    join(town, cleo)
    talk = ana.talk
    ana.reoffer("sendonly")
    consulted = ana.dial("600")
    town.run(1.5)
    ana.refer_into(consulted, talk)
    town.run(1.5)
    assert [hears(ben), hears(cleo)] == ["103", "102"]
    assert consulted.state == "over"
    ben.hang_up()
    cleo.hang_up()


def test_who_holds_hears_and_is_heard_again_when_it_resumes(town: Town):
    ana, ben, cleo = three = phones(town, "101", "102", "103")
    join(town, *three)
    ben.reoffer("inactive")
    town.run(3.0)
    assert [hears(ana), hears(cleo)] == ["103", "101"], "no music of a phone on hold in the room"
    ben.reoffer("sendrecv")
    town.run(1.5)
    assert [hears(phone) for phone in three] == ["102+103", "101+103", "101+102"]
    for phone in three:
        phone.hang_up()


def test_when_the_media_process_dies_every_participant_is_told_and_the_room_is_empty(town: Town):
    three = phones(town, "101", "102", "103")
    join(town, *three)
    town.switch.fail_all()
    town.run(2.0)
    assert [phone.talk.state for phone in three] == ["over"] * 3
    assert len(town.seen(CallEnded)) == 3
    assert len(town.seen(ConferenceEnded)) == 1


def test_a_phone_that_mixes_by_itself_joins_whom_it_has_on_two_lines(town: Town):
    ana, ben = up(town)
    cleo = town.phone("103")
    first = ana.talk
    second = ana.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(1.0)
    for talk in (first, second):
        ana.engine.stop(talk.leg)
        ana.engine.join(talk.leg, "mine")
    town.run(1.5)
    assert [hears(ben), hears(cleo)] == ["103", "102"]
    ana.hang_up(first)
    ana.hang_up(second)


steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["600", "602"])), min_size=4, max_size=12)


@settings(max_examples=8, deadline=None)
@given(steps)
def test_in_whatever_order_they_come_and_go_each_hears_the_others_and_nobody_is_lost(order):
    town = Town(directory(conferences=ROOMS))
    everybody = phones(town, "101", "102", "103", "104")
    there: dict[Phone, str] = {}
    begun = False
    for at, room in order:
        phone = everybody[at]
        if phone in there:
            del there[phone]
            phone.hang_up()
        elif list(there.values()).count(room) < 3:
            there[phone] = room
            phone.dial(room)
        town.run(2.0)
        waiting = list(there.values()).count("602")
        begun = waiting == 3 or (begun and waiting > 0)
        for one, its_room in there.items():
            others = sorted(other.name for other in there if other is not one and there[other] == its_room)
            if its_room == "602" and not begun:
                assert one.heard[-1] == "moh:harp"
            elif others:
                assert hears(one) == "+".join(others)
    assert town.switch.live()["conferring"] == len(there)
    for phone in list(there):
        phone.hang_up()
    town.run(2.0)
    assert len(town.seen(ConferenceJoined)) == len(town.seen(ConferenceLeft))
    assert len(town.seen(ConferenceBegan)) == len(town.seen(ConferenceEnded))
    assert town.switch.live()["conferring"] == 0
