"""One case, played: its steps as a script, then teardown and clearing up as another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from pbx.callflow.script import TIMED_OUT, Running, Script, Wait
from pbx.catalogue import plug_ins
from pbx.events import CallEnded, Stamped
from test_plans.bench import CannotDo
from test_plans.context import Context
from test_plans.model import CONTINUE, Case, Plan, Step, Verb, flat, seconds
from test_plans.steps.human import PATIENCE_S
from test_plans.verdicts import BLOCKED, ERROR, FAILED, PASSED, WARNED, StepBlocked, StepFailed

STEPS = plug_ins("test_plans.steps", needs="VERB")
_BY_VERB = {module.VERB: module for module in STEPS.values()}
VERBS: dict[str, Verb] = {
    name: Verb(
        module.ARGUMENTS,
        getattr(module, "KINDS", frozenset()),
        hasattr(module, "nested"),
        getattr(module, "NEEDED", {}),
    )
    for name, module in _BY_VERB.items()
}

SETTLE_S = 6.0
"""How long after a case its calls may take to be gone; then they are a leak."""
_OUR_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a mistake in a step or a bench raises: an error of this case, not the end of the run."""


def people_s(case: Case, plan: Plan) -> float:
    """Return how long the people a case asks may take, beside its own time."""
    steps = flat(case.steps, (case.home or plan).fragments)
    return sum(seconds(step.arguments.get("timeout", PATIENCE_S)) for step in steps if step.verb == "human")


def play(context: Context) -> Script[None]:
    """Take the steps of a case; the verdict stands in its result."""
    result = context.result
    result.verdict = PASSED
    try:
        yield from _steps(context, context.case.steps)
    except StepFailed as failure:
        result.verdict, result.reason = FAILED, failure.what
    except StepBlocked as blocked:
        result.verdict, result.reason = BLOCKED, str(blocked)
    except _OUR_FAULTS as fault:
        result.verdict, result.reason = ERROR, f"{type(fault).__name__}: {fault}"


def after(context: Context, alone: Callable[[], bool]) -> Script[None]:
    """Take the teardown, whatever became of the steps, then leave nothing behind."""
    result = context.result
    try:
        yield from _steps(context, context.case.teardown)
    except (StepFailed, StepBlocked, *_OUR_FAULTS) as fault:
        if result.verdict in (PASSED, WARNED):
            result.verdict, result.reason = FAILED, f"teardown: {fault}"
    yield from _clear(context, alone)


def _steps(context: Context, steps: Sequence[Step]) -> Script[None]:
    for step in steps:
        module = _BY_VERB[step.verb]
        if hasattr(module, "SIDE_BY_SIDE"):
            yield from _branches(context, module.nested(context, step))
        elif hasattr(module, "nested"):
            for nested in module.nested(context, step):
                yield from _steps(context, nested)
        else:
            yield from _step(context, step, module)


def _step(context: Context, step: Step, module: ModuleType) -> Script[None]:
    result, began = context.result, context.bench.now().mono
    context.warnings.clear()
    context.witness = ""
    try:
        detail: str = yield from module.run(context, step)
    except StepFailed as failure:
        context.note(step, FAILED, context.bench.now().mono - began, failure.what, failure.seen)
        if context.case.on_fail != CONTINUE:
            raise
        result.verdict, result.reason = FAILED, result.reason or failure.what
        return
    except StepBlocked as blocked:
        context.note(step, BLOCKED, 0.0, str(blocked))
        raise
    verdict = PASSED
    if context.warnings:
        verdict, detail = WARNED, "; ".join(context.warnings)
        if result.verdict == PASSED:
            result.verdict, result.reason = WARNED, detail
    witness = context.witness or getattr(module, "WITNESS", "observed")
    context.note(step, verdict, context.bench.now().mono - began, detail, witness=witness)


def _branches(context: Context, branches: Sequence[Sequence[Step]]) -> Script[None]:
    """Play branches side by side; each counts its expectations from where the branching began."""
    running = [Running(_steps(context, branch)) for branch in branches]
    places = [(context.cursor, context.acted_at)] * len(running)

    def resume(at: int, act: Callable[[Running[None], float], object]) -> None:
        context.cursor, context.acted_at = places[at]
        act(running[at], context.bench.now().mono)
        places[at] = context.cursor, context.acted_at

    try:
        for at in range(len(running)):
            resume(at, lambda branch, now: branch.start(now))
        while not all(branch.done for branch in running):
            rest = min(branch.deadline for branch in running) - context.bench.now().mono
            event = yield Wait(lambda event: isinstance(event, Stamped), max(rest, 0.0))
            for at in range(len(running)):
                resume(at, _given(event))
    finally:
        for branch in running:
            branch.close()
    context.cursor, context.acted_at = max(places, default=(context.cursor, context.acted_at))


def _given(event: object) -> Callable[[Running[None], float], object]:
    if event is TIMED_OUT:
        return lambda branch, now: branch.tick(now)
    return lambda branch, now: branch.feed(event, now)


def _clear(context: Context, alone: Callable[[], bool]) -> Script[None]:
    """Hang up what still talks; what is still there after a while is a leak."""
    for device in context.bound.values():
        if not device.idle:
            try:
                device.do("hangup")
            except CannotDo:
                continue

    def left() -> list[str]:
        ended = {s.event.call for s in context.events if isinstance(s.event, CallEnded)}
        found = [f"call {call}" for call in sorted(context.calls - ended)]
        found += [f"{device.label} is in a call" for device in context.bound.values() if not device.idle]
        if alone():
            found += [f"{count} {name}" for name, count in context.bench.live().items() if count]
        return found + context.left_messages()

    result = context.result
    if not (yield from context.until(lambda: not left(), SETTLE_S)) and result.verdict in (PASSED, WARNED):
        result.verdict, result.reason = FAILED, f"leak: {'; '.join(left())}"
