"""Plans: how long `plan check` takes over the deployment plan, and what the runner adds to a step, by CPU.

`python -m tests.bench.bench_plans`. The runner is measured on the toy office of its own tests, where a telephone is an
attribute and an event a list: what is left is the runner's, the matching of events and the notes for the report.
"""

from __future__ import annotations

import time

from test_plans.lint import lint
from test_plans.plan import SHIPPED, load_plan
from test_plans.runner import VERBS
from tests.bench.figures import Figure, table
from tests.test_plans.toy_office import ToyBench, plan_of, run

ROUNDS = 5
CHECKED = 200
"""Cases of the rule; the plan that is checked has more."""
TALKS = 40
_TALK = """\
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk}, within: 2s}
      - {do: desk.answer}
      - {expect: call.up, where: {role: caller}}
      - {check: idle, role: third}
      - {do: caller.hangup}
      - {expect: call.ended}
"""


def checked() -> float:
    """Return the CPU seconds in which 200 cases are read and looked over."""
    began = time.process_time()
    plan = load_plan(SHIPPED / "deployment.yaml", VERBS)
    lint(plan)
    return (time.process_time() - began) * CHECKED / len(plan.cases)


def step() -> float:
    """Return the CPU milliseconds of one step."""
    cases = "".join(f"  - id: C{at:02}\n    roles: {{third: {{}}}}\n    steps:\n{_TALK}" for at in range(TALKS))
    plan = plan_of(cases)
    began = time.process_time()
    result = run(plan, ToyBench())
    used = time.process_time() - began
    steps = sum(len(case.steps) for case in result.cases)
    assert all(case.verdict == "passed" for case in result.cases)
    assert steps == TALKS * 7
    return used / steps * 1000


def figures() -> list[Figure]:
    return [
        Figure("plans.check", f"s of CPU for {CHECKED} cases", tuple(checked() for _ in range(ROUNDS)), must=1),
        Figure("plans.step", "ms of CPU a step", tuple(step() for _ in range(ROUNDS)), must=5),
    ]


if __name__ == "__main__":
    print(table(figures()))
