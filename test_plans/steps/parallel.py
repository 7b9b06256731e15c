"""`parallel: [steps, steps, …]`: branches side by side, done when all are; each counts its expectations by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step

VERB = "parallel"
ARGUMENTS: frozenset[str] = frozenset()
SIDE_BY_SIDE = True


def nested(context: Context, step: Step) -> Sequence[Sequence[Step]]:
    branches: Sequence[Sequence[Step]] = step.arguments["parallel"]
    return branches


def run(context: Context, step: Step) -> Script[str]:
    return ""
    yield  # a script; the runner plays what `nested` names
