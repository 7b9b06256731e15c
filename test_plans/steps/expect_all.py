"""`expect_all: [event, {event: where}, …]`: all must come, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.callflow.script import Script
from test_plans.context import Context
from test_plans.expectations import matches, nearest
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "expect_all"
ARGUMENTS = frozenset({"within", "from"})


def wanted(context: Context, entries: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (kind, conditions) of each entry."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for entry in entries if isinstance(entries, list | tuple) else [entries]:
        if isinstance(entry, dict):
            kind, where = next(iter(entry.items()))
            found.append((str(kind), context.where(where)))
        else:
            found.append((str(entry), {}))
    return found


def run(context: Context, step: Step) -> Script[str]:
    entries = wanted(context, step.arguments["expect_all"])
    within = seconds(step.arguments.get("within", context.plan.within_s))
    mark = context.marks[str(step.arguments["from"])] if "from" in step.arguments else context.cursor

    def missing() -> list[tuple[str, Mapping[str, Any]]]:
        events = context.since(mark)
        return [(k, w) for k, w in entries if not any(matches(s.event, k, w) for s in events)]

    if not (yield from context.until(lambda: not missing(), within, within)):
        kind, where = missing()[0]
        raise StepFailed(f"no {kind} within {within:g} s", nearest(context.since(mark), kind, where))
    return ""
