"""A telephone that forwards by itself: its 302 is followed as its owner's forward, by policy (RFC 3261 §21.3.3)."""

from __future__ import annotations

import pytest

from pbx.events import CallRouted, LegInvited, VoicemailGreeted
from pbx.sip.message import Request
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory


def rung(town: Town) -> list[str]:
    return [event.device or event.number for event in town.seen(LegInvited)]


def calling(town: Town, moved_to: str, caller: str = "101"):
    ana, ben = town.phone(caller), town.phone("102")
    ben.moved_to = moved_to
    ana.dial("102")
    town.run(1.0)
    return ana, ben


def test_a_phone_that_sends_its_callers_to_a_colleague_is_followed(town):
    cleo = town.phone("103")
    ana, _ = calling(town, f"sip:103@{DOMAIN}")
    cleo.answer()
    town.run(1.0)
    assert rung(town) == ["102", "103"]
    assert ana.talk.state == "up"
    ana.hang_up()


def test_the_call_is_written_down_as_routed_by_that_phone(town):
    town.phone("103")
    ana, _ = calling(town, f"sip:103@{DOMAIN}")
    assert [event.destination for event in town.seen(CallRouted)][-1] == "user:103"
    assert '"question":"103 from 102' in town.seen(CallRouted)[2].record
    ana.hang_up()


def test_outside_the_owner_pays_and_whoever_is_called_is_told_of_the_deflection(town):
    ana, _ = calling(town, f"sip:14165550142@{DOMAIN};user=phone")
    assert rung(town) == ["102", "14165550142"]
    invite = town.carrier.talk.session.request
    assert isinstance(invite, Request)
    assert "reason=deflection" in (invite.get("Diversion") or "")
    ana.hang_up()


def test_a_phone_may_not_send_callers_where_its_owner_may_not_call():
    town = Town(directory(users={"102": {"dial_policy": "Internal"}}))
    ana, _ = calling(town, f"sip:14165550142@{DOMAIN}")
    assert rung(town) == ["102"]
    ana.hang_up()
    assert_at_rest(town)


def test_two_phones_that_send_callers_to_each_other_end_the_call(town):
    cleo = town.phone("103")
    cleo.moved_to = f"sip:102@{DOMAIN}"
    ana, _ = calling(town, f"sip:103@{DOMAIN}")
    town.run(10.0)
    assert ana.talk.state == "over"
    assert len(rung(town)) < 30


@pytest.mark.parametrize("contact", ["*", "tel:", "sip:", "x" * 400, f"sip:299@{DOMAIN}"])
def test_a_contact_that_leads_nowhere_harms_nobody(town, contact):
    ana, _ = calling(town, contact)
    town.run(6.0)
    assert rung(town) == ["102"]
    if ana.talk.state != "over":
        ana.hang_up()


def test_a_phone_that_rings_along_takes_no_call_from_the_others(town):
    ana, desk, other = town.phone("102"), town.phone("101"), town.phone("101a")
    other.moved_to = f"sip:103@{DOMAIN}"
    ana.dial("101")
    town.run(1.0)
    desk.answer()
    town.run(1.0)
    assert (ana.talk.state, rung(town)) == ("up", ["101", "101a"])
    ana.hang_up()


def test_where_phones_may_not_send_calls_on_it_is_taken_for_no_answer():
    town = Town(directory(domain={"name": "acme.lab", "area_code": "416", "caller_id": 14165550100, "music": "house",
                                  "platform": {"phone_redirects": "ignored"}}))  # fmt: skip
    town.phone("103")
    ana, _ = calling(town, f"sip:103@{DOMAIN}")
    assert rung(town) == ["102"]
    assert [event.box for event in town.seen(VoicemailGreeted)] == ["102"]
    ana.hang_up()
    assert_at_rest(town)
