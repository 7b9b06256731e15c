"""Direct media: whole ladders, what goes past the relay, and what brings it back."""

from __future__ import annotations

import pytest

from pbx.domain.registrations import Peer
from pbx.events import CallEnded, CallTransferred, MediaOneWay, MediaPath, MediaTwoWay, RecordingBegan
from pbx.media.sdp import offer, parse_sdp
from pbx.switch.settings import SwitchSettings
from tests.switch.ladders import Ladder, rungs
from tests.switch.test_replacing import dialog_of
from tests.switch.town import CARRIER_HOST, MEDIA_FROM, SWITCH, Phone, Town, assert_at_rest, directory, without_events

DIRECT = SwitchSettings(carrier=Peer("udp", CARRIER_HOST, 5060), direct_media=True)
WITHOUT_CODES = directory(without_codes=True)
TURNED = """
    ana < INVITE*  ana > 200*  ana < ACK
    ben < INVITE*  ben > 200*  ben < ACK"""
"""The caller first: its answer names the address the called is given."""


class Wire:
    """Whose media went where since it was read last."""

    def __init__(self, town: Town) -> None:
        self._put, town._put = town._put, self._overheard
        self._seen: set[tuple[str, str]] = set()

    def _overheard(self, source: Peer, to: Peer, data: bytes) -> None:
        if min(source.port, to.port) >= MEDIA_FROM:
            self._seen.add((source.host, to.host))
        self._put(source, to, data)

    def read(self) -> set[tuple[str, str]]:
        seen, self._seen = self._seen, set()
        return seen


def talking(town: Town) -> tuple[Phone, Phone]:
    """Ana talks to Ben, long enough for whatever follows the answer."""
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    return ana, ben


def paths(town: Town) -> list[tuple[str, str]]:
    return [(event.path, event.why) for event in town.seen(MediaPath)]


def straight(*phones: Phone) -> set[tuple[str, str]]:
    one, two = (phone.host for phone in phones)
    return {(one, two), (two, one)}


def test_two_who_can_are_told_each_other_s_address_and_the_relay_sees_nothing_more():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ladder = Ladder(town)
    wire = Wire(town)
    ana, ben = talking(town)
    assert ladder.rungs[-len(rungs(TURNED)) :] == rungs(TURNED)
    assert paths(town) == [("direct", "both can")]
    wire.read()
    town.run(5.0)
    assert wire.read() == straight(ana, ben)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ladder.clear()
    ana.hang_up()
    town.run(1.0)
    assert ladder.rungs == rungs("ana > BYE  ana < 200  ben < BYE  ben > 200")
    assert town.last(CallEnded).cause == 16
    assert_at_rest(town)


def test_nobody_is_told_that_sound_is_missing_while_it_goes_past_the_relay():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    talking(town)
    town.run(10.0)
    assert town.seen(MediaOneWay) == []
    assert [event for event in town.seen(MediaTwoWay) if event.device not in ("101", "102")] == []


def test_unless_the_operator_wants_it_media_is_relayed_and_nothing_is_said_of_it():
    town = Town(directory())
    wire = Wire(town)
    ana, ben = talking(town)
    wire.read()
    town.run(2.0)
    assert wire.read() == {(one.host, SWITCH.host) for one in (ana, ben)} | {
        (SWITCH.host, one.host) for one in (ana, ben)
    }
    assert paths(town) == []


def test_hold_brings_the_held_party_back_to_the_music_and_resume_sends_both_off_again():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    ladder, wire = Ladder(town), Wire(town)
    ben.reoffer("sendonly")
    assert ladder.rungs == rungs("ben > INVITE*  ben < 200*  ana < INVITE*  ben > ACK  ana > 200*  ana < ACK")
    town.run(1.0)
    assert ana.heard[-1] == "moh:folk"
    wire.read()
    ladder.clear()
    ben.reoffer("sendrecv")
    town.run(1.0)
    assert ladder.rungs == rungs("""
        ben > INVITE*  ben < 200*  ana < INVITE*  ben > ACK  ana > 200*  ana < ACK
        ben < INVITE*  ben > 200*  ben < ACK""")
    wire.read()
    town.run(2.0)
    assert wire.read() == straight(ana, ben)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    assert paths(town) == [("direct", "both can"), ("relayed", "102 has put the other on hold"), ("direct", "both can")]
    ana.hang_up()
    assert_at_rest(town)


def test_a_blind_transfer_comes_back_and_goes_direct_with_the_new_party():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    cleo = town.phone("103")
    ben.refer("sip:103@acme.lab")
    assert ana.heard[-1] == "tone:ringback"
    cleo.answer()
    town.run(1.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    wire = Wire(town)
    town.run(2.0)
    assert wire.read() == straight(ana, cleo)
    ana.hang_up()
    assert_at_rest(town)


def test_an_attended_transfer_joins_two_who_talk_directly_from_then_on():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    cleo = town.phone("103")
    first = ben.talk
    ben.reoffer("sendonly")
    second = ben.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(1.0)
    ben.refer_into(second, first)
    town.run(1.0)
    wire = Wire(town)
    town.run(2.0)
    assert wire.read() == straight(ana, cleo)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    cleo.hang_up()
    assert_at_rest(town)


def test_a_pickup_of_a_party_that_talks_takes_its_place_directly_too():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    cleo = town.phone("103")
    cleo.dial("102", headers=[("Replaces", dialog_of(ben))])
    town.run(1.0)
    wire = Wire(town)
    town.run(2.0)
    assert wire.read() == straight(ana, cleo)
    ana.hang_up()
    assert_at_rest(town)


def test_a_refresh_by_a_phone_changes_nothing():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    ladder, wire = Ladder(town), Wire(town)
    ana.reoffer("sendrecv")
    town.run(1.0)
    assert ladder.rungs == rungs("ana > INVITE*  ana < 200*  ana > ACK")
    assert ana.talk.session.remote_sdp is not None
    assert parse_sdp(ana.talk.session.remote_sdp).host == ben.host
    wire.read()
    town.run(1.0)
    assert wire.read() == straight(ana, ben)
    assert len(paths(town)) == 1


def test_keys_by_info_are_handed_on_by_info_when_no_sound_of_ours_reaches_the_other():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    ana.info("7")
    town.run(1.0)
    assert ben.keys == ["7"]


def test_keys_as_events_go_straight():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = talking(town)
    ana.press("42")
    assert ben.keys == ["4", "2"]


def test_a_call_with_the_carrier_goes_direct_too():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana = town.phone("101")
    ana.dial("14165550142")
    town.run(0.5)
    town.carrier.answer()
    town.run(1.0)
    wire = Wire(town)
    town.run(2.0)
    assert wire.read() == straight(ana, town.carrier)


def test_a_caller_in_a_menu_is_served_by_the_relay_and_goes_direct_with_whom_it_leads_to():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana = town.phone("102")
    desk = town.phone("101")
    ana.dial("400")
    town.run(1.5)
    assert paths(town) == []
    ana.press("1")
    town.run(1.5)
    desk.answer()
    town.run(1.0)
    assert paths(town) == [("direct", "both can")]


@pytest.mark.parametrize(
    ("sdp", "why"),
    [
        (lambda address: offer(address, codecs=("PCMA",)), "101 speaks PCMA, 102 PCMU"),
        (
            lambda address: offer(address).replace(address.host.encode(), b"192.168.7.7"),
            "101 is behind a NAT: it names 192.168.7.7, and signals from 10.0.1.1",
        ),
        (
            lambda address: without_events(offer(address)),
            "only 102 sends keys as events",
        ),
    ],
)
def test_what_needs_the_relay_stays_there_and_says_why(sdp, why):
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = town.phone("101"), town.phone("102")
    ben.codecs = ("PCMU",)
    ana.dial("102", sdp=sdp(ana.engine.open(f"{ana.name}/1")))
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    assert paths(town) == [("relayed", why)]
    ana.hang_up()
    assert_at_rest(town)


@pytest.mark.parametrize("who", ["101", "102"])
def test_a_phone_that_refuses_the_other_s_address_is_relayed_as_before(who):
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = town.phone("101"), town.phone("102")
    (ana if who == "101" else ben).refuses_reoffers = [488]
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(2.0)
    assert paths(town) == [("relayed", f"{who} did not take the other's address: answered 488")]
    wire = Wire(town)
    town.run(2.0)
    assert wire.read() == {(one.host, SWITCH.host) for one in (ana, ben)} | {
        (SWITCH.host, one.host) for one in (ana, ben)
    }
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ben.hang_up()
    assert_at_rest(town)


def test_two_offers_that_cross_are_made_again():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = town.phone("101"), town.phone("102")
    ana.refuses_reoffers = [491]
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    assert paths(town) == []
    town.run(3.0)
    assert paths(town) == [("direct", "both can")]
    ben.hang_up()
    assert_at_rest(town)


def test_a_party_that_hangs_up_in_the_middle_of_it_leaves_nothing_behind():
    for at_s in (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035):
        town = Town(WITHOUT_CODES, settings=DIRECT)
        ana, ben = town.phone("101"), town.phone("102")
        ana.dial("102")
        town.run(0.5)
        ben.answer()
        town.run(at_s)
        ben.hang_up()
        assert_at_rest(town)


def test_a_phone_whose_address_moves_with_every_answer_ends_at_the_relay():
    town = Town(WITHOUT_CODES, settings=DIRECT)
    ana, ben = town.phone("101"), town.phone("102")
    ana.wanders = ben.wanders = True
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(4.0)
    assert town.last(MediaPath).path == "relayed"
    assert "do not settle" in town.last(MediaPath).why
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()
    assert_at_rest(town)


def test_a_code_is_heard_and_the_conversation_passes_the_switch_for_it_where_codes_are_listened_for():
    town = Town(directory(), settings=DIRECT)
    ana, ben = talking(town)
    assert paths(town) == [("relayed", "101 may press a code, such as *80")]
    ana.press("*80")
    town.run(2.0)
    assert town.last(RecordingBegan).extension == "101"
    ben.hang_up()
    assert_at_rest(town)


def test_where_no_code_is_listened_for_none_does_anything():
    town = Town(WITHOUT_CODES)
    ana, _ = talking(town)
    ana.press("*80")
    town.run(1.0)
    ana.press("*98103#")
    town.run(1.0)
    assert (town.seen(RecordingBegan), town.seen(CallTransferred)) == ([], [])
    ana.hang_up()
    assert_at_rest(town)


def test_a_code_by_info_is_heard_though_sound_goes_past_the_switch_and_brings_it_back():
    """A phone without telephone-events tells its keys beside the sound."""
    town = Town(directory(), settings=DIRECT)
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102", sdp=without_events(offer(ana.engine.open(f"{ana.name}/1"))))
    ben.knows_events = False
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    assert paths(town) == [("direct", "both can")]
    for key in "*80":
        ana.info(key)
    town.run(2.0)
    assert town.last(RecordingBegan).extension == "101"
    assert paths(town)[-1] == ("relayed", "the conversation is recorded")
    ana.hang_up()
    assert_at_rest(town)
