"""JSON results, versioned; what depends on the wall clock stands under names that end in `_wall`."""

from __future__ import annotations

import json

from test_plans.expectations import describe
from test_plans.verdicts import FAILED, RunResult

VERSION = 1


def results(result: RunResult) -> str:
    """Return the run as canonical JSON: in virtual time, equal but for the `_wall` names for equal seeds."""
    started = result.started.wall.isoformat() if result.started is not None else ""
    document = {
        "version": VERSION,
        "plan": result.plan,
        "title": result.title,
        "domain": result.domain,
        "world": "virtual" if result.virtual else "real",
        "seed": result.seed,
        "seconds": result.seconds,
        "started_wall": started,
        "leaks": result.leaks,
        "later": dict(result.later),
        "cases": [
            {
                "id": case.case,
                "title": case.title,
                "severity": case.severity,
                "verdict": case.verdict,
                "reason": case.reason,
                "binding": case.binding,
                "families": case.families,
                "seconds": case.seconds,
                "attempts": case.attempts,
                "records_equal": all(before == after for _, before, after in case.records),
                "records": len(case.records),
                "steps": [
                    {
                        "text": step.text,
                        "verdict": step.verdict,
                        "line": step.line,
                        "seconds": step.took_s,
                        "detail": step.detail,
                        "seen": list(step.seen),
                        "witness": step.witness,
                    }
                    for step in case.steps
                ],
                "events": [describe(stamped) for stamped in case.events] if case.verdict == FAILED else [],
            }
            for case in result.cases
        ],
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
