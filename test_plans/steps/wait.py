"""`wait: 1s`: let time pass; a plan should wait for an event instead, and `plan check` says so."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.plan import Step, seconds

VERB = "wait"
ARGUMENTS = frozenset({"because"})
WITNESS = "action"


def run(context: Context, step: Step) -> Script[str]:
    yield from context.pause(seconds(step.arguments["wait"]))
    return str(step.arguments.get("because", ""))
