"""Queue callback (H08) through the switch: the caller hangs up, the agent's phone rings first, then the caller's."""

from __future__ import annotations

from datetime import timedelta

from pbx.events import CallbackBegun, CallEnded, CallRecordWritten, LegEnded, QueueLeft
from tests.switch.town import Town, assert_at_rest, directory


def waiting():
    """Somebody outside waits in a queue whose only agent, Ben, is on the telephone with Ana."""
    base = directory()
    queues = [
        {"extension": 510, "name": "Back", "agent_ring_s": 5, "callback_hours": 0.05, "agents": [{"extension": 102}]},
    ]
    numbers = [{"number": 14165550110, "routes": [{"to": "queue 510"}]}]
    town = Town(base.replaced(queues=queues, numbers=numbers, attendants=[]))
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(0.5)
    town.carrier.dial("14165550110")
    town.run(2.0)
    return town, ana, ben


def test_the_agent_is_called_first_and_then_whoever_had_waited():
    town, ana, ben = waiting()
    assert "prompt:queue-callback-offer" in town.carrier.heard
    town.carrier.press("1")
    town.run(0.3)
    town.carrier.hang_up()
    town.run(30.0)
    assert town.switch.live()["queued"] == 1

    ana.hang_up()
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ben.answer()
    town.run(2.0)
    assert "prompt:queue-callback" in ben.heard
    town.run(11.0)
    assert town.carrier.talk.state == "ringing"
    town.carrier.answer()
    town.run(1.0)
    assert ben.heard[-1] == "signature:14165550142"
    assert town.last(CallbackBegun).agent == "102"
    left = town.last(QueueLeft)
    assert (left.outcome, left.agent) == ("answered", "102")
    town.carrier.hang_up()
    town.run(2.0)
    record = town.last(CallRecordWritten)
    assert (record.caller_number, record.disposition) == ("14165550142", "ANSWERED")
    assert_at_rest(town)


def test_a_caller_who_just_hangs_up_is_not_called_back():
    town, ana, _ = waiting()
    town.carrier.hang_up()
    town.run(1.0)
    assert town.last(QueueLeft).outcome == "abandoned"
    ana.hang_up()
    town.run(2.0)
    assert_at_rest(town)


def test_a_call_back_nobody_is_there_for_ends_when_its_hours_are_over():
    town, ana, _ = waiting()
    town.carrier.press("1")
    town.run(200.0)
    assert town.switch.live()["queued"] == 0
    assert {event.call for event in town.seen(CallEnded)} >= {town.last(QueueLeft).call}
    assert [event.leg.endswith("nobody") for event in town.seen(LegEnded)].count(True) == 0
    ana.hang_up()
    town.run(2.0)
    assert_at_rest(town)


def test_a_call_back_survives_a_restart_of_the_house():
    town, ana, ben = waiting()
    town.carrier.press("1")
    town.run(0.3)
    town.carrier.hang_up()
    town.run(10.0)
    ana.hang_up()
    ben.hang_up()
    town.restart()
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ben.answer()
    town.run(13.0)
    assert town.carrier.talk.state == "ringing"
    town.carrier.answer()
    town.run(1.0)
    assert ben.heard[-1] == "signature:14165550142"
    town.carrier.hang_up()
    town.run(2.0)
    town.restart()
    town.run(5.0)
    assert town.switch.live()["queued"] == 0, "it was kept: nobody is called back twice"
    assert_at_rest(town)


def test_a_promise_whose_time_is_over_while_the_house_is_away_is_forgotten():
    town, ana, ben = waiting()
    town.carrier.press("1")
    town.run(0.3)
    town.carrier.hang_up()
    town.run(10.0)
    ana.hang_up()
    ben.hang_up()
    town.epoch += timedelta(hours=1)
    town.restart()
    town.run(1.0)
    assert (town.switch.live()["queued"], list(town.history.callbacks())) == (0, [])
    assert_at_rest(town)
