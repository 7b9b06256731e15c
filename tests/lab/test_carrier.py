from __future__ import annotations

import pytest

from lab.carrier import DeskCall, Habit
from lab.desks import SUPPORT_AGENTS
from lab.phones.calls import CallState
from lab.wire import Impairment
from tests.lab.small_network import Network


@pytest.fixture
def network() -> Network:
    return Network()


def sounds(call) -> list[str]:
    return [sensed.sound for sensed in call.heard]


def test_a_number_that_answers_is_heard_and_hears_us(network):
    call = network.call("+14165550142")
    assert call.state is CallState.UP
    assert sounds(call) == ["signature:14165550142"]
    assert sounds(network.carrier.calls_at("14165550142")[0]) == ["signature:101"]


def test_a_busy_number_answers_486(network):
    assert (network.call("+14165550144").status, network.phone.line.live_calls) == (486, [])


@pytest.mark.parametrize("number", ["+14165550145", "+12125550100", "nobody"])
def test_a_number_that_does_not_exist_answers_404(network, number):
    assert network.call(number).status == 404


def test_a_number_that_rings_out_rings_until_the_network_gives_up(network):
    call = network.call("+14165550143", 100.0)
    assert call.state is CallState.RINGING
    network.pass_time(30.0)
    assert call.status == 480


def test_a_ringing_number_stops_when_the_caller_gives_up(network):
    call = network.call("+14165550143")
    network.phone.press(lambda: network.phone.line.hang_up(network.clockwork.mono))
    network.pass_time(1.0)
    assert call.over
    assert network.carrier.live() == {"sessions": 0, "transactions": 0, "calls": 0}


def test_a_tone_number_plays_a_tone(network):
    assert sounds(network.call("+14165550146")) == ["tone:milliwatt"]


@pytest.mark.parametrize(
    ("number", "tone", "status"),
    [
        ("+14165550150", "busy", 486),
        ("+14165550151", "reorder", 503),
        ("+14165550152", "sit-intercept", 410),
        ("+14165550153", "sit-vacant", 404),
        ("+14165550154", "sit-reorder", 503),
        ("+14165550155", "sit-no-circuit", 503),
    ],
)
def test_an_exchange_says_by_a_tone_why_a_number_is_not_reached_then_lets_go(network, number, tone, status):
    call = network.call(number)
    assert (call.state, sounds(call)) == (CallState.RINGING, [f"tone:{tone}"])
    network.pass_time(8.0)
    assert (call.over, call.status) == (True, status)
    assert network.carrier.live()["calls"] == 0


def test_an_echo_number_gives_our_own_voice_back(network):
    assert sounds(network.call("+14165550147"))[-1] == "signature:101"


def test_the_emergency_desk_says_it_is_simulated_then_speaks_and_notes_the_place(network):
    network.call("emergency-911", 6.0)
    call = network.phone.line.call
    assert sounds(call) == ["prompt:emergency-simulated", "signature:emergency"]
    assert network.carrier.desk_calls == [DeskCall("emergency-911", "101", "")]


def test_the_read_back_says_the_number_it_sees(network):
    call = network.call("emergency-933", 20.0)
    assert sounds(call) == [
        "prompt:emergency-simulated",
        "prompt:your-number-is",
        "prompt:digit-1",
        "prompt:digit-0",
        "prompt:digit-1",
        "prompt:address-not-on-file",
        "signature:emergency",
    ]


def test_the_operator_asks_for_the_place_then_puts_the_caller_through(network):
    call = network.call("emergency-operator", 30.0)
    assert sounds(call) == [
        "prompt:emergency-simulated",
        "prompt:operator-answers",
        "prompt:address-not-on-file",
        "prompt:operator-asks",
        "signature:emergency",
        "prompt:operator-transfers",
        "prompt:emergency-simulated",
        "signature:emergency",
    ]
    assert [seen.desk for seen in network.carrier.desk_calls] == ["emergency-operator", "emergency-911"]


def test_whoever_presses_one_is_put_through_at_once(network):
    call = network.call("emergency-operator", 3.0)
    network.phone.press(lambda: network.phone.line.press("1", network.clockwork.mono))
    network.pass_time(6.0)
    assert "prompt:operator-transfers" in sounds(call)
    assert "prompt:operator-asks" not in sounds(call)


def test_a_public_service_says_which_one_it_is(network):
    assert sounds(network.call("service-988", 9.0)) == [
        "prompt:service-simulated",
        "prompt:digit-9",
        "prompt:digit-8",
        "signature:service",
    ]


def test_an_agent_of_the_support_answers_then_speaks(network):
    assert sounds(network.call(SUPPORT_AGENTS[0], 6.0)) == ["prompt:support-agent", "signature:support"]


def test_keys_reach_the_other_side_in_order(network):
    network.call("+14165550142")
    network.phone.press(lambda: network.phone.line.press("4160#", network.clockwork.mono))
    network.pass_time(3.0)
    assert [key.sound for key in network.carrier.calls_at("14165550142")[0].keys] == list("4160#")


def test_a_caller_from_outside_reaches_a_phone_and_both_hear(network):
    outside = network.carrier.line("14165550148")
    network.carrier.act(lambda: outside.dial("101", network.clockwork.mono), network.clockwork.mono)
    network.clockwork.settle(network.carrier_node)
    network.pass_time(1.0)
    shown = network.phone.line.call
    assert (shown.state, shown.number) == (CallState.INCOMING, "+14165550148")
    network.phone.press(lambda: network.phone.line.answer(network.clockwork.mono))
    network.pass_time(1.0)
    assert sounds(shown) == ["signature:14165550148"]
    assert sounds(outside.call) == ["signature:101"]


def test_hold_stops_the_sound_to_the_held_side_and_resume_brings_it_back(network):
    call = network.call("+14165550142")
    other = network.carrier.calls_at("14165550142")[0]
    network.phone.press(lambda: network.phone.line.hold(network.clockwork.mono))
    network.pass_time(1.0)
    assert (call.on_hold, other.held_by_peer) == (True, True)
    network.phone.press(lambda: network.phone.line.resume(network.clockwork.mono))
    network.pass_time(2.0)
    assert (call.on_hold, other.held_by_peer) == (False, False)
    assert sounds(other)[-1] == "signature:101"


def test_a_third_call_finds_the_line_busy(network):
    network.call("+14165550142")
    network.call("+14165550146")
    assert network.call("+14165550147") is None
    assert [call.on_hold for call in network.phone.line.live_calls] == [True, False]


@pytest.mark.parametrize("seed", range(8))
def test_a_call_comes_up_and_ends_on_a_wire_that_loses_a_fifth(seed):
    network = Network(seed, Impairment(0.02, 0.03, loss=0.2, duplication=0.1))
    call = network.call("+14165550142", 20.0)
    assert call.state is CallState.UP
    network.phone.press(lambda: network.phone.line.hang_up(network.clockwork.mono))
    network.pass_time(60.0)
    assert network.carrier.live() == {"sessions": 0, "transactions": 0, "calls": 0}
    assert network.phone.engine.live() == 0


def test_the_habits_can_be_asked_for(network):
    assert network.carrier.number_that(Habit.BUSY) == "14165550144"


def test_what_answers_by_itself_takes_several_callers_at_once(network):
    first = network.call("service-211", 9.0)
    second = network.call("service-211", 9.0)
    assert len(network.carrier.calls_at("service-211")) == 2
    assert sounds(first)[-1] == sounds(second)[-1] == "signature:service"
    assert network.carrier.calls_at("14165550143") == []
