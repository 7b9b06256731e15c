"""`expect: event`: it must come, counted from the end of the expectation before (or a named step)."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.expectations import describe, matches, nearest
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "expect"
ARGUMENTS = frozenset({"where", "within", "from", "count"})


def run(context: Context, step: Step) -> Script[str]:
    kind = str(step.arguments["expect"])
    where = context.where(step.arguments.get("where"))
    within = seconds(step.arguments.get("within", context.plan.within_s))
    count = int(step.arguments.get("count", 1))
    mark = context.marks[str(step.arguments["from"])] if "from" in step.arguments else context.cursor

    found = context.matching(lambda event: matches(event, kind, where), mark)
    if not (yield from context.until(lambda: len(found()) >= count, within, within)):
        raise StepFailed(f"no {kind} within {within:g} s", nearest(context.since(mark), kind, where))
    at = found()[count - 1]
    if "from" not in step.arguments:
        context.cursor = at + 1
    return describe(context.events[at])
