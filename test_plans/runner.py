"""The runner: cases are scripts, devices are locks, cases with disjoint devices run side by side.

Pure like the core it watches: its owner feeds it events and moments and arms one deadline. The same code runs in
virtual and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pbx.callflow.script import Running
from pbx.clock import FOREVER
from pbx.events import DirectoryChanged, Stamped
from test_plans.bench import Bench, BenchDevice
from test_plans.binding import Roster, bind, missing, spread
from test_plans.context import Context
from test_plans.model import Case, Plan
from test_plans.playing import SETTLE_S, VERBS, after, play
from test_plans.verdicts import BLOCKED, ERROR, FAILED, FLAKY, PASSED, SKIPPED, WARNED, CaseResult, RunResult

__all__ = ["VERBS", "Progress", "Runner"]

AFTER_S = 30.0
"""How long teardown and clearing up may take, and how long a device may take to come back."""
_LOOK_S = 0.25
"""Devices become idle and registered without a word on the bus: how often to look."""

Progress = Callable[[CaseResult, str], None]
"""Told (result, `started` or `done`)."""


class _Active:
    __slots__ = ("case", "clearing", "context", "result", "script", "until")

    def __init__(self, case: Case, context: Context, result: CaseResult, script: Running[None], until: float) -> None:
        self.case = case
        self.context = context
        self.result = result
        self.script = script
        self.until = until
        self.clearing = False
        """The steps are over; what is left is to leave nothing behind."""


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
        """`seed` decides who is bound first among those who fit equally well."""
        self._bench = bench
        plan = self._plan = spread(plan, bench.devices())
        self._seed = seed
        self._roster = Roster(bench.devices())
        self._progress = progress
        self._width = side_by_side
        self._pending = [case for case in plan.cases if only(case)]
        self._active: list[_Active] = []
        self._used: Counter[str] = Counter()
        self._stopped = ""
        self._settling = FOREVER
        self._look_at = 0.0
        """When to look again for devices of the cases that wait; at once after a case has ended."""
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
        if isinstance(stamped.event, DirectoryChanged):
            self._roster.forget()
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
        now = self._bench.now().mono
        if any(active.script.done for active in self._active):
            return now
        waits = [min(active.script.deadline, active.until) for active in self._active]
        again = max(self._look_at, now) if self._pending or not self._active else FOREVER
        return min([*waits, again], default=FOREVER)

    # --- the run --------------------------------------------------------------------------------------

    def _advance(self) -> None:
        now = self._bench.now().mono
        for active in list(self._active):
            if not active.script.done and now >= active.until:
                active.script.close()
                self._late(active)
            if active.script.done and not active.clearing:
                active.clearing, active.until = True, now + AFTER_S
                active.script = Running(after(active.context, self._alone))
                active.script.start(now)
            if active.script.done:
                self._finish(active)
                self._look_at = now
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._begin(now)
        if not self._pending and not self._active and not self.done:
            self._end(now)

    def _alone(self) -> bool:
        """What the switch holds while one case runs can only be that case's."""
        return len(self._active) == 1

    def _late(self, active: _Active) -> None:
        active.result.verdict = FAILED
        if active.clearing:
            active.result.reason = f"leak: not cleared up within {AFTER_S:g} s"
        else:
            active.result.reason = f"not over within {active.case.timeout_s:g} s"

    def _begin(self, now: float) -> None:
        locked = {device.id for active in self._active for device in active.context.bound.values()}
        devices = self._roster.devices
        known: dict[str, bool] = dict.fromkeys(locked, False)

        def is_free(device: BenchDevice) -> bool:
            if device.id not in known:
                known[device.id] = device.registered and device.idle
            return known[device.id]

        held = {name for active in self._active for name in active.case.holds}
        for case in list(self._pending):
            if self._stopped:
                self._leave_out(case, SKIPPED, self._stopped)
                continue
            if len(self._active) >= self._width or any(active.case.serial for active in self._active):
                return
            if case.serial and self._active:
                return  # it waits for its turn, and nothing overtakes it for ever
            if not held.isdisjoint(case.holds):
                continue
            bound = self._roster.bind(case.roles, is_free, self._used, self._seed)
            if bound is not None:
                self._settling = FOREVER
                self._pending.remove(case)
                held.update(case.holds)
                known.update(dict.fromkeys((device.id for device in bound.values()), False))
                self._launch(case, bound, now)
            elif not self._active and bind(case.roles, devices, {}) is None:
                self._leave_out(case, BLOCKED, missing(case.roles, devices))
            elif not self._active and self._gave_up(now):
                self._leave_out(case, BLOCKED, missing(case.roles, [device for device in devices if is_free(device)]))

    def _leave_out(self, case: Case, verdict: str, reason: str) -> None:
        self._pending.remove(case)
        result = self._results[case.id]
        result.verdict, result.reason = verdict, reason
        self._progress(result, "done")

    def _gave_up(self, now: float) -> bool:
        """Devices that must come back (after a reboot, say) get a while."""
        if self._settling == FOREVER:
            self._settling = now + AFTER_S
        return now >= self._settling

    def _launch(self, case: Case, bound: dict[str, BenchDevice], now: float) -> None:
        result = self._results[case.id]
        result.started = self._bench.now()
        result.binding = {role: device.id for role, device in sorted(bound.items())}
        result.families = {role: device.family for role, device in sorted(bound.items())}
        for device in bound.values():
            self._used[device.id] += 1
        context = Context(self._bench, case.home or self._plan, case, bound, result)
        active = _Active(case, context, result, Running(play(context)), now + case.timeout_s)
        self._active.append(active)
        self._progress(result, "started")
        active.script.start(now)

    def _finish(self, active: _Active) -> None:
        self._active.remove(active)
        context, result = active.context, active.result
        unequal = [call for call, before, after_ in result.records if before != after_]
        if result.verdict in (PASSED, WARNED) and context.faults:
            result.verdict, result.reason = FAILED, f"the server reported a fault: {context.faults[0]}"
        elif result.verdict in (PASSED, WARNED) and unequal:
            result.verdict = FAILED
            result.reason = f"the decision record of {unequal[0]} is not what `why` said before"
        result.events = context.events
        began = result.started
        result.seconds = round(self._bench.now().mono - began.mono, 3) if began is not None else 0.0
        if result.verdict == FAILED and result.attempts <= active.case.retries:
            result.attempts += 1
            result.verdict, result.reason = SKIPPED, ""
            result.steps.clear()
            result.records.clear()
            self._pending.insert(0, active.case)
            return
        if result.verdict in (PASSED, WARNED) and result.attempts > 1:
            result.verdict, result.reason = FLAKY, f"passed at attempt {result.attempts}"
        if result.verdict in (FAILED, ERROR) and active.case.severity == "blocker":
            self._stopped = f"blocker {active.case.id} failed"
        self._progress(result, "done")

    def _end(self, now: float) -> None:
        """The whole bench must be as empty as before."""
        left = {name: count for name, count in self._bench.live().items() if count}
        if left and self._settling == FOREVER:
            self._settling = now + SETTLE_S
        if left and now < self._settling:
            return
        self.result.leaks = left
        started = self.result.started
        self.result.seconds = round(now - started.mono, 3) if started is not None else 0.0
        self.done = True
