"""Pickup by code, and pulling a conversation to another phone of one's own (F09, F10)."""

from __future__ import annotations

import pytest

from pbx.events import CallEnded, CallPickedUp, CallPulled, CallRecordWritten, FeatureUsed, QueueLeft
from tests.switch.test_switch_calls import up
from tests.switch.town import DELAY_S, Town, assert_at_rest, directory

TEAMS = {"101": {"department": "Sales"}, "102": {"department": "Sales"}, "103": {"department": "Care"},
         "104": {"site": "Toronto", "do_not_disturb": False}}  # fmt: skip


@pytest.fixture
def town():
    made = Town(directory(users=TEAMS))
    yield made
    assert_at_rest(made)


def cancels(town, phone):
    """Reasons of the CANCELs a phone gets."""
    found = []
    put = town._put

    def overheard(source, to, data):
        if data.startswith(b"CANCEL") and to.host == phone.host:
            found.append(next((line for line in data.decode().split("\r\n") if line.startswith("Reason: ")), ""))
        put(source, to, data)

    town._put = overheard
    return found


def test_a_ringing_call_moves_to_who_dials_its_extension(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    reasons = cancels(town, ben)
    ana.dial("102")
    town.run(0.5)
    cleo.dial("*35102")
    town.run(2.0)
    assert (ben.talk.state, ana.heard[-1], cleo.heard[-1]) == ("over", "signature:103", "signature:101")
    assert reasons == ['Reason: SIP;cause=200;text="Call completed elsewhere"']
    picked = town.last(CallPickedUp)
    assert (picked.device, picked.extension, picked.rang) == ("103", "103", "102")
    ana.hang_up()
    town.run(1.0)
    assert cleo.talk.state == "over"
    records = {record.dialled: (record.disposition, record.answered_by) for record in town.seen(CallRecordWritten)}
    assert records == {"*35102": ("ANSWERED", "*35"), "102": ("ANSWERED", "103")}
    assert {record.path for record in town.history.records()} == {"user:102 > picked-up:103", "feature:*35102"}


@pytest.mark.parametrize(
    ("code", "picker", "rung", "done"),
    [
        ("*36", "103", "102", True),  # anybody's
        ("*37", "101", "102", True),  # Sales
        ("*37", "103", "102", False),  # Care
        ("*37", "104", "102", False),  # in no department
        ("*54", "101", "104", True),  # Toronto
        ("*54", "102", "104", False),  # Laval
        ("*54", "103", "104", False),  # at no site
        ("*35", "103", "104", False),  # which extension?
    ],
)
def test_who_may_pick_up_what(town, code, picker, rung, done):
    phone, other = town.phone(picker), town.phone(rung)
    town.carrier.dial("14165550100")
    town.run(DELAY_S * 4)
    town.carrier.hang_up()
    caller = next(town.phone(device) for device in ("101a", "103", "104") if device[:3] not in (picker, rung))
    caller.dial(rung)
    town.run(0.5)
    phone.dial(code)
    town.run(2.0)
    assert town.last(FeatureUsed).done is done
    assert (other.talk.state, caller.talk.state) == (("over", "up") if done else ("ringing", "ringing"))
    if not done:
        assert "prompt:no-call-rings" in phone.heard
    caller.hang_up()
    phone.hang_up()


def test_the_call_that_rings_longest_is_picked_up(town):
    ana, cleo, dev = town.phone("101"), town.phone("103"), town.phone("104")
    ben = town.phone("102")
    ana.dial("102")
    town.run(0.5)
    dev.dial("103")
    town.run(0.5)
    ben.answer()
    town.run(0.5)
    town.carrier.dial("14165550101")  # rings Ana, who talks
    town.run(0.5)
    cleo.hang_up()
    cleo.dial("*36")
    town.run(2.0)
    assert cleo.heard[-1] == "signature:14165550142"
    for phone in (ana, cleo, dev):
        phone.hang_up(phone.talks[0])
    town.carrier.hang_up()


def test_nobody_picks_up_what_the_own_desk_has_dialled(town):
    ana, other = town.phone("101"), town.phone("101a")
    town.phone("102")
    ana.dial("102")
    town.run(0.5)
    other.dial("*36")
    town.run(2.0)
    assert not town.last(FeatureUsed).done
    ana.hang_up()


def test_a_call_that_rings_another_phone_of_ones_own_is_picked_up(town):
    ben, ana = town.phone("102"), town.phone("101")
    ben.dial("101")
    town.run(0.5)
    other = town.phone("101a")
    other.dial("*38")
    town.run(2.0)
    assert (ana.talk.state, other.heard[-1]) == ("over", "signature:102")
    ben.hang_up()


def test_an_agents_call_is_picked_up_for_the_queue(town):
    ana, ben, dev = town.phone("101"), town.phone("102"), town.phone("104")
    ana.dial("500")
    town.run(2.5)
    assert ben.talk.state == "ringing"
    dev.dial("*35500")
    town.run(2.0)
    assert (ana.heard[-1], dev.heard[-1]) == ("signature:104", "signature:101")
    assert (town.last(QueueLeft).outcome, town.last(QueueLeft).agent) == ("answered", "104")
    ana.hang_up()


def test_several_phones_of_one_user_stop_when_another_answers(town):
    ana, other, ben = town.phone("101"), town.phone("101a"), town.phone("102")
    reasons = cancels(town, other)
    ben.dial("101")
    town.run(0.5)
    ana.answer()
    town.run(0.5)
    assert reasons == ['Reason: SIP;cause=200;text="Call completed elsewhere"']
    ben.hang_up()
    town.run(1.0)
    ben.dial("101")
    town.run(0.5)
    ben.hang_up()
    town.run(0.5)
    assert reasons[1:] == ["Reason: Q.850;cause=16"]


@pytest.mark.parametrize("called", [True, False])
def test_a_conversation_is_pulled_to_another_own_phone(town, called):
    ana, ben = up(town)
    if called:
        ben.hang_up()
        town.run(0.5)
        ben.dial("101")
        town.run(0.5)
        ana.answer()
        town.run(1.0)
    other = town.phone("101a")
    other.dial("*44")
    town.run(2.0)
    assert (ana.talk.state, ben.heard[-1], other.heard[-1]) == ("over", "signature:101a", "signature:102")
    assert (town.last(CallPulled).device, town.last(CallPulled).source) == ("101a", "101")
    ben.hang_up()
    town.run(1.0)
    assert other.talk.state == "over"
    assert town.seen(CallEnded)[-1].cause == 16


def test_where_there_is_nothing_to_pull_the_caller_is_told(town):
    ana = town.phone("101")
    ana.dial("*44")
    town.run(2.0)
    assert "prompt:no-call-to-pull" in ana.heard
