"""`expect_order: [event, {event: where}, …]`: in this order, with others between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.expectations import matches, nearest
from test_plans.plan import Step, seconds
from test_plans.steps.expect_all import wanted
from test_plans.verdicts import StepFailed

VERB = "expect_order"
ARGUMENTS = frozenset({"within", "from"})


def run(context: Context, step: Step) -> Script[str]:
    entries = wanted(context, step.arguments["expect_order"])
    within = seconds(step.arguments.get("within", context.plan.within_s))
    mark = context.marks[str(step.arguments["from"])] if "from" in step.arguments else context.cursor
    met = mark
    for kind, where in entries:

        def found(kind: str = kind, where: Mapping[str, Any] = where, start: int = met) -> int | None:
            for at in range(start, len(context.events)):
                if matches(context.events[at].event, kind, where):
                    return at
            return None

        def came(found: Callable[[], int | None] = found) -> bool:
            return found() is not None

        if not (yield from context.until(came, within, within)):
            raise StepFailed(f"no {kind} in its place within {within:g} s", nearest(context.since(met), kind, where))
        at = found()
        assert at is not None
        met = at + 1
    if "from" not in step.arguments:
        context.cursor = met
    return ""
