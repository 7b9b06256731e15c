"""One HTML file that opens from a double click: no server, no script, nothing loaded; everything escaped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pbx.events import CallInvited, MediaReport, SipRequest, SipResponse, Stamped
from test_plans.expectations import describe
from test_plans.report import ladder
from test_plans.verdicts import CaseResult, RunResult, StepResult

GLYPHS = {
    "passed": "✓", "warned": "✓", "flaky": "≈", "failed": "✗", "error": "!", "blocked": "▣", "skipped": "–",
    "action": "▸",
}  # fmt: skip
GROUPS = {
    "A": "Boot and provisioning", "B": "Registration", "C": "Internal calls", "D": "Inbound numbers",
    "E": "Outbound and caller ID", "F": "Mid-call features", "G": "Auto attendant", "H": "Queues",
    "I": "Voicemail", "J": "Answering rules", "K": "611, 911, 933", "L": "Fax and ATA", "M": "Network quality",
    "N": "Resilience",
}  # fmt: skip


def html(result: RunResult, other: RunResult | None = None) -> str:
    """Return the report; `other` is the same plan in the other world, shown beside it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in result.cases:
        groups.setdefault(case.case[0], []).append(_case(case, other))
    counts: dict[str, int] = {}
    for case in result.cases:
        counts[case.verdict] = counts.get(case.verdict, 0) + 1
    return environment.get_template("report.html.j2").render(
        run=result,
        other=other,
        groups=[(key, GROUPS.get(key, key), cases) for key, cases in sorted(groups.items())],
        counts=sorted(counts.items()),
        glyphs=GLYPHS,
        passed=result.passed,
        started=result.started.wall.strftime("%Y-%m-%d %H:%M:%S UTC") if result.started is not None else "",
    )


def _case(case: CaseResult, other: RunResult | None) -> dict[str, Any]:
    calls = [s.event.call for s in case.events if isinstance(s.event, CallInvited)]
    rows = ladder.rows(sorted((s for s in case.events if not _is_keepalive(s.event)), key=lambda s: s.seq))
    reports = [s.event for s in case.events if isinstance(s.event, MediaReport) and s.event.received]
    return {
        "it": case,
        "other": other.verdicts.get(case.case, "") if other is not None else "",
        "calls": calls,
        "steps": [(step, _evidence(case, step)) for step in case.steps],
        "ladder": Markup(ladder.svg(rows, f"SIP ladder of {case.case}")) if rows else "",
        "messages": len(rows),
        "reports": reports,
        "records": [(call, json.loads(after), before == after) for call, before, after in case.records],
    }


def _evidence(case: CaseResult, step: StepResult) -> list[tuple[str, str]]:
    """What came while a step was taken: (seconds into the case, the event in words)."""
    began = case.started.mono if case.started is not None else 0.0
    came = case.events[slice(*step.evidence)]
    return [(f"{stamped.at.mono - began:.3f}", _words(stamped)) for stamped in sorted(came, key=lambda s: s.seq)]


def _words(stamped: Stamped) -> str:
    match stamped.event:
        case SipRequest(direction=direction, device=device, address=address, text=text):
            way = "from" if direction == "in" else "to"
        case SipResponse(direction=direction, device=device, address=address, text=text):
            way = "from" if direction == "in" else "to"
        case _:
            return describe(stamped)
    return f"{text.split(chr(13), 1)[0]} {way} {device or address}"


def _is_keepalive(event: object) -> bool:
    return isinstance(event, SipRequest | SipResponse) and event.method in ("OPTIONS", "SUBSCRIBE")
