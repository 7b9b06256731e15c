"""`use: fragment`: the steps of a fragment stand here."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step
from test_plans.verdicts import StepFailed

VERB = "use"
ARGUMENTS: frozenset[str] = frozenset()
NESTS = True


def nested(context: Context, step: Step) -> Sequence[Sequence[Step]]:
    """Return the steps to run one after another."""
    name = str(step.arguments["use"])
    if name not in context.plan.fragments:
        raise StepFailed(f"there is no fragment {name!r}: {', '.join(context.plan.fragments) or 'none at all'}")
    return [context.plan.fragments[name]]


def run(context: Context, step: Step) -> Script[str]:
    return ""
    yield  # a script; the runner plays what `nested` names
