"""Phones driven by the switch over SIP alone, in a virtual office: what each lets be done, and only in a run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from lab.control.command import Refused
from lab.rehearsal import booted_world, run_plan
from lab.seeds.load import load_seed
from lab.world import World
from pbx.events import PhoneControlled, PhoneObeyed
from test_plans.plan import BadPlan, read_plan
from test_plans.runner import VERBS
from test_plans.verdicts import CaseResult

SEED = load_seed()
CALLER, DESK = "101", "102"
PLAN = """
plan: 1
id: by-sip
title: By SIP alone
roles:
  caller: {can: [dial, hangup, hold], traits: [quiet, reception]}
  desk: {can: [answer], traits: [quiet, sales]}
defaults: {within: 5s}
cases:
  - id: C01
    title: One calls, the other answers, holds and takes back
    steps:
      - {do: caller.dial, to: $desk.extension, via: sip}
      - {expect: call.ringing, where: {role: desk}}
      - {do: desk.answer, via: sip}
      - {measure: audio, between: [caller, desk], for: 0s}
      - {do: desk.hold, via: sip}
      - {expect: call.held, where: {role: desk}}
      - {do: desk.resume, via: sip}
      - {expect: call.resumed, where: {role: desk}}
      - {do: caller.hangup, via: WAY}
      - {expect: call.ended, where: {role: caller, cause: 16}}
      - {check: cdr, where: {device: $caller.id, answered_by: $desk.extension, disposition: ANSWERED}}
"""


@pytest.fixture
def world() -> World:
    return booted_world(SEED)


def obeying(world: World, **by_device: Collection[str]) -> None:
    """Let phones be such as obey no more than that; they boot anew."""
    for name, ways in by_device.items():
        phone = world.phone(name.removeprefix("d"))
        world.power(False, [phone])
        phone.box = replace(phone.box, obeys=frozenset(ways))
        world.power(True, [phone])
    assert world.run(60, world.all_registered)


def run(world: World, plan: str) -> CaseResult:
    (case,) = run_plan(world, read_plan(plan, "by-sip", VERBS)).cases
    return case


def means(world: World) -> list[tuple[str, str]]:
    return [(event.device, event.means) for event in events(world, PhoneControlled)]


def events(world: World, kind: type) -> list:
    return [stamped.event for stamped in world.bus.since(0) if type(stamped.event) is kind]


def test_notify_and_refer_do_what_buttons_do(world: World):
    case = run(world, PLAN.replace("WAY", "soft"))
    assert (case.verdict, case.reason) == ("passed", "")
    assert means(world) == [
        (CALLER, "REFER"), (DESK, "NOTIFY talk"), (DESK, "NOTIFY hold"), (DESK, "NOTIFY talk"),
    ]  # fmt: skip
    assert {event.status for event in events(world, PhoneObeyed)} == {200, 202}


def test_uacsta_does_it_and_hangs_up_too(world: World):
    obeying(world, d101=["csta"], d102=["csta"])
    case = run(world, PLAN.replace("WAY", "sip"))
    assert (case.verdict, case.reason) == ("passed", "")
    assert [way for _, way in means(world)] == [
        "uaCSTA MakeCall", "uaCSTA AnswerCall", "uaCSTA HoldCall", "uaCSTA RetrieveCall", "uaCSTA ClearConnection",
    ]  # fmt: skip


def test_a_phone_that_takes_no_refer_is_called_and_the_number_is_called_in_its_name(world: World):
    obeying(world, d101=[])
    case = run(world, PLAN.replace("WAY", "soft"))
    assert (case.verdict, case.reason) == ("passed", "")
    assert means(world)[0] == (CALLER, "INVITE that it answers itself")


def test_a_phone_that_rings_instead_of_answering_by_itself_has_not_obeyed(world: World):
    obeying(world, d101=[])
    world.press(world.phone(CALLER), lambda: world.line(CALLER).dial("103", world.now.mono))
    assert world.run(10, lambda: world.line("103").call is not None)
    world.press(world.phone("103"), lambda: world.line("103").answer(world.now.mono))
    assert world.run(10, lambda: world.line(CALLER).call.state.value == "up")
    said: list[str] = []

    def done() -> bool:
        try:
            return world.sip_control.do(CALLER, "dial", DESK)
        except Refused as refused:
            said.append(str(refused))
            return True

    with world.sip_control.run():
        assert world.run(20, done)
    assert said == ["101 does not answer a call by itself"]
    assert world.line(DESK).call is None


def test_a_phone_that_lets_nobody_answer_for_it_says_so(world: World):
    obeying(world, d102=["refer"])
    case = run(world, PLAN.replace("WAY", "soft"))
    assert case.verdict == "failed"
    assert "102 does not let itself be told to answer" in case.steps[-1].detail
    assert [device for device, _ in means(world)] == [CALLER]


def test_outside_a_run_nothing_is_sent(world: World):
    sent = world.wire.counts.sent
    with pytest.raises(Refused, match="during test runs only"):
        world.sip_control.do(CALLER, "dial", DESK)
    assert world.sip_control.deeds(CALLER) == frozenset()
    assert (world.wire.counts.sent, means(world)) == (sent, [])


def test_a_phone_that_is_not_there_cannot_be_driven(world: World):
    world.power(False, [world.phone(CALLER)])
    world.command_switch(lambda switch, now: switch.unregister(CALLER, now))
    with world.sip_control.run(), pytest.raises(Refused, match="101 is not registered"):
        world.sip_control.do(CALLER, "dial", DESK)


def test_who_commands_twice_is_told_and_the_first_hears_what_became_of_it(world: World):
    line, heard = world.line(CALLER), []
    world.command_switch(lambda switch, now: switch.look_at_phone(DESK, now))
    world.press(world.phone(CALLER), lambda: line.dial(DESK, world.now.mono))
    assert world.run(10, lambda: world.line(DESK).call is not None)
    assert world.run(10, lambda: "answer" in world.switch.phones.deeds(DESK))
    world.run(1)
    first, second = [
        world.command_switch(lambda switch, now: switch.control_phone(DESK, "answer", "", now, heard.append))
        for _ in range(2)
    ]
    assert (first, second) == ("", "102 has not answered the talk before it yet")
    assert world.run(5, lambda: bool(heard))
    assert heard == [200]


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("{do: caller.dial, to: $desk.extension, via: telepathy}", "via is one of soft, http, sip, human"),
        ("{do: pbx.restart, via: sip}", "`via` is the way to a device"),
    ],
)
def test_a_way_there_is_not_is_told_when_the_plan_is_read(step: str, complaint: str):
    with pytest.raises(BadPlan, match=complaint):
        read_plan(PLAN.replace("{do: caller.hangup, via: WAY}", step), "by-sip", VERBS)
