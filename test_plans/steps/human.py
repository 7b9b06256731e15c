"""`human: text`: a person does it. `done_when` is ticked by observation; without an operator the step is blocked."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step
from test_plans.verdicts import StepBlocked

VERB = "human"
ARGUMENTS = frozenset({"role", "done_when", "ask", "timeout"})
WITNESS = "attested"


def run(context: Context, step: Step) -> Script[str]:
    raise StepBlocked(f"needs a person: {context.value(step.arguments['human'])}")
    yield  # a script, though nobody is there to wait for
