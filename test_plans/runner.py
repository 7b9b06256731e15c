"""The runner: cases are scripts, devices are locks, cases with disjoint devices run side by side.

Pure like the core it watches: its owner feeds it events and moments and arms one deadline. The same code runs in
virtual and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from pbx.callflow.script import Running, Script
from pbx.catalogue import plug_ins
from pbx.clock import FOREVER
from pbx.events import CallEnded, Stamped
from test_plans.bench import Bench, BenchDevice, CannotDo
from test_plans.binding import bind, missing
from test_plans.context import Context
from test_plans.plan import Case, Plan, Step
from test_plans.verdicts import (
    BLOCKED,
    ERROR,
    FAILED,
    FLAKY,
    PASSED,
    SKIPPED,
    CaseResult,
    RunResult,
    StepBlocked,
    StepFailed,
)

STEPS = plug_ins("test_plans.steps", needs="VERB")
VERBS: dict[str, frozenset[str]] = {module.VERB: module.ARGUMENTS for module in STEPS.values()}
_BY_VERB = {module.VERB: module for module in STEPS.values()}

SETTLE_S = 6.0
"""How long after a case its calls may take to be gone; then they are a leak."""

Progress = Callable[[CaseResult, str], None]
"""Told (result, `started` or `done`)."""


class _Active:
    __slots__ = ("attempt", "case", "context", "result", "script", "until")

    def __init__(self, case: Case, context: Context, result: CaseResult, script: Running[None], until: float) -> None:
        self.case = case
        self.context = context
        self.result = result
        self.script = script
        self.until = until
        self.attempt = 1


class Runner:
    """Owns one run of a plan; `result` is complete when `done`."""

    def __init__(
        self,
        bench: Bench,
        plan: Plan,
        *,
        seed: int = 0,
        only: Callable[[Case], bool] = lambda case: True,
        side_by_side: int = 5,
        progress: Progress = lambda result, what: None,
    ) -> None:
        self._bench = bench
        self._plan = plan
        self._progress = progress
        self._width = side_by_side
        self._pending = [case for case in plan.cases if only(case)]
        self._active: list[_Active] = []
        self._used: Counter[str] = Counter()
        self._stopped = ""
        self._settling = FOREVER
        self.result = RunResult(
            plan.id, plan.title, bench.domain, bench.virtual, seed, later=plan.later, started=bench.now()
        )
        self._results = {case.id: CaseResult(case.id, case.title, case.severity) for case in self._pending}
        self.result.cases = list(self._results.values())
        self.done = False

    # --- inputs ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._advance()

    def feed(self, stamped: Stamped) -> None:
        """Take an event of the bus."""
        for active in self._active:
            if active.context.take(stamped):
                active.script.feed(stamped, self._bench.now().mono)

    def tick(self) -> None:
        now = self._bench.now().mono
        for active in self._active:
            active.script.tick(now)
        self._advance()

    @property
    def deadline(self) -> float:
        """Monotonic moment of the next `tick`."""
        if self.done:
            return FOREVER
        waits = [min(active.script.deadline, active.until) for active in self._active]
        # Devices become idle and registered without a word on the bus: look again while something waits.
        again = self._bench.now().mono + 0.1 if self._pending or not self._active else FOREVER
        return min([*waits, again], default=FOREVER)

    # --- the run --------------------------------------------------------------------------------------

    def _advance(self) -> None:
        now = self._bench.now().mono
        for active in list(self._active):
            if not active.script.done and now >= active.until:
                active.script.close()
                self._failed(active, f"not over within {active.case.timeout_s:g} s")
            if active.script.done:
                self._finish(active)
        self._begin()
        if not self._pending and not self._active and not self.done:
            self._end(now)

    def _begin(self) -> None:
        for case in list(self._pending):
            if self._stopped:
                self._pending.remove(case)
                self._results[case.id].reason = self._stopped
                continue
            if len(self._active) >= self._width or any(active.case.serial for active in self._active):
                return
            if case.serial and self._active:
                return  # it waits for its turn, and nothing overtakes it for ever
            locked = {device.id for active in self._active for device in active.context.bound.values()}
            able = [device for device in self._bench.devices() if device.registered]
            free = [device for device in able if device.id not in locked and device.idle]
            bound = bind(case.roles, free, self._used)
            if bound is None and not self._active and bind(case.roles, self._bench.devices(), {}) is None:
                self._pending.remove(case)
                result = self._results[case.id]
                result.verdict, result.reason = BLOCKED, missing(case.roles, self._bench.devices())
                self._progress(result, "done")
                continue
            if bound is None and not self._active and self._gave_up():
                self._pending.remove(case)
                result = self._results[case.id]
                result.verdict, result.reason = BLOCKED, missing(case.roles, free)
                self._progress(result, "done")
                continue
            if bound is not None:
                self._settling = FOREVER
                self._pending.remove(case)
                self._launch(case, bound)

    def _gave_up(self) -> bool:
        """Devices that must come back (after a reboot, say) get a while."""
        now = self._bench.now().mono
        if self._settling == FOREVER:
            self._settling = now + 30.0
        return now >= self._settling

    def _launch(self, case: Case, bound: dict[str, BenchDevice]) -> None:
        result = self._results[case.id]
        result.started = self._bench.now()
        result.binding = {role: device.id for role, device in sorted(bound.items())}
        result.families = {role: device.family for role, device in sorted(bound.items())}
        for device in bound.values():
            self._used[device.id] += 1
        context = Context(self._bench, self._plan, case, bound, result)
        script = Running(self._play(context, result))
        active = _Active(case, context, result, script, self._bench.now().mono + case.timeout_s)
        self._active.append(active)
        self._progress(result, "started")
        script.start(self._bench.now().mono)

    def _play(self, context: Context, result: CaseResult) -> Script[None]:
        try:
            yield from self._steps(context, context.case.steps)
            result.verdict = PASSED
        except StepFailed as failure:
            result.verdict, result.reason = FAILED, failure.what
        except StepBlocked as blocked:
            result.verdict, result.reason = BLOCKED, str(blocked)
        yield from self._clear(context, result)

    def _steps(self, context: Context, steps: Sequence[Step]) -> Script[None]:
        for step in steps:
            began = self._bench.now().mono
            module = _BY_VERB[step.verb]
            if hasattr(module, "NESTS"):
                for nested in module.nested(context, step):
                    yield from self._steps(context, nested)
                continue
            try:
                detail = yield from self._one(context, step, module)
            except StepFailed as failure:
                took = self._bench.now().mono - began
                context.note(step, FAILED, took, failure.what, failure.seen)
                raise
            except StepBlocked as blocked:
                context.note(step, BLOCKED, 0.0, str(blocked))
                raise
            context.note(
                step, PASSED, self._bench.now().mono - began, detail, witness=getattr(module, "WITNESS", "observed")
            )

    def _one(self, context: Context, step: Step, module: object) -> Script[str]:
        detail: str = yield from module.run(context, step)  # type: ignore[attr-defined]
        return detail

    def _clear(self, context: Context, result: CaseResult) -> Script[None]:
        """Leave nothing behind: what still talks is hung up; what is still there after a while is a leak."""
        for device in context.bound.values():
            if not device.idle:
                try:
                    device.do("hangup")
                except CannotDo:
                    continue

        def settled() -> bool:
            ended = {s.event.call for s in context.events if isinstance(s.event, CallEnded)}
            return context.calls <= ended and all(device.idle for device in context.bound.values())

        if not (yield from context.until(settled, SETTLE_S)) and result.verdict == PASSED:
            ended = {s.event.call for s in context.events if isinstance(s.event, CallEnded)}
            busy = [device.label for device in context.bound.values() if not device.idle]
            result.verdict = FAILED
            result.reason = f"leak: calls {sorted(context.calls - ended)} and devices {busy} are not idle"

    def _finish(self, active: _Active) -> None:
        self._active.remove(active)
        context, result = active.context, active.result
        if context.faults and result.verdict == PASSED:
            result.verdict, result.reason = FAILED, f"the server reported a fault: {context.faults[0]}"
        unequal = [call for call, before, after in result.records if before != after]
        if unequal and result.verdict == PASSED:
            result.verdict = FAILED
            result.reason = f"the decision record of {unequal[0]} is not what `why` said before"
        result.events = context.events
        began = result.started
        result.seconds = round(self._bench.now().mono - began.mono, 3) if began is not None else 0.0
        if result.verdict == FAILED and result.attempts <= active.case.retries:
            result.attempts += 1
            result.steps.clear()
            result.records.clear()
            self._pending.insert(0, active.case)
            return
        if result.verdict == PASSED and result.attempts > 1:
            result.verdict = FLAKY
        if result.verdict in (FAILED, ERROR) and active.case.severity == "blocker":
            self._stopped = f"blocker {active.case.id} failed"
        self._progress(result, "done")

    def _failed(self, active: _Active, reason: str) -> None:
        active.result.verdict, active.result.reason = FAILED, reason
        for device in active.context.bound.values():
            if not device.idle:
                try:
                    device.do("hangup")
                except CannotDo:
                    continue

    def _end(self, now: float) -> None:
        """The whole bench must be as empty as before."""
        left = {name: count for name, count in self._bench.live().items() if count}
        if left and self._settling == FOREVER:
            self._settling = now + SETTLE_S
        if left and now < self._settling:
            return
        self.result.leaks = left
        for result in self._results.values():
            if result.verdict == SKIPPED and not result.reason:
                result.reason = "not run"
        started = self.result.started
        self.result.seconds = round(now - started.mono, 3) if started is not None else 0.0
        self.done = True
