"""The runner: cases are scripts, devices are locks, cases with disjoint devices run side by side.

Pure like the core it watches: its owner feeds it events and moments and arms one deadline. The same code runs in
virtual and in real time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pbx.callflow.script import Running
from pbx.clock import FOREVER
from pbx.events import DeviceUnregistered, DirectoryChanged, OverloadBegan, OverloadEnded, RegistrationExpired, Stamped
from test_plans.bench import Bench, BenchDevice, CannotDo
from test_plans.binding import Roster, bind, missing, spread
from test_plans.context import Context
from test_plans.model import Case, Plan, flat
from test_plans.playing import SETTLE_S, VERBS, after, people_s, play
from test_plans.verdicts import (
    BLOCKED,
    ERROR,
    FAILED,
    FLAKY,
    GOOD,
    PASSED,
    SKIPPED,
    WARNED,
    CaseResult,
    RunResult,
)

__all__ = ["GO", "LEAVE_OUT", "STOP", "VERBS", "Progress", "Runner"]

AFTER_S = 30.0
"""How long teardown and clearing up may take, and how long a device may take to come back."""
MOST_SPOILT = 2
"""A machine with too much to do is waited for; a case that it spoils that often, and once more, is blocked."""
_LOOK_S = 0.25
"""Devices become idle and registered without a word on the bus: how often to look."""

Progress = Callable[[CaseResult, str], None]
"""Told (result, `started` or `done`); an attempt that is made again is told as `again` in between."""

_LEAVING = frozenset({"reboot", "reset", "leave", "register", "be"})
"""Actions of devices after which a registration may go."""

_KEEPING = frozenset({"empty_mailbox", "dnd", "mail", "rule", "holiday", "agent", "count_queue", "fax", "trunk"})
"""What is done to the switch that makes no device leave."""

GO, LEAVE_OUT, STOP = "go", "skip", "stop"
"""What may become of the case that waits, where they are taken one by one."""


class _Active:
    __slots__ = ("broken_off", "case", "clearing", "context", "result", "script", "until")

    def __init__(self, case: Case, context: Context, result: CaseResult, script: Running[None], until: float) -> None:
        self.case = case
        self.context = context
        self.result = result
        self.script = script
        self.until = until
        self.broken_off = False
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
        one_by_one: bool = False,
    ) -> None:
        """`seed` decides who is bound first among those who fit equally well.

        `one_by_one`: each case waits (`waiting`) until its owner says what becomes of it (`decide`).
        """
        self._bench = bench
        plan = self._plan = spread(plan, bench.devices())
        self._seed = seed
        self._roster = Roster(bench.devices())
        self._progress = progress
        self._width = 1 if one_by_one else side_by_side
        self._one_by_one = one_by_one
        self._may_begin = ""
        """The case that was let go."""
        self.waiting: Case | None = None
        """The case that is next, where each is asked for."""
        self._pending = [case for case in plan.cases if only(case)]
        self._active: list[_Active] = []
        self._used: Counter[str] = Counter()
        self._stopped = ""
        """Why nothing more is begun."""
        self._settling = FOREVER
        self._overloaded = False
        self._spoilt: Counter[str] = Counter()
        """How often a case was taken again because the switch had turned away what it began."""
        self._look_at = 0.0
        """When to look again for devices of the cases that wait; at once after a case has ended."""
        self.result = RunResult(
            plan.id, plan.title, bench.domain, bench.virtual, seed, later=plan.later, started=bench.now(),
            plan_sha256=plan.sha256,
        )  # fmt: skip
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
        if isinstance(stamped.event, OverloadBegan | OverloadEnded):
            self._overloaded = isinstance(stamped.event, OverloadBegan)
        for active in self._active:
            if active.context.take(stamped):
                active.script.feed(stamped, self._bench.now().mono)

    def tick(self) -> None:
        now = self._bench.now().mono
        for active in self._active:
            active.script.tick(now)
        self._advance()

    def decide(self, what: str) -> None:
        """Say what becomes of the case that waits: GO, LEAVE_OUT or STOP."""
        case, self.waiting = self.waiting, None
        if case is None:
            return
        if what == STOP:
            self.stop("stopped by who took it step by step")
        elif what == LEAVE_OUT:
            self._leave_out(case, SKIPPED, "left out by who took it step by step")
        else:
            self._may_begin = case.id
        self._look_at = self._bench.now().mono

    def stop(self, reason: str) -> None:
        """Begin nothing more, and break off what goes on; its teardown is still taken. The run ends by itself then."""
        self.result.interrupted = self.result.interrupted or reason
        self._stopped = f"not begun: {reason}"
        self.waiting = None
        for active in self._active:
            if not active.clearing and not active.script.done:
                self._break_off(active, reason)
        self._look_at = self._bench.now().mono

    def abort(self, reason: str) -> None:
        """End at once: what goes on is broken off and hung up, and nothing is waited for. The result is whole."""
        self.stop(reason)
        for active in list(self._active):
            active.script.close()
            if active.result.verdict in GOOD or active.result.verdict == SKIPPED:
                active.result.verdict, active.result.reason = BLOCKED, f"broken off: {reason}"
            self._hang_up(active)
            self._finish(active)
        for case in list(self._pending):
            self._leave_out(case, SKIPPED, self._stopped)
        self._close(self._bench.now().mono, {})

    def _break_off(self, active: _Active, reason: str) -> None:
        active.script.close()
        active.broken_off = True
        active.result.verdict, active.result.reason = BLOCKED, f"broken off: {reason}"

    def _hang_up(self, active: _Active) -> None:
        for device in active.context.bound.values():
            try:
                if not device.idle:
                    device.do("hangup")
            except CannotDo:
                continue

    @property
    def deadline(self) -> float:
        """Monotonic moment of the next `tick`."""
        if self.done:
            return FOREVER
        if self.waiting is not None and not self._active:
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
            if self._overloaded and not self._bench.virtual:
                return  # what began now would be turned away, and that says nothing of it
            if len(self._active) >= self._width or any(active.case.serial for active in self._active):
                return
            if self._one_by_one and case.id != self._may_begin:
                self.waiting = case if not self._active else None
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
        result.verdict, result.reason, result.over = verdict, reason, verdict == BLOCKED
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
        active = _Active(
            case, context, result, Running(play(context)), now + case.timeout_s + people_s(case, self._plan)
        )
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
        elif result.verdict == FAILED and (gone := _gone(active)):
            result.verdict, result.reason = (
                BLOCKED,
                f"{gone} lost its registration in the middle of it: {result.reason}",
            )
        late = result.verdict == FAILED and bool(context.overloaded) and not self._bench.virtual
        if late:
            result.verdict = BLOCKED
            result.reason = (
                f"this machine had too much to do, the switch was {context.overloaded} late: {result.reason}"
            )
        result.events = context.events
        began = result.started
        result.seconds = round(self._bench.now().mono - began.mono, 3) if began is not None else 0.0
        if result.verdict == FAILED and result.attempts <= active.case.retries and not self._stopped:
            result.attempts += 1
            self._again(active)
            return
        if late and self._spoilt[active.case.id] < MOST_SPOILT and not self._stopped:
            self._spoilt[active.case.id] += 1
            self._again(active)
            return
        result.over = not active.broken_off
        if result.verdict in (PASSED, WARNED) and result.attempts > 1:
            result.verdict, result.reason = FLAKY, f"passed at attempt {result.attempts}"
        if result.verdict in (FAILED, ERROR) and active.case.severity == "blocker":
            self._stopped = f"blocker {active.case.id} failed"
        self._progress(result, "done")

    def _again(self, active: _Active) -> None:
        result = active.result
        result.earlier.append(result.reason)
        result.verdict, result.reason = SKIPPED, ""
        self._progress(result, "again")
        result.steps.clear()
        result.records.clear()
        self._pending.insert(0, active.case)

    def _end(self, now: float) -> None:
        """The whole bench must be as empty as before."""
        left = {name: count for name, count in self._bench.live().items() if count}
        if left and self._settling == FOREVER:
            self._settling = now + SETTLE_S
        if left and now < self._settling:
            return
        self._close(now, left)

    def _close(self, now: float, left: dict[str, int]) -> None:
        self.result.leaks = {} if self.result.interrupted else left  # what is broken off takes its time to be gone
        started = self.result.started
        self.result.seconds = round(now - started.mono, 3) if started is not None else 0.0
        self.done = True


def _may_make_leave(act: str) -> bool:
    who, _, action = act.rpartition(".")
    return action not in _KEEPING if who == "pbx" else action in _LEAVING


def _gone(active: _Active) -> str:
    """Name the device that left during a case whose own steps do nothing that could make it leave; else empty."""
    case, context = active.case, active.context
    plan = case.home or context.plan
    acts = (
        str(step.arguments["do"]) for step in flat((*case.steps, *case.teardown), plan.fragments) if step.verb == "do"
    )
    if any(_may_make_leave(act) for act in acts):
        return ""
    bound = {device.id: device for device in context.bound.values()}
    for stamped in context.events:
        event = stamped.event
        if isinstance(event, DeviceUnregistered | RegistrationExpired) and event.device in bound:
            return bound[event.device].label or event.device
    return ""
