"""A summary for the page of a CI job: verdicts by group, and what did not pass with its reason."""

from __future__ import annotations

from collections import Counter

from test_plans.report.html import GLYPHS, GROUPS
from test_plans.verdicts import RunResult

_ORDER = ("passed", "warned", "flaky", "failed", "error", "blocked", "skipped")


def markdown(result: RunResult) -> str:
    """Return the document (GitHub's flavour); what a plan or a phone wrote is escaped."""
    world = "virtual time" if result.virtual else "real time"
    verdict = "passed" if result.passed else "not passed"
    lines = [
        f"## {_text(result.title)}: {verdict}",
        "",
        f"`{result.plan}` on `{result.domain}`, {world}, seed {result.seed}, {result.seconds:.1f} s",
        "",
    ]
    counted = Counter(case.verdict for case in result.cases)
    found = [name for name in _ORDER if counted[name]]
    lines += [f"| group | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for group in sorted({case.case[0] for case in result.cases}):
        inside = Counter(case.verdict for case in result.cases if case.case[0] == group)
        lines.append(f"| {group} {GROUPS.get(group, '')} | {' | '.join(str(inside[name] or '') for name in found)} |")
    lines.append(f"| **all** | {' | '.join(f'**{counted[name]}**' for name in found)} |")
    bad = [case for case in result.cases if not case.good]
    if bad:
        lines += ["", "| case | verdict | reason |", "|---|---|---|"]
        lines += [
            f"| {_text(c.case)} {_text(c.title)} | {GLYPHS[c.verdict]} {c.verdict} | {_text(c.reason)} |" for c in bad
        ]
    if result.leaks:
        lines += [
            "",
            "Left over at the end: " + ", ".join(f"{count} {_text(name)}" for name, count in result.leaks.items()),
        ]
    return "\n".join(lines) + "\n"


def _text(words: str) -> str:
    """Words as words: neither markup nor the end of a cell."""
    for sign in "\\`*_{}[]<>|#":
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())
