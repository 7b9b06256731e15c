"""Queue statistics: the definitions one by one, and any stream of events against an oracle that counts it anew."""

from dataclasses import asdict
from datetime import UTC, datetime
from random import Random

import pytest

from pbx import events as e
from pbx.clock import moment_at
from pbx.domain.directory import Directory
from pbx.statistics import Statistics
from tests.statistics_oracle import figures

EPOCH = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
STREAMS = 300
OFFICE = Directory.model_validate({
    "domain": {"name": "acme.lab", "area_code": "416", "caller_id": 14165550100},
    "users": [{"extension": 101, "first_name": "Ana"}, {"extension": 102, "first_name": "Ben"}],
    "queues": [{"extension": 500, "name": "Care", "agents": [
        {"extension": 101}, {"extension": 102, "available": False}]}],
})  # fmt: skip


def at(seconds):
    return moment_at(seconds, EPOCH)


def counted(*timed):
    """Take (seconds, event)s."""
    made = Statistics(OFFICE, at(0))
    for seconds, event in timed:
        made.take(event, at(seconds))
    return made


def joined(call="c", queue="500"):
    return e.QueueJoined(call, queue, 1)


def left(outcome, waited_s=0.0, call="c", queue="500", agent=""):
    return e.QueueLeft(call, queue, outcome, agent, waited_s)


def ended(call="c"):
    return e.CallEnded(call, "", "", "", "500", 16, 0.0)


def invited(call="c"):
    return e.LegInvited(call, f"{call}.1", "102", "102", "", "", "", "x")


def test_a_served_caller_is_waiting_talk_hold_and_wrap_up():
    made = counted(
        (0, joined()), (5, e.AgentOffered("c", "500", "101", 1)), (12, left("answered", 12.0, agent="101")),
        (20, e.CallHeld("c", "c.1", "101")), (30, e.CallResumed("c", "c.1", "101")),
        (60, e.AgentFinished("c", "500", "101", 15.0)), (60, ended()),
    )  # fmt: skip
    it = made.queues["500"]
    assert (it.total, it.presented, it.answered, it.in_time, it.finished) == (1, 1, 1, 1, 1)
    assert (it.average_wait_s, it.average_talk_s, it.average_hold_s, it.average_wrap_up_s) == (12, 38, 10, 15)
    assert it.average_handling_s == 63
    agent = made.agents(at(100))["500", "101"]
    assert (agent.offered, agent.answered, agent.talk_s, agent.hold_s, agent.wrap_up_s) == (1, 1, 38, 10, 15)
    assert made.live() == 0


def test_who_hangs_up_within_ten_seconds_is_left_out_of_the_adjusted_figures():
    made = counted(
        (0, joined("a")), (9, left("abandoned", 9.9, "a")), (9, ended("a")),
        (9, joined("b")), (30, left("abandoned", 10.0, "b")), (30, ended("b")),
        (30, joined("c")), (50, left("answered", 20.0, "c", agent="101")),
        (50, joined("d")), (80, left("answered", 20.1, "d", agent="102")),
    )  # fmt: skip
    it = made.queues["500"]
    assert (it.abandoned, it.abandoned_adjusted, it.abandon_rate, it.abandon_rate_adjusted) == (2, 1, 0.5, 1 / 3)
    assert it.service_level == pytest.approx(1 / 3)  # one of two in time, one gave up after a fair wait


@pytest.mark.parametrize("how", ["overflow", "refused"])
@pytest.mark.parametrize(
    ("then", "member"),
    [
        ((e.VoicemailGreeted("c", "101"),), "voicemailed"),
        ((invited(), e.VoicemailGreeted("c", "101")), "forwarded"),
        ((e.MenuEntered("c", "400", "main", ""),), "forwarded"),
        ((joined(queue="501"), left("abandoned", 1.0, queue="501")), "forwarded"),
        ((), "turned_away"),
    ],
)
def test_a_caller_without_an_agent_goes_to_voicemail_elsewhere_or_is_turned_away(how, then, member):
    begins = (joined(),) if how == "overflow" else ()
    made = counted(*((float(n), event) for n, event in enumerate((*begins, left(how), *then, ended()))))
    it = asdict(made.queues["500"])
    assert {name: it[name] for name in ("voicemailed", "forwarded", "turned_away")} == {
        "voicemailed": 0, "forwarded": 0, "turned_away": 0, member: 1,
    }  # fmt: skip
    assert it["total"] == 1
    assert made.live() == 0


def test_an_agents_time_is_counted_by_status():
    made = counted(
        (10, e.AgentStatusChanged("500", "101", "lunch")), (40, e.AgentStatusChanged("500", "101", "available"))
    )
    assert made.agents(at(100))["500", "101"].status_s == {"available": 70.0, "lunch": 30.0}
    assert made.agents(at(110))["500", "102"].status_s == {"logged out": 110.0}


def test_an_agent_whose_call_was_joined_with_another_finishes_there():
    made = counted(
        (0, joined()), (1, left("answered", 1.0, agent="101")), (5, ended()),
        (31, e.AgentFinished("x", "500", "101", 0.0)), (31, ended("x")),
    )  # fmt: skip
    assert (made.queues["500"].average_talk_s, made.live()) == (30, 0)


@pytest.mark.parametrize(
    ("device", "target", "assisted"),
    [
        ("101", "102", 1),
        ("101a", "102", 1),
        ("101", "102a", 1),
        ("101", "199", 0),
        ("101a", "101", 0),
        ("102", "101", 0),
    ],
)
def test_a_caller_whom_the_agent_transfers_to_another_agent_is_assisted(device, target, assisted):
    made = counted(
        (0, joined()), (1, left("answered", 1.0, agent="101")),
        (9, e.CallTransferred("c", "c.1", device, target, "blind")),
        (9, e.AgentFinished("c", "500", "101", 0.0)), (12, ended()),
    )  # fmt: skip
    assert (made.queues["500"].assisted, made.agents(at(12))["500", "101"].assisted) == (assisted, assisted)


def test_nothing_is_divided_by_nobody():
    it = counted().queues["500"]
    assert (it.abandon_rate, it.service_level, it.average_wait_s, it.average_handling_s) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(STREAMS))
def test_the_figures_equal_those_counted_from_the_raw_events(seed):
    stream = random_stream(Random(seed))
    made = counted(*stream)
    lines = [(seconds, event.kind, e.fields(event)) for seconds, event in stream]
    for queue in ("500", "501"):
        want = figures(lines, queue)
        have = asdict(made.queues[queue]) if queue in made.queues else dict.fromkeys(want, 0)
        assert have == pytest.approx(want), queue
        outcomes = ("answered", "abandoned", "voicemailed", "forwarded", "turned_away")
        assert sum(have[name] for name in outcomes) == have["total"]  # every caller has one fate
    assert made.live() == 0


def random_stream(chance):
    """Some calls, each by itself a possible one, shuffled into each other."""
    lines = [line for number in range(chance.randint(1, 8)) for line in random_call(chance, f"c-{number}")]
    return sorted(lines, key=lambda line: line[0])


def random_call(chance, call):
    now, lines = chance.uniform(0, 500), []

    def happens(event):
        nonlocal now
        lines.append((now, event))
        now += chance.choice((0.5, 3.0, chance.uniform(0.01, 40)))

    for _ in range(chance.randint(1, 3)):
        queue = chance.choice(("500", "501"))
        if chance.random() < 0.2:
            happens(left("refused", 0.0, call, queue))
        else:
            began = now
            happens(joined(call, queue))
            for round_ in range(chance.randint(0, 3)):
                happens(e.AgentOffered(call, queue, chance.choice(("101", "102")), round_ + 1))
            outcome = chance.choice(("answered", "answered", "abandoned", "overflow"))
            agent = chance.choice(("101", "102")) if outcome == "answered" else ""
            happens(left(outcome, now - began, call, queue, agent))
            if outcome == "abandoned":
                if chance.random() < 0.5:
                    happens(e.CallbackAsked(call, queue, "16135550142"))
                break
            if outcome == "answered":
                for _ in range(chance.randint(0, 6)):
                    made = chance.choice((e.CallHeld, e.CallResumed))
                    happens(made(call, f"{call}.{chance.randint(0, 1)}", ""))
                if chance.random() < 0.5:
                    who, target = chance.choice(("101", "102")), chance.choice(("101", "102", "199"))
                    happens(e.CallTransferred(call, f"{call}.1", who, target, "blind"))
                happens(e.AgentFinished(call, queue, agent, chance.choice((0.0, 5.0))))
                if chance.random() < 0.6:
                    break
        match chance.randint(0, 3):
            case 0:
                happens(e.VoicemailGreeted(call, "101"))
                break
            case 1:
                happens(invited(call))
            case 2:
                happens(e.MenuEntered(call, "400", "main", ""))
    happens(ended(call))
    return lines
