"""`repeat: 3`, `steps:`: the steps that many times."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step

VERB = "repeat"
ARGUMENTS = frozenset({"steps"})


def nested(context: Context, step: Step) -> Sequence[Sequence[Step]]:
    steps: Sequence[Step] = step.arguments.get("steps", ())
    return [steps] * int(step.arguments["repeat"])


def run(context: Context, step: Step) -> Script[str]:
    return ""
    yield  # a script; the runner plays what `nested` names
