"""Steps for people: done is what was observed, said is what was attested, and nobody there is no failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from test_plans.plan import BadPlan
from tests.test_plans.toy_office import ToyBench, ToyRequest, plan_of, run

DIAL = """\
  - id: C01
    steps:
      - human: "On {caller.model} of {caller}: dial $desk.extension"
        role: caller
        done_when: {event: call.invited, where: {role: caller, dialled: $desk.extension}}
        timeout: 30s
"""
LAMP = '  - {id: C01, steps: [{human: "Look at {desk}", role: desk, ask: "Is its lamp lit?", timeout: 30s}]}\n'


def done(cases: str, person: Callable[[ToyBench, ToyRequest], None]):
    bench = ToyBench()
    bench.person = person
    result = run(plan_of(cases), bench)
    (case,) = result.cases
    return case, bench


def test_what_a_person_does_is_ticked_by_observation():
    case, bench = done(DIAL, lambda bench, request: bench.device("11").do("dial", "12"))
    (request,) = bench.requests
    assert request.text == "On D1 of 11 <desk>: dial 12"
    assert (request.device, request.state) == ("11", "observed")
    assert case.verdict == "passed"
    (step,) = case.steps
    assert step.witness == "observed"
    assert "call.invited" in step.detail


def test_a_key_is_called_what_is_written_on_that_phone_and_by_its_common_name_where_nobody_knows():
    told = LAMP.replace("Look at {desk}", "Press {desk.keys.hold}, then {desk.keys.messages}")
    _, bench = done(told, lambda bench, request: setattr(request, "answer", "yes"))
    assert bench.requests[0].text == "Press HOLD, then Messages"


def test_a_wrong_action_is_explained_and_the_right_one_still_counts():
    seen: list[str] = []

    def wrong_first(bench: ToyBench, request: ToyRequest) -> None:
        bench.device("11").do("dial", "13")
        bench.after(2.0, lambda: (seen.append(request.seen), bench.device("11").do("hangup")))
        bench.after(4.0, lambda: bench.device("11").do("dial", "12"))

    case, _ = done(DIAL, wrong_first)
    assert case.verdict == "passed"
    assert "13" in seen[0]


def test_an_answer_is_attested_with_a_name_and_a_moment():
    def says_yes(bench: ToyBench, request: ToyRequest) -> None:
        request.answer, request.by, request.answered_at = "yes", "Ana", "2026-11-24T15:00:01"

    case, bench = done(LAMP, says_yes)
    assert bench.requests[0].question == "Is its lamp lit?"
    (step,) = case.steps
    assert (case.verdict, step.witness) == ("passed", "attested")
    assert step.detail == "Ana at 2026-11-24T15:00:01 says yes: Is its lamp lit?"


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [("no", "failed", "Ana at now says no: Is its lamp lit?"), ("skip", "blocked", "left out by Ana at now")],
)
def test_no_fails_and_skip_blocks(answer, verdict, reason):
    def says(bench: ToyBench, request: ToyRequest) -> None:
        request.answer, request.by, request.answered_at = answer, "Ana", "now"

    case, _ = done(LAMP, says)
    assert case.verdict == verdict
    assert case.reason.startswith(reason)


def test_who_walks_away_blocks_the_case_and_the_next_one_starts_clean():
    talk = "  - {id: C02, steps: [{do: caller.dial, to: $desk.extension}, {expect: call.ringing}]}\n"
    bench = ToyBench()
    bench.person = lambda bench, request: None
    result = run(plan_of(LAMP + talk), bench)
    first, second = result.cases
    assert first.verdict == "blocked"
    assert "nobody did or answered it within 30 s" in first.reason
    assert bench.requests[0].state == "withdrawn"
    assert second.verdict == "passed"


def test_both_a_deed_and_an_answer_must_come():
    both = DIAL.rstrip() + "\n        ask: Was it easy?\n"

    def says_only(bench: ToyBench, request: ToyRequest) -> None:
        request.answer, request.by, request.answered_at = "yes", "Ana", "now"

    case, _ = done(both, says_only)
    assert case.verdict == "blocked"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("{human: Press it}", "human needs `done_when`"),
        ("{human: Press it, done_when: call.upp}", "unknown event 'call.upp'"),
        ("{human: Press it, done_when: {event: call.up, where: {rol: desk}}}", "call.up has no 'rol'"),
    ],
)
def test_a_mistake_is_named(step, says):
    with pytest.raises(BadPlan) as error:
        plan_of(f"  - {{id: C01, steps: [{step}]}}\n")
    assert says in str(error.value)
