"""`assess: site`: measure a site's network from the site; what is found must be what `finds` lists, nothing without it.

`tolerates` are findings that may be there or not. `longest` is the longest silence of the router that is tried: the
step takes that long.
"""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.bench import CannotDo
from test_plans.context import Context
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "assess"
ARGUMENTS = frozenset({"finds", "tolerates", "longest"})
_REST_S = 30.0
"""What an assessment takes beside the longest silence."""


def run(context: Context, step: Step) -> Script[str]:
    site = str(context.value(step.arguments["assess"]))
    longest = seconds(step.arguments.get("longest", "180s"))
    try:
        running = context.bench.assess(site, longest)
    except CannotDo as error:
        raise StepFailed(f"assess {site}: {error}") from error
    if not (yield from context.until(lambda: running.done, longest + _REST_S)):
        raise StepFailed(f"the assessment of {site} does not end")
    try:
        found = running.findings
    except CannotDo as error:
        raise StepFailed(f"assess {site}: {error}") from error
    wanted, tolerated = set(step.arguments.get("finds") or ()), set(step.arguments.get("tolerates") or ())
    missing, beside = wanted - found.keys(), found.keys() - wanted - tolerated
    if missing or beside:
        wrong = [f"{name} is not found" for name in sorted(missing)]
        wrong += [f"{name} is found: {found[name]}" for name in sorted(beside)]
        raise StepFailed(f"{site}: {'; '.join(wrong)}")
    return "; ".join(f"{name}: {found[name]}" for name in sorted(found)) or f"nothing is wrong at {site}"
