"""`expect_none: [event, …]`, `for:` a while: none of them comes (since the last expectation met)."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.expectations import describe, matches
from test_plans.plan import Step, seconds
from test_plans.steps.expect_all import wanted
from test_plans.verdicts import StepFailed

VERB = "expect_none"
ARGUMENTS = frozenset({"for", "where", "from"})


def run(context: Context, step: Step) -> Script[str]:
    entries = wanted(context, step.arguments["expect_none"])
    shared = context.where(step.arguments.get("where"))
    mark = context.marks[str(step.arguments["from"])] if "from" in step.arguments else context.cursor

    forbidden = [(kind, {**shared, **where}) for kind, where in entries]
    found = context.matching(lambda event: any(matches(event, kind, where) for kind, where in forbidden), mark)
    lasting = seconds(step.arguments.get("for", "0s"))
    if (yield from context.until(lambda: bool(found()), lasting, lasting)):
        raise StepFailed("what must not come has come", (describe(context.events[found()[0]]),))
    return ""
