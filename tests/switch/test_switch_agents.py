"""Agents of a queue through the switch: outside with confirmation, on one device, logged in and out under callers."""

from dataclasses import asdict
from random import Random

import pytest

from pbx.callflow.question import Asked
from pbx.domain.queues import AgentStatus
from pbx.events import (
    AgentFinished,
    AgentOffered,
    AgentStatusChanged,
    CallRecordWritten,
    CallTransferred,
    FeatureUsed,
    PromptPlayed,
    QueueLeft,
    fields,
)
from pbx.statistics import Statistics
from tests.statistics_oracle import figures
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory

MOBILE = "14165550199"
FOLDED = {"queue", "call", "attendant", "voicemail"}


@pytest.fixture
def town_of():
    made = []

    def town(*agents, **fields):
        queue = {"extension": 500, "name": "Care", "agent_ring_s": 3, "agents": agents, **fields}
        made.append(Town(directory(queues=[queue], attendants=[], numbers=[])))
        return made[-1]

    yield town
    for town_ in made:
        assert_at_rest(town_)


def test_an_outside_agent_presses_1_and_talks(town_of):
    """H11."""
    town = town_of({"number": MOBILE, "confirm": True, "wrap_up_s": 4})
    ana = town.phone("101")
    ana.dial("500")
    town.run(1)
    town.carrier.answer()
    town.run(1.5)
    assert town.last(PromptPlayed).source == "prompt:confirm-call"
    assert (town.carrier.heard[-1], ana.heard[-1]) == ("prompt:confirm-call", "moh:house")
    assert town.seen(QueueLeft) == []

    town.carrier.press("1")
    town.run(2)
    assert (town.carrier.heard[-1], ana.heard[-1]) == ("signature:101", "signature:14165550142")
    assert (town.last(QueueLeft).outcome, town.last(QueueLeft).agent) == ("answered", MOBILE)
    ana.dial("500")
    town.run(2)
    assert len(town.seen(AgentOffered)) == 1  # one call at once
    ana.hang_up(ana.talks[0])
    town.run(1)
    assert town.last(AgentFinished).wrap_up_s == 4
    assert town.seen(CallRecordWritten)[0].answered_by == MOBILE
    town.run(3.5)
    assert len(town.seen(AgentOffered)) == 2
    ana.hang_up()


def test_a_mailbox_at_the_far_end_does_not_take_the_call(town_of):
    town = town_of({"number": MOBILE, "confirm": True}, max_wait_s=4, overflow="mailbox 101")
    ana = town.phone("101")
    ana.dial("500")
    town.run(1)
    town.carrier.answer()
    town.run(8)
    assert town.last(QueueLeft).outcome == "overflow"
    ana.hang_up()
    town.run(1)
    assert town.last(CallRecordWritten).disposition == "VOICEMAIL"


def test_one_device_rings_and_its_user_is_busy(town_of):
    town = town_of({"device": "101a"})
    desk, mobile, ben = town.phone("101"), town.phone("101a"), town.phone("102")
    ben.dial("500")
    town.run(1)
    assert (desk.talks, mobile.talk.state) == ([], "ringing")
    mobile.answer()
    town.run(1)
    assert town.last(QueueLeft).agent == "101a"
    ben.hang_up()
    town.run(1)
    assert [finished.agent for finished in town.seen(AgentFinished)] == ["101a"]


def test_an_agent_who_logs_in_is_offered_who_waits(town_of):
    """H04, H12: the record of `why` says what the queue does."""
    town = town_of({"extension": 102, "available": False})
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(2)
    assert ben.talks == []
    assert "logged out" in town.switch.why(Asked("500", caller_extension="103"), town.now).to_json()

    assert town.switch.set_agent_status("102", AgentStatus.ONE_CALL, town.now) == ("500",)
    town.run(1)
    ben.answer()
    town.run(1)
    assert [event.status for event in town.seen(AgentStatusChanged)] == ["one call", "logged out"]
    assert "logged out" in town.switch.why(Asked("500", caller_extension="103"), town.now).to_json()
    ana.hang_up()


def test_an_agent_logs_in_and_out_by_code_and_an_open_call_goes_on(town_of):
    """H12: the same state as by command."""
    town = town_of({"extension": 102, "available": False, "max_calls": 2})
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    ben.dial("*88")
    town.run(4)
    assert ben.talks[0].state == "over"
    assert "prompt:agent-available" in ben.heard
    record = town.last(CallRecordWritten)
    assert (record.dialled, record.answered_by, record.disposition) == ("*88", "*88", "ANSWERED")
    ben.answer()
    town.run(1)
    ben.dial("*89")
    town.run(3)
    assert [event.status for event in town.seen(AgentStatusChanged)] == ["available", "logged out"]
    assert ana.talk.state == "up"
    ana.hang_up()


def test_a_code_is_for_agents_and_for_the_one_who_dials_it(town_of):
    town = town_of({"extension": 102})
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("*89")
    town.run(3)
    assert "prompt:agent-of-no-queue" in ana.heard
    assert [(used.code, used.done) for used in town.seen(FeatureUsed)] == [("*89", False)]
    outside = town.carrier.dial("*89")
    town.run(1)
    assert (outside.state, outside.status) == ("over", 404)
    ana.dial("102")
    town.run(1)
    ben.answer()
    town.run(1)
    ana.refer(f"sip:*89@{DOMAIN}")  # would log Ben out
    town.run(3)
    assert (ben.talk.state, town.seen(AgentStatusChanged)) == ("up", [])
    ana.hang_up()


def test_an_agent_is_logged_out_by_a_miss_and_only_in_that_queue(town_of):
    town = town_of({"extension": 102}, logout_after_miss=True)
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("500")
    town.run(10)
    assert (len(ben.talks), town.last(AgentStatusChanged).status) == (1, "logged out")
    assert town.switch.set_agent_status("102", AgentStatus.LUNCH, town.now, "501") == ()
    assert town.switch.set_agent_status("109", AgentStatus.LUNCH, town.now) == ()
    ana.hang_up()


def test_the_figures_of_a_busy_hour_equal_those_counted_from_its_events(town_of):
    """Callers who are served, held, give up, are refused or overflow, in an order from one seed."""
    chance = Random(611)
    town = town_of({"extension": 102, "wrap_up_s": 3}, {"number": MOBILE, "confirm": True}, max_wait_s=12,
                   max_callers=1, overflow="mailbox 101", unavailable="user 103")  # fmt: skip
    told = Statistics(town.switch.directory, town.now)
    town.bus.subscribe(lambda stamped: told.take(stamped.event, stamped.at))
    town.phone("103")
    callers, ben = [town.phone("101"), town.phone("101a"), town.phone("104")], town.phone("102")
    for _ in range(100):
        act = chance.choice(("call", "call", "answer", "answer", "press", "hang up", "agent leaves", "wait", "wait"))
        caller = chance.choice(callers)
        busy = bool(caller.talks) and caller.talk.state != "over"
        if act == "call" and not busy:
            caller.dial("500")
        if act == "hang up" and busy:
            caller.hang_up()
        if act == "answer" and ben.talks and ben.talk.state == "ringing":
            ben.answer()
        if act == "answer" and town.carrier.talks and town.carrier.talk.state == "ringing":
            town.carrier.answer()
        if act == "press" and town.carrier.talks and town.carrier.talk.state == "up":
            town.carrier.press("1")
        if act == "agent leaves" and ben.talks and ben.talk.state == "up":
            ben.hang_up()
        town.run(chance.uniform(0.5, 6))
    for caller in callers:
        if caller.talks and caller.talk.state != "over":
            caller.hang_up()
    town.run(5)

    raw = [stamped for stamped in town.bus.since(0) if stamped.event.kind.split(".")[0] in FOLDED]
    lines = [(stamped.at.mono, stamped.event.kind, fields(stamped.event)) for stamped in raw]
    have = asdict(told.queues["500"])
    assert have == pytest.approx(figures(lines, "500"))
    assert min(have[name] for name in ("answered", "abandoned", "voicemailed", "forwarded", "finished")) > 0
    assert told.live() == 0


@pytest.mark.parametrize("transfer", ["blind", "attended"])
def test_a_caller_passed_on_to_another_agent_is_counted_as_assisted(town_of, transfer):
    town = town_of({"extension": 102}, {"extension": 103, "available": False})
    told = Statistics(town.switch.directory, town.now)
    town.bus.subscribe(lambda stamped: told.take(stamped.event, stamped.at))
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("500")
    town.run(1)
    ben.answer()
    town.run(1)
    if transfer == "blind":
        ben.refer(f"sip:103@{DOMAIN}")
        cleo.answer()
    else:
        first = ben.talk
        ben.dial("103")
        town.run(1)
        cleo.answer()
        town.run(1)
        ben.refer_into(ben.talk, first)
    town.run(2)
    assert town.last(CallTransferred).transfer == transfer
    assert (ana.heard[-1], cleo.heard[-1]) == ("signature:103", "signature:101")
    assert (told.queues["500"].assisted, told.agents(town.now)["500", "102"].assisted) == (1, 1)
    ana.hang_up()
    town.run(2)
    assert (told.queues["500"].finished, told.live()) == (1, 0)
