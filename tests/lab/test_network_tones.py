"""What an exchange outside says by a tone is told as an event, which a plan may expect."""

from __future__ import annotations

import pytest

from lab.rehearsal import rehearse, virtual_world
from lab.seeds.load import load_seed
from pbx.events import CallRecordWritten, MediaTone
from test_plans.plan import read_plan
from test_plans.runner import VERBS

SEED = load_seed()
CASE = """
  - id: {name}
    title: An exchange plays {tone}
    steps:
      - do: caller.dial
        to: $outside.{number}
      - expect: call.early
      - expect: rtp.tone
        where: {{tone: {tone}, device: "1416555018*"}}
        within: 4s
      - expect: call.ended
        within: 12s
"""
TONES = {
    "busy_tone": "busy",
    "reorder_tone": "reorder",
    "intercepted": "sit-intercept",
    "vacant_code": "sit-vacant",
    "reorder_announced": "sit-reorder",
    "no_circuit": "sit-no-circuit",
}
NUMBERS = [f"1416555018{at}" for at in range(len(TONES))]
PLAN = """
plan: 1
id: network-tones
title: Tones of the network
roles:
  caller: {can: [dial, hangup]}
cases:
""" + "".join(
    CASE.format(name=f"T{at:02}", number=number, tone=tone) for at, (number, tone) in enumerate(TONES.items())
)


def test_every_tone_of_the_network_is_recognised_where_a_plan_expects_it():
    world = virtual_world(SEED, 1)
    tones: list[MediaTone] = []
    ends: list[CallRecordWritten] = []
    world.bus.subscribe(lambda stamped: tones.append(stamped.event), [MediaTone])  # type: ignore[arg-type]
    world.bus.subscribe(lambda stamped: ends.append(stamped.event), [CallRecordWritten])  # type: ignore[arg-type]
    result = rehearse(read_plan(PLAN, "network-tones.yaml", VERBS), SEED, world=world)
    assert {case.case: (case.verdict, case.reason) for case in result.cases} == dict.fromkeys(
        (f"T{at:02}" for at in range(len(TONES))), ("passed", "")
    )
    assert sorted((event.device, event.tone) for event in tones) == list(zip(NUMBERS, TONES.values(), strict=True))
    assert [end.talk_s for end in ends] == [0.0] * len(TONES)


@pytest.mark.parametrize("number", ["14165550190", "14165550194"])
def test_what_answers_is_no_exchange(number):
    """A voice is none; a test tone is told as what it is."""
    world = virtual_world(SEED, 1)
    tones: list[MediaTone] = []
    world.bus.subscribe(lambda stamped: tones.append(stamped.event), [MediaTone])  # type: ignore[arg-type]
    assert world.boot_all()
    phone = world.phone("101")
    line = world.line("101")
    world.press(phone, lambda: line.dial(number, world.clockwork.mono))
    world.run(8.0)
    assert {event.tone for event in tones} == ({"milliwatt"} if number.endswith("4") else set())
