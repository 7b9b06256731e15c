"""A phone's own account of its calls against the switch's: agreement passes, anything else is told in both's words."""

from __future__ import annotations

import pytest

from pbx.events import CallInvited, CallRinging, CallUp, Event, LegEnded, PhoneSaid
from test_plans.accounts import disagree, in_words, of_the_phone, of_the_switch
from tests.test_plans.toy_office import ToyBench, plan_of, run

CALL = "c-0001"
SWITCH = (
    CallInvited(CALL, "c-0001.0", "11", "", "11", "12", "a"),
    CallRinging(CALL, "c-0001.1", "12", "12", "11", ""),
    CallUp(CALL, "c-0001.1", "12", "12", "11", "called"),
    CallUp(CALL, "c-0001.0", "11", "11", "11", "caller"),
    LegEnded(CALL, "c-0001.1", "12", "12", 16, "switch"),
    LegEnded(CALL, "c-0001.0", "11", "11", 16, "peer"),
)


def said(*story: str, device: str = "12") -> list[Event]:
    told = (word.partition(" ") for word in story)
    return [PhoneSaid("000000000012", device, what, "77", remote) for what, _, remote in told]


@pytest.mark.parametrize(
    ("device", "story"),
    [
        ("12", ("ringing 11", "connected 11", "ended")),
        ("12", ("registered", "ringing 11@toy.lab", "off_hook", "connected", "ended 11", "on_hook")),
        ("11", ("dialling 12", "dialling 12", "connected 12", "ended 12")),
    ],
)
def test_who_tells_the_same_story_agrees(device, story):
    assert not disagree(of_the_switch(SWITCH, device), of_the_phone(said(*story, device=device), device))


@pytest.mark.parametrize(
    "story",
    [
        (),
        ("ringing 11", "connected 11"),
        ("ringing 11", "ended"),
        ("ringing 13", "connected", "ended"),
        ("connected", "ringing 11", "ended"),
        ("ringing 11", "connected", "ended", "ringing 11"),
    ],
)
def test_who_leaves_out_adds_or_turns_round_does_not(story):
    assert disagree(of_the_switch(SWITCH, "12"), of_the_phone(said(*story), "12"))


def test_a_story_is_told_in_words():
    assert in_words(of_the_switch(SWITCH, "12")) == "ringing 11, connected, ended"
    assert in_words([]) == "nothing"


RUNG = """  - id: C01
    title: It rings
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk}}
      - {check: witness, role: desk}
"""


@pytest.mark.parametrize(
    ("story", "verdict", "reason"),
    [
        (["ringing 11"], "passed", ""),
        (["ringing 14"], "failed", "of 12 <desk> the switch says: ringing 11; the phone says: ringing 14"),
        ([], "failed", "of 12 <desk> the switch says: ringing 11; the phone says: nothing"),
    ],
)
def test_agreement_is_an_expectation(story, verdict, reason):
    bench = ToyBench()
    for event in said(*story):
        bench.after(1.0, lambda event=event: bench.publish(event))
    (case,) = run(plan_of(RUNG), bench).cases
    assert (case.verdict, case.reason) == (verdict, reason)
