"""Park slots: by transfer, retrieval from any phone, call-back to whoever parked, lamps (F07, F08, I11)."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pbx.domain.directory import Directory
from pbx.events import BusyLampSent, CallParked, CallRecordWritten, CallUnparked, FeatureUsed, ParkRecalled
from tests.switch.ladders import Ladder, rungs
from tests.switch.test_replacing import consult
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory


def park(town, who, slot="701"):
    who.refer(f"sip:{slot}@{DOMAIN}")
    town.run(1.0)


def outcomes(town):
    return [(left.slot, left.outcome, left.by) for left in town.seen(CallUnparked)]


def test_a_party_transferred_to_a_slot_hears_the_music_of_who_parked_it(town):
    ana, ben = up(town)
    park(town, ana)
    assert (ana.talk.state, ben.talk.state) == ("over", "up")
    assert ana.talk.refer_lines[-1] == "SIP/2.0 200 OK"
    assert ben.heard[-1] == "moh:jazz"  # Ana's site
    parked = town.last(CallParked)
    assert (parked.slot, parked.party, parked.parker) == ("701", "102", "101")
    ben.hang_up()
    town.run(1.0)
    assert outcomes(town) == [("701", "abandoned", "")]


@pytest.mark.parametrize("dialled", ["*55701", "701"])
def test_any_phone_of_the_domain_fetches_who_is_parked(town, dialled):
    ana, ben = up(town)
    cleo = town.phone("103")
    park(town, ana)
    cleo.dial(dialled)
    town.run(2.0)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    assert outcomes(town) == [("701", "fetched", "103")]
    ben.hang_up()
    town.run(1.0)
    assert cleo.talk.state == "over"
    records = {record.dialled: record for record in town.seen(CallRecordWritten)}
    assert records["102"].answered_by == "103"
    kept = {record.dialled: record.path for record in town.history.records()}
    assert kept["102"] == "user:102 > park:701 > fetched:103"


def test_three_stars_park_in_the_first_free_slot(town):
    ana, ben = up(town)
    dev = town.phone("104")
    dev.dial("700")  # waits there itself
    town.run(1.0)
    ana.refer(f"sip:***@{DOMAIN}")
    town.run(1.0)
    assert (town.last(CallParked).slot, ben.heard[-1]) == ("701", "moh:jazz")
    ben.hang_up()
    town.run(1.0)
    assert outcomes(town) == [("701", "abandoned", "")]
    kept = {record.dialled: record.path for record in town.history.records()}
    assert kept["102"] == "user:102 > park:701"
    dev.hang_up()


def test_who_dials_three_stars_is_told_the_slot_and_may_be_fetched_meanwhile(town):
    dev, cleo = town.phone("104"), town.phone("103")
    dev.dial("***")
    town.run(0.5)
    assert dev.heard[-1].startswith("prompt:parked-at")
    cleo.dial("*55700")
    town.run(2.0)
    assert (dev.heard[-1], outcomes(town)) == ("signature:103", [("700", "fetched", "103")])
    cleo.hang_up()
    town.run(1.0)
    dev.dial("***")
    town.run(8.0)
    assert dev.heard[-1] == "moh:house"
    dev.hang_up()


def test_a_star_before_the_slot_only_parks(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    park(town, ana, "*701")
    assert town.last(CallParked).slot == "701"
    cleo.dial("*701")
    town.run(1.0)
    assert (cleo.talk.status, ben.heard[-1]) == (486, "moh:jazz")
    ben.hang_up()


def test_when_every_slot_given_out_is_taken_a_transfer_there_fails_and_the_party_stays():
    town = Town(directory(domain={"name": "acme.lab", "platform": {"park_any": [700, 700]}}))
    ana, ben = up(town)
    dev = town.phone("104")
    dev.dial("***")
    town.run(1.0)
    ana.refer(f"sip:***@{DOMAIN}")
    town.run(1.0)
    assert (ana.talk.refer_lines[-1], ana.talk.state) == ("SIP/2.0 486 Busy Here", "up")
    ben.hang_up()
    dev.hang_up()
    assert_at_rest(town)


def test_the_slot_is_asked_for_when_none_was_dialled(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    park(town, ana)
    cleo.dial("*55")
    town.run(0.5)
    cleo.press("701#")
    town.run(2.0)
    assert ben.heard[-1] == "signature:103"
    ben.hang_up()


def test_the_ladder_of_park_and_retrieval():
    town = Town(directory())
    ana, ben = up(town)
    town.phone("103")
    ladder = Ladder(town)
    park(town, ana)
    assert sorted(ladder.rungs) == sorted(
        rungs("""
        ana > REFER  ana < 202  ana < NOTIFY  ana > 200  ana < NOTIFY  ana > 200  ana < BYE  ana > 200
    """)
    )
    ladder.clear()
    town._parties["10.0.1.3"].dial("701")
    town.run(1.0)
    assert ladder.rungs == rungs("""
        cleo > INVITE*  cleo < 407  cleo > ACK  cleo > INVITE*  cleo < 200*  cleo > ACK
    """)
    ben.hang_up()
    assert_at_rest(town)


def test_who_dials_a_free_slot_waits_there_and_may_be_replaced(town):
    """An attended transfer to a slot: dial it, then transfer."""
    ana, ben = up(town)
    first = ana.talk
    consulted = consult(town, ana, "705", None)
    assert ana.heard[-1].startswith("moh:")
    ana.refer_into(consulted, first)
    town.run(1.0)
    assert (ben.talk.state, ben.heard[-1]) == ("up", "moh:house")
    assert [(it.party, it.parker) for it in town.seen(CallParked)] == [("101", ""), ("102", "101")]
    ana.dial("*55705")
    town.run(1.5)
    assert ana.heard[-1] == "signature:102"
    ana.hang_up()


def test_a_taken_slot_is_busy_and_the_transferor_keeps_the_call(town):
    ana, ben = up(town)
    park(town, ana)
    cleo, dev = town.phone("103"), town.phone("101a")
    cleo.dial("101a")
    cleo.hang_up()
    cleo.dial("101")
    town.run(0.5)
    dev.answer()
    town.run(1.0)
    park(town, cleo)
    assert cleo.talk.refer_lines[-1] == "SIP/2.0 486 Busy Here"
    assert cleo.talk.state == "up"
    cleo.hang_up()
    ben.hang_up()


@pytest.mark.parametrize("dialled", ["*55702", "*55", "*55999"])
def test_where_nobody_is_parked_the_caller_is_told_so(town, dialled):
    ana = town.phone("101")
    ana.dial(dialled)
    town.run(12.0)
    assert "prompt:nobody-parked" in ana.heard
    assert ana.talk.state == "over"
    assert not town.last(FeatureUsed).done


def test_from_720_on_whoever_parked_is_rung_again_and_again(town):
    ana, ben = up(town)
    park(town, ana, "720")
    town.run(60.0)
    assert ana.talk.state == "ringing"
    assert town.last(ParkRecalled).parker == "101"
    assert ben.heard[-1] == "moh:jazz"
    town.run(26.0)  # nobody answers
    assert ana.talk.state == "over"
    town.run(60.0)
    ana.answer()
    town.run(1.5)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    assert outcomes(town) == [("720", "returned", "101")]
    ben.hang_up()


def test_who_is_called_back_for_can_still_be_fetched(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    park(town, ana, "799")
    town.run(61.0)
    assert ana.talk.state == "ringing"
    cleo.dial("799")
    town.run(1.5)
    assert (ana.talk.state, ben.heard[-1]) == ("over", "signature:103")
    assert outcomes(town) == [("799", "fetched", "103")]
    ben.hang_up()


def test_below_720_nobody_is_called_back(town):
    ana, ben = up(town)
    park(town, ana, "719")
    town.run(600.0)
    assert town.seen(ParkRecalled) == []
    assert len(ana.talks) == 1
    ben.hang_up()


def test_the_lamp_of_a_slot_says_who_waits_there(town):
    cleo = town.phone("103")
    assert cleo.watch("dialog", "701").status == 200
    ana, ben = up(town)
    park(town, ana)
    town.run(1.0)
    (dialog,) = ElementTree.fromstring(cleo.told("dialog")[-1].body)
    texts = [element.text for element in dialog.iter() if element.text and element.text.strip()]
    assert texts == ["confirmed", "sip:701@acme.lab", "sip:102@acme.lab"]
    ana.dial("701")
    town.run(1.5)
    assert [lamp.state for lamp in town.seen(BusyLampSent)] == ["idle", "in-use", "idle"]
    ben.hang_up()


@pytest.mark.parametrize("number", ["911", "7000", "811"])
def test_what_is_no_slot_cannot_be_watched(town, number):
    assert town.phone("103").watch("dialog", number).status == 404


def test_a_number_may_lead_to_a_slot_but_nobody_outside_fetches():
    town = Town(directory(numbers=[{"number": 14165550100, "routes": [{"to": "park_703"}]}]))
    town.carrier.dial("14165550100")
    town.run(1.0)
    assert town.carrier.heard[-1] == "moh:house"
    town.carrier.dial("14165550100")
    town.run(1.0)
    assert town.carrier.talk.status == 486
    town.carrier.hang_up(town.carrier.talks[0])
    assert_at_rest(town)


def test_who_waits_in_a_queue_of_the_park_type_is_fetched_longest_wait_first():
    queues = [{"extension": 500, "name": "Floor", "strategy": "call_park"}]
    town = Town(directory(queues=queues, attendants=[], numbers=[]))
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("500")
    town.run(1.0)
    ben.dial("500")
    town.run(1.0)
    cleo.dial("*55500")
    town.run(1.5)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    assert ben.talk.state == "up"
    ana.hang_up()
    ben.hang_up()
    assert_at_rest(town)


@pytest.mark.parametrize("slot", ["600", "711", "7000", "70"])
def test_a_slot_that_is_none_is_refused(slot):
    with pytest.raises(ValueError, match="slot"):
        Directory.model_validate(
            {"domain": {"name": "a.lab"}, "numbers": [{"number": 14165550100, "routes": [{"to": f"park {slot}"}]}]}
        )
