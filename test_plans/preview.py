"""What a run would do: who is bound to what, and the steps, before anything is touched (`run --dry-run`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from test_plans.bench import BenchDevice
from test_plans.binding import bind, missing, spread
from test_plans.model import Case, Plan


def preview(
    plan: Plan, devices: Sequence[BenchDevice], *, seed: int = 0, only: Callable[[Case], bool] = lambda case: True
) -> Iterator[str]:
    """Yield the lines of a timeline, as if each case were run by itself on devices that are all idle."""
    ready = [device for device in devices if device.registered]
    used: Counter[str] = Counter()
    for case in spread(plan, devices).cases:
        if not only(case):
            continue
        bound = bind(case.roles, ready, used, seed)
        if bound is None:
            yield f" ▣ {case.id:<18} {case.title}  blocked: {missing(case.roles, ready)}"
            continue
        used.update(device.id for device in bound.values())
        names = ", ".join(f"{role} {device.id}" for role, device in sorted(bound.items()))
        yield f" · {case.id:<18} {case.title}  [{names}]  at most {case.timeout_s:g} s"
        yield from (f"     {step.line:>4}  {step.text()}" for step in case.steps)
