"""One line a case, for a terminal and for logs."""

from __future__ import annotations

from test_plans.report.document import Document
from test_plans.report.words import GLYPHS, by_group
from test_plans.verdicts import FAILED, GOOD, CaseResult


def case_line(result: CaseResult) -> str:
    """The line of a finished case; a failure says what was expected and what was seen instead."""
    bound = ", ".join(f"{role} {device}" for role, device in result.binding.items())
    lines = [f" {GLYPHS[result.verdict]} {result.case:<18} {result.title}  [{bound}]  {result.seconds:.1f} s"]
    if result.reason:
        lines.append(f"     {result.verdict}: {result.reason}")
    if result.verdict == FAILED and result.steps:
        lines += [f"     at line {result.steps[-1].line}: {result.steps[-1].text}"]
        lines += [f"     seen: {line}" for line in result.steps[-1].seen[:2]]
    return "\n".join(lines)


def summary(it: Document) -> str:
    """A few lines over everything."""
    parts = []
    for title, cases in by_group(it["cases"]):
        good = sum(case["verdict"] in GOOD for case in cases)
        glyph = "✓" if good == len(cases) else "✗"
        parts.append(f"{title} {good}/{len(cases)} {glyph}")
    lines = ["   ".join(parts[at : at + 4]) for at in range(0, len(parts), 4)]
    flaky = sum(case["verdict"] == "flaky" for case in it["cases"])
    if flaky:
        lines.append(f"flaky: {flaky} passed on retry alone")
    if it["leaks"]:
        lines.append(f"left over at the end: {it['leaks']}")
    if it["interrupted"]:
        lines.append(f"interrupted: {it['interrupted']}")
    return "\n".join(lines)
