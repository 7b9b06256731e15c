"""Parties that come back: from a transfer that reached nobody, from a hold that lasts too long (F05)."""

from __future__ import annotations

import pytest

from pbx.events import CallRecordWritten, HoldRecalled, TransferRecalled, VoicemailGreeted
from tests.switch.test_replacing import consult
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, Phone, Town, assert_at_rest, directory


def town_with(**platform: object) -> Town:
    return Town(directory(domain={"name": "acme.lab", "area_code": "416", "music": "house", "platform": platform}))


def transfer(town: Town, who: Phone, target: str) -> None:
    who.refer(f"sip:{target}@{DOMAIN}")


@pytest.mark.parametrize(("target", "answers_with", "why"), [
    ("103", 486, "busy"), ("103", 0, "no-answer"), ("199", 0, "not-found"), ("16135550199", 404, "not-found"),
])  # fmt: skip
def test_who_reaches_nobody_after_a_transfer_goes_back(town, target, answers_with, why):
    ana, ben, cleo = *up(town), town.phone("103")
    cleo.answers_with = town.carrier.answers_with = answers_with
    transfer(town, ana, target)
    assert ana.talks[0].state == "over"
    town.run(5.0)  # Cleo has four seconds, and no mailbox
    assert (ana.talk.state, ben.talk.state) == ("ringing", "up")
    assert ana.talk.shown == ("102", "Ben")
    assert ben.heard[-1] == "tone:ringback"
    assert (town.last(TransferRecalled).device, town.last(TransferRecalled).why) == ("101", why)
    ana.answer()
    town.run(1.5)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()
    town.run(1.0)
    assert town.last(CallRecordWritten).answered_by == "101"
    assert town.history.records()[0].path.endswith("> recalled:101")


def test_the_rules_of_the_target_go_before_a_recall(town):
    ana, ben = up(town)
    cleo = town.phone("101a")
    cleo.answers_with = 486
    transfer(town, ben, "104")  # no calls, a mailbox
    town.run(1.0)
    assert town.seen(TransferRecalled) == []
    assert town.last(VoicemailGreeted).box == "104"
    ana.hang_up()


def test_a_recall_that_is_not_answered_ends_the_call_and_is_not_tried_again(town):
    ana, ben = up(town)
    transfer(town, ana, "199")
    town.run(40.0)
    assert (ana.talk.state, ben.talk.state) == ("over", "over")
    assert len(town.seen(TransferRecalled)) == 1


def test_who_is_recalled_may_transfer_again_and_is_recalled_again(town):
    ana, ben = up(town)
    transfer(town, ana, "199")
    town.run(1.0)
    ana.answer()
    town.run(1.0)
    transfer(town, ana, "198")
    town.run(1.0)
    assert ana.talk.state == "ringing"
    assert len(town.seen(TransferRecalled)) == 2
    ben.hang_up()


def test_a_consultation_that_is_given_up_while_it_rings_comes_back_too(town):
    """Semi-attended: the transferor leaves before the third party answers."""
    ana, ben = up(town)
    first, cleo = ana.talk, town.phone("103")
    consulted = consult(town, ana, "103", None)
    ana.refer_into(consulted, first)
    town.run(4.0)
    assert cleo.talk.state == "over"
    assert ana.talk.state == "ringing"
    assert town.last(TransferRecalled).why == "no-answer"
    ana.answer()
    town.run(1.5)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()


def test_a_platform_without_recall_ends_the_call():
    town = town_with(recall_transfers=False)
    ana, ben = up(town)
    transfer(town, ana, "199")
    town.run(2.0)
    assert (len(ana.talks), ben.talk.state) == (1, "over")
    assert_at_rest(town)


def test_nobody_is_recalled_without_a_transfer(town):
    ana = town.phone("101")
    ana.dial("199")
    town.run(1.0)
    assert ana.talk.status == 404
    assert town.seen(TransferRecalled) == []


# --- hold ---------------------------------------------------------------------------------------------


@pytest.fixture
def holding():
    town = town_with(hold_recall_s=30)
    yield town
    assert_at_rest(town)


@pytest.mark.parametrize("by_the_caller", [True, False])
def test_who_holds_for_too_long_is_rung_and_has_the_party_back(holding, by_the_caller):
    ana, ben = up(holding)
    holder, held = (ana, ben) if by_the_caller else (ben, ana)
    holder.reoffer("sendonly")
    first = holder.talk
    holding.run(30.0)
    assert holder.talk.state == "ringing"
    assert holder.talk.shown[0] == held.name
    assert holding.last(HoldRecalled).device == holder.name
    holder.answer()
    holding.run(1.5)
    assert (first.state, holder.heard[-1], held.heard[-1]) == (
        "over",
        f"signature:{held.name}",
        f"signature:{holder.name}",
    )
    held.hang_up()
    holding.run(1.0)
    assert holder.talk.state == "over"


def test_a_recall_of_a_held_party_stops_when_it_is_resumed(holding):
    ana, ben = up(holding)
    ana.reoffer("sendonly")
    holding.run(31.0)
    recall, ana.talks = ana.talk, ana.talks[:1]
    ana.reoffer("sendrecv")
    holding.run(1.0)
    assert recall.session.over
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    holding.run(120.0)
    assert len(holding.seen(HoldRecalled)) == 1
    ana.hang_up()


def test_a_recall_in_vain_rings_again(holding):
    ana, ben = up(holding)
    ana.reoffer("sendonly")
    holding.run(100.0)  # rings from 30 to 60, and from 90 on
    assert len(holding.seen(HoldRecalled)) == 2
    ben.hang_up()


def test_without_the_setting_a_party_is_held_without_end(town):
    ana, ben = up(town)
    ana.reoffer("sendonly")
    town.run(900.0)
    assert (len(ana.talks), ben.talk.state) == (1, "up")
    ben.hang_up()


# --- transfer by keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by_the_caller", [True, False])
def test_keys_transfer_where_a_telephone_cannot(town, by_the_caller):
    ana, ben, cleo = *up(town), town.phone("103")
    leaving, staying = (ana, ben) if by_the_caller else (ben, ana)
    leaving.press("*98103#")
    town.run(1.0)
    assert (leaving.talk.state, cleo.talk.state) == ("over", "ringing")
    cleo.answer()
    town.run(1.5)
    assert (staying.heard[-1], cleo.heard[-1]) == ("signature:103", f"signature:{staying.name}")
    staying.hang_up()


def test_a_conversation_goes_on_at_another_own_phone_by_keys(town):
    ana, ben = up(town)
    other = town.phone("101a")
    ana.press("*99")
    town.run(1.0)
    assert (ana.talk.state, other.talk.state) == ("ringing", "ringing")  # the first rings anew
    other.answer()
    town.run(1.5)
    assert (ben.heard[-1], other.heard[-1]) == ("signature:101a", "signature:102")
    ben.hang_up()


@pytest.mark.parametrize("target", ["199", "*88", "9"])
def test_where_keys_lead_nowhere_the_conversation_goes_on(town, target):
    ana, ben = up(town)
    ana.press(f"*98{target}#")
    town.run(2.0)
    assert ("prompt:transfer-failed" in ana.heard) is (target == "199")
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()


def test_nobody_outside_transfers_by_keys(town):
    ana = town.phone("101")
    town.carrier.dial("14165550101")
    town.run(0.5)
    ana.answer()
    town.run(1.0)
    town.carrier.press("*98102#")
    town.run(2.0)
    assert (ana.talk.state, town.carrier.talk.state) == ("up", "up")
    ana.hang_up()
