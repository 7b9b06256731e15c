"""`note: text`: says something to whoever reads the report."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step

VERB = "note"
ARGUMENTS: frozenset[str] = frozenset()
WITNESS = "action"


def run(context: Context, step: Step) -> Script[str]:
    return str(step.arguments["note"])
    yield  # a script, though nothing is waited for
