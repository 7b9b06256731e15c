"""Attended transfer and pickup: one party takes another's place (RFC 3891, RFC 5589 §7)."""

from __future__ import annotations

import pytest

from pbx.events import CallEnded, CallRecordWritten, CallTransferred, LegEnded, QueueLeft
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, Phone, Talk, Town, assert_at_rest, directory


def consult(town: Town, who: Phone, number: str, other: Phone | None) -> Talk:
    """Put the present call on hold and call somebody else, who answers."""
    who.reoffer("sendonly")
    talk = who.dial(number)
    town.run(0.5)
    if other is not None:
        other.answer()
        town.run(2.0)
    return talk


def dialog_of(phone: Phone) -> str:
    """The Replaces of the call a phone is in, as its other end (the switch) knows it."""
    it = phone.talk.session
    return f"{it.call_id};to-tag={it.remote.tag};from-tag={it.local.tag}"


def test_the_transferor_leaves_and_the_two_talk(town):
    ana, ben = up(town)
    first, cleo = ana.talk, town.phone("103")
    consulted = consult(town, ana, "103", cleo)
    ana.refer_into(consulted, first)
    town.run(2.0)

    assert (first.state, consulted.state) == ("over", "over")
    assert first.refer_lines[-1] == "SIP/2.0 200 OK"
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    moved = town.last(CallTransferred)
    assert (moved.device, moved.target, moved.transfer) == ("101", "103", "attended")
    cleo.hang_up()
    town.run(1.0)
    assert ben.talk.state == "over"
    assert [record.disposition for record in town.seen(CallRecordWritten)] == ["ANSWERED", "ANSWERED"]


def test_the_called_party_may_consult_too(town):
    ana, ben = up(town)
    first, cleo = ben.talk, town.phone("103")
    consulted = consult(town, ben, "103", cleo)
    ben.refer_into(consulted, first)
    town.run(2.0)
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    ana.hang_up()
    town.run(1.0)
    assert cleo.talk.state == "over"


def test_the_consulted_one_may_have_been_the_one_who_called(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    first = ana.talk
    ana.reoffer("sendonly")
    cleo.dial("101")
    town.run(0.5)
    second = ana.talk
    ana.answer()
    town.run(1.0)
    ana.refer_into(second, first)
    town.run(2.0)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    ben.hang_up()
    town.run(1.0)
    assert cleo.talk.state == "over"


def test_whom_is_consulted_may_still_be_ringing(town):
    ana, ben = up(town)
    first, cleo = ana.talk, town.phone("103")
    consulted = consult(town, ana, "103", None)
    ana.refer_into(consulted, first)
    town.run(1.0)
    assert ben.heard[-1] == "tone:ringback"
    cleo.answer()
    town.run(2.0)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    ben.hang_up()


def test_somebody_can_be_transferred_into_a_menu_and_goes_on_there(town):
    ana, ben = up(town)
    first = ana.talk
    consulted = consult(town, ana, "400", None)
    town.run(1.0)
    ana.refer_into(consulted, first)
    ben.press("1")
    town.run(1.5)  # an extension may begin with it
    assert ana.talk.state == "ringing"  # key 1 rings 101
    ana.answer()
    town.run(2.0)
    assert (ben.heard[-1], ana.heard[-1]) == ("signature:101", "signature:102")
    ben.hang_up()


def test_somebody_can_be_transferred_into_a_queue_and_hears_its_music(town):
    ana, ben = up(town)
    first = ana.talk
    consulted = consult(town, ana, "500", None)
    town.run(3.0)
    ana.refer_into(consulted, first)
    town.run(1.0)
    assert ben.heard[-1].startswith("moh:")
    ben.hang_up()
    town.run(1.0)
    assert town.last(QueueLeft).outcome == "abandoned"


def test_a_call_that_is_not_there_or_not_ones_own_is_not_joined(town):
    ana, _ = up(town)
    first, cleo = ana.talk, town.phone("103")
    ana.refer(f"sip:103@{DOMAIN}?Replaces=nowhere%3Bto-tag%3Da%3Bfrom-tag%3Db", first)
    assert first.refer_lines[-1].startswith("SIP/2.0 481")
    ana.refer(f"sip:103@{DOMAIN}?Replaces=nonsense", first)
    assert first.refer_lines[-1].startswith("SIP/2.0 400")
    cleo.dial("400")
    town.run(0.5)
    foreign = cleo.talk.session
    value = f"{foreign.call_id}%3Bto-tag%3D{foreign.remote.tag}%3Bfrom-tag%3D{foreign.local.tag}"
    ana.refer(f"sip:400@{DOMAIN}?Replaces={value}", first)
    assert first.refer_lines[-1].startswith("SIP/2.0 603")
    assert first.state == "up"
    for phone in (ana, cleo):
        phone.hang_up(phone.talks[0])


def test_a_ringing_call_is_picked_up_by_another_phone(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("102")
    town.run(0.5)
    cleo.dial("102", headers=[("Replaces", dialog_of(ben)), ("Require", "replaces")])
    town.run(2.0)
    assert (ben.talk.state, cleo.talk.state, ana.talk.state) == ("over", "up", "up")
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    cleo.hang_up()
    town.run(1.0)
    assert ana.talk.state == "over"
    assert town.last(CallEnded).extension == "103"


def test_a_conversation_is_taken_over_by_another_phone(town):
    ana, ben = up(town)
    cleo = town.phone("103")
    cleo.dial("102", headers=[("Replaces", dialog_of(ben))])
    town.run(2.0)
    assert (ben.talk.state, cleo.talk.state) == ("over", "up")
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    assert [e.by for e in town.seen(LegEnded)] == ["switch"]
    ana.hang_up()


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("nowhere;to-tag=a;from-tag=b", 481),
        ("nonsense", 400),
        ("{dialog};early-only", 486),
        ("{dialog}, {dialog}", 400),
    ],
)
def test_what_cannot_be_replaced_is_refused_and_nothing_changes(town, value, status):
    ana, ben = up(town)
    cleo = town.phone("103")
    cleo.dial("102", headers=[("Replaces", value.format(dialog=dialog_of(ben)))])
    town.run(0.5)
    assert cleo.talk.status == status
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    ana.hang_up()


def test_the_caller_of_a_call_that_rings_cannot_be_replaced(town):
    ana, cleo = town.phone("101"), town.phone("103")
    town.phone("102")
    ana.dial("102")
    town.run(0.5)
    cleo.dial("102", headers=[("Replaces", dialog_of(ana))])
    town.run(0.5)
    assert cleo.talk.status == 481
    ana.hang_up()


def test_the_carrier_replaces_nobody(town):
    _, ben = up(town)
    town.carrier.dial("14165550100", headers=[("Replaces", dialog_of(ben))])
    town.run(0.5)
    assert town.carrier.talk.status == 403
    ben.hang_up()


def test_an_agent_that_is_handed_over_still_has_its_wrap_up():
    town = Town(directory())
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(3.0)
    ben.answer()
    town.run(1.0)
    cleo = town.phone("103")
    first = ana.talk
    consulted = consult(town, ana, "103", cleo)
    ana.refer_into(consulted, first)
    town.run(1.0)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:102")
    cleo.hang_up()
    town.run(1.0)
    assert_at_rest(town)
