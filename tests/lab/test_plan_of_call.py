"""A call that was made becomes a plan; in the same office the plan passes, and finds what is different."""

from __future__ import annotations

import pytest

from lab.callbook import CallBook
from lab.plan_of_call import plan_of
from lab.rehearsal import booted_world, run_plan
from lab.seeds.load import load_seed
from lab.world import World
from test_plans.lint import lint
from test_plans.plan import read_plan
from test_plans.runner import VERBS

SEED = load_seed()


class Day:
    """A booted office whose calls are kept in a book."""

    def __init__(self) -> None:
        self.world: World = booted_world(SEED)
        self.book = CallBook()
        self.world.bus.subscribe(self.book.take)

    def dial(self, who: str, number: str) -> None:
        line = self.world.line(who)
        self.world.press(self.world.phone(who), lambda: line.dial(number, self.world.now.mono))
        self.world.run(1.5)

    def do(self, who: str, action: str, *arguments: str) -> None:
        line = self.world.line(who)
        self.world.press(self.world.phone(who), lambda: getattr(line, action)(*arguments, self.world.now.mono))
        self.world.run(3.0)

    def plan(self) -> str:
        self.world.run(2.0)
        return plan_of(next(iter(self.book.entries())))


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


def passes(day: Day, text: str) -> list[str]:
    """Run the plan on the same day's office; return what did not go well."""
    plan = read_plan(text, "made", VERBS)
    assert lint(plan) == []
    result = run_plan(day.world, plan)
    return [f"{case.verdict} {case.reason} {step.detail}" for case in result.cases for step in case.steps
            if not case.good]  # fmt: skip


def test_a_call_inside_with_hold_is_made_again(day: Day):
    day.dial("101", "102")
    day.do("102", "answer")
    day.do("101", "hold")
    day.do("101", "resume")
    day.do("102", "hang_up")
    text = day.plan()
    assert "do: caller.dial, to: $desk.extension" in text
    assert "do: caller.hold" in text
    assert "do: desk.hangup" in text
    assert "between: [caller, desk]" in text
    assert passes(day, text) == []


def test_keys_in_an_attendant_and_a_call_that_is_refused(day: Day):
    attendant = day.world.directory.attendants[0].extension
    day.dial("101", attendant)
    day.do("101", "press", "1")
    day.do("101", "hang_up")
    text = day.plan()
    assert "do: caller.press, keys: '1'" in text
    assert f"dialled: '{attendant}'" in text
    assert passes(day, text) == []


def test_a_call_outside_names_the_number_as_a_variable(day: Day):
    day.dial("101", "14165550190" if "14165550190" in day.world.carrier.habits else next(
        number for number, habit in day.world.carrier.habits.items() if habit.value == "answers"))  # fmt: skip
    day.world.run(3.0)
    day.do("101", "hang_up")
    text = day.plan()
    assert "where: {number: $dialled}" in text
    assert passes(day, text) == []


def test_a_plan_of_a_call_finds_what_is_different(day: Day):
    day.dial("101", "102")
    day.do("102", "answer")
    day.do("101", "hang_up")
    text = day.plan().replace("disposition: ANSWERED", "disposition: VOICEMAIL")
    assert any("call records fit" in problem for problem in passes(day, text))


def test_a_call_that_is_up_has_no_plan_yet(day: Day):
    day.dial("101", "102")
    day.do("102", "answer")
    with pytest.raises(ValueError, match="still up"):
        plan_of(next(iter(day.book.entries())))
    day.do("101", "hang_up")
