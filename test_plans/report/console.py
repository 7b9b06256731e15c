"""One line a case, for a terminal and for logs."""

from __future__ import annotations

from test_plans.report.html import GLYPHS, GROUPS
from test_plans.verdicts import FAILED, CaseResult, RunResult


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


def summary(result: RunResult) -> str:
    """A few lines over everything."""
    groups: dict[str, list[str]] = {}
    for case in result.cases:
        groups.setdefault(case.case[0], []).append(case.verdict)
    parts = []
    for key, verdicts in sorted(groups.items()):
        good = sum(verdict in ("passed", "warned", "flaky") for verdict in verdicts)
        glyph = "✓" if good == len(verdicts) else "✗"
        parts.append(f"{key} {GROUPS.get(key, '')} {good}/{len(verdicts)} {glyph}")
    lines = ["   ".join(parts[at : at + 4]) for at in range(0, len(parts), 4)]
    if result.leaks:
        lines.append(f"left over at the end: {result.leaks}")
    return "\n".join(lines)
