"""`human: text`: a person does it, or says what only a person can see.

`done_when` is what the switch witnesses once it is done: the step is ticked by observation, and nobody has to tell.
`ask` is a question: the answer is attested, with a name and a moment. With both, both must come. Without anybody there
the step is blocked. `fr` is the same in French: both are shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pbx.callflow.script import Script
from test_plans.bench import KEYS, BenchRequest
from test_plans.context import Context
from test_plans.expectations import describe, matches, nearest
from test_plans.needs import NAMED
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepBlocked, StepFailed

VERB = "human"
ARGUMENTS = frozenset({"role", "done_when", "ask", "timeout", "fr"})
WITNESS = "attested"
PATIENCE_S = "120s"


def run(context: Context, step: Step) -> Script[str]:
    text = "\n".join(
        _text(context, step.arguments[language]) for language in ("human", "fr") if language in step.arguments
    )
    if not context.bench.attended:
        raise StepBlocked(f"needs a person: {text}")
    device = context.device(str(step.arguments["role"])).id if "role" in step.arguments else ""
    question = _text(context, step.arguments.get("ask", ""))
    request = context.bench.ask(text, device, question)
    try:
        return (yield from _waited(context, step, request))
    finally:
        request.withdraw()


def _text(context: Context, written: object) -> str:
    """`{desk}` is what is written on its phone, `{desk.keys.hold}` on a key of it, `{desk.model}` any attribute."""

    def said(found: re.Match[str]) -> str:
        role, key, attribute = found.groups()
        if key:
            return context.device(role).key_names.get(key) or KEYS[key]
        return f"${role}.{attribute or 'label'}"

    return str(context.value(NAMED.sub(said, str(written))))


def _waited(context: Context, step: Step, request: BenchRequest) -> Script[str]:
    kind, where = _proof(context, step.arguments.get("done_when"))
    mark = context.cursor

    def seen() -> str:
        for at, stamped in enumerate(context.events[mark:], start=mark):
            if kind and matches(stamped.event, kind, where):
                context.cursor = at + 1
                return describe(stamped)
        return ""

    def over() -> bool:
        if request.answer in ("no", "skip"):
            return True
        if kind and not done:
            done.append(seen())
            if not done[-1]:
                done.clear()
                request.instead("; ".join(nearest(context.since(mark), kind, where)[:1]))
                return False
        if request.question:
            return bool(request.answer)
        request.observed()
        return True

    done: list[str] = []
    patience = seconds(step.arguments.get("timeout", PATIENCE_S))
    if not (yield from context.until(over, patience)):
        raise StepBlocked(f"nobody did or answered it within {patience:g} s: {request.text}")
    said = f"{request.by} at {request.answered_at}"
    if request.answer == "skip":
        raise StepBlocked(f"left out by {said}: {request.text}")
    if request.answer == "no":
        raise StepFailed(f"{said} says no: {request.question or request.text}")
    if not request.question:
        context.witness = "observed"
        return done[0]
    return "; ".join([*done, f"{said} says yes: {request.question}"])


def _proof(context: Context, done_when: object) -> tuple[str, Mapping[str, object]]:
    """`done_when: call.up`, or `{event: call.up, where: {…}}`."""
    if isinstance(done_when, Mapping):
        return str(done_when.get("event", "")), context.where(done_when.get("where"))
    return str(done_when or ""), {}
