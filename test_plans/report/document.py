"""A run as one JSON document: every report is made of it, and a run leaves it line by line while it goes on.

What depends on the clock of the machine stands under names that end in `_wall`; the rest is the same for equal seeds in
virtual time. `schema.py` publishes its shape; `VERSION` counts when a reader would no longer understand it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pbx.events import DigitReceived, MediaQuality, MediaReport, SipRequest, SipResponse, Stamped
from test_plans.expectations import describe
from test_plans.report import ladder
from test_plans.verdicts import ATTESTED, ERROR, FAILED, GOOD, CaseResult, RunResult, StepResult

VERSION = 2
Document = dict[str, Any]
COMPLETE, INTERRUPTED = "complete", "interrupted"
_FIGURES = ("codec", "received", "sent", "lost", "jitter_ms", "mos", "seconds", "round_trip_ms", "far_lost",
            "encrypted", "dscp")  # fmt: skip


def document(result: RunResult) -> Document:
    """Return the whole run."""
    return {**head(result), **end(result), "cases": [case_document(case) for case in result.cases]}


def head(result: RunResult) -> Document:
    """What is known of a run before its first case."""
    return {
        "version": VERSION,
        "product": result.product,
        "plan": result.plan,
        "title": result.title,
        "plan_sha256": result.plan_sha256,
        "domain": result.domain,
        "world": "virtual" if result.virtual else "real",
        "seed": result.seed,
        "tester": result.tester,
        "started_lab": result.started.wall.isoformat() if result.started is not None else "",
        "began_wall": result.began_wall,
        "later": dict(sorted(result.later.items())),
    }


def end(result: RunResult) -> Document:
    """What is known after its last."""
    return {
        "state": INTERRUPTED if result.interrupted else COMPLETE,
        "interrupted": result.interrupted,
        "seconds": result.seconds,
        "ended_wall": result.ended_wall,
        "leaks": dict(sorted(result.leaks.items())),
        "devices": {name: asdict(seen) for name, seen in sorted(result.devices.items())},
    }


def case_document(case: CaseResult) -> Document:
    """Return a case with its steps, what came while each was taken, its ladder, its sound and its evidence."""
    began = case.started.mono if case.started is not None else 0.0
    rows = ladder.rows(sorted((s for s in case.events if not _is_keepalive(s.event)), key=lambda s: s.seq))
    return {
        "id": case.case,
        "title": case.title,
        "severity": case.severity,
        "verdict": case.verdict,
        "over": case.over,
        "reason": case.reason,
        "attested": any(step.witness == ATTESTED for step in case.steps),
        "binding": case.binding,
        "families": case.families,
        "seconds": case.seconds,
        "started_lab": case.started.wall.isoformat() if case.started is not None else "",
        "attempts": case.attempts,
        "earlier": list(case.earlier),
        "records": [
            {"call": call, "record": json.loads(after), "equal": before == after}
            for call, before, after in case.records
        ],
        "steps": [_step(step, case.events, began) for step in case.steps],
        "ladder": [
            [round(row.at_s, 3), row.source, row.target, row.caption, row.kind, row.repeats, row.text] for row in rows
        ],
        "sound": [
            {"device": s.event.device or s.event.leg, **{name: getattr(s.event, name) for name in _FIGURES}}
            for s in case.events
            if isinstance(s.event, MediaReport) and s.event.received
        ],
        "quality": [
            [round(s.at.mono - began, 3), s.event.device or s.event.leg, s.event.lost, s.event.jitter_ms, s.event.mos]
            for s in case.events
            if isinstance(s.event, MediaQuality)
        ],
        "evidence": [asdict(exhibit) for exhibit in case.evidence],
        "problems": list(case.problems),
    }


def results(it: Document) -> str:
    """Return the document as canonical JSON."""
    return json.dumps(it, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def exit_code(it: Document) -> int:
    """0 passed, 1 failed, 5 incomplete (console.md 5.3)."""
    verdicts = {case["verdict"] for case in it["cases"]}
    if verdicts & {FAILED, ERROR} or it["leaks"]:
        return 1
    return 0 if is_passed(it) else 5


def is_passed(it: Document) -> bool:
    return it["state"] == COMPLETE and not it["leaks"] and all(case["verdict"] in GOOD for case in it["cases"])


def _step(step: StepResult, events: list[Stamped], began: float) -> Document:
    came = sorted(events[slice(*step.evidence)], key=lambda s: s.seq)
    return {
        "text": step.text,
        "verdict": step.verdict,
        "line": step.line,
        "seconds": step.took_s,
        "detail": step.detail,
        "seen": list(step.seen),
        "witness": step.witness,
        "events": [[round(stamped.at.mono - began, 3), in_words(stamped)] for stamped in came],
    }


def in_words(stamped: Stamped) -> str:
    """Return an event as one line; a key that was pressed may be part of a PIN and is not told."""
    event = stamped.event
    match event:
        case SipRequest() | SipResponse():
            way = "from" if event.direction == "in" else "to"
            return f"{event.text.split(chr(13), 1)[0]} {way} {event.device or event.address}"
        case DigitReceived():
            return f"{event.kind} call={event.call} leg={event.leg} device={event.device} method={event.method}"
        case _:
            return describe(stamped)


def _is_keepalive(event: object) -> bool:
    return isinstance(event, SipRequest | SipResponse) and event.method in ("OPTIONS", "SUBSCRIBE")
