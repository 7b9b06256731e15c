"""`use: fragment`: the steps of a fragment stand here."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step

VERB = "use"
ARGUMENTS: frozenset[str] = frozenset()


def nested(context: Context, step: Step) -> Sequence[Sequence[Step]]:
    """Return the steps to run one after another."""
    name = str(step.arguments["use"])
    return [context.plan.fragments[name]]


def run(context: Context, step: Step) -> Script[str]:
    return ""
    yield  # a script; the runner plays what `nested` names
