"""A summary for the page of a CI job: verdicts by group, and what did not pass with its reason."""

from __future__ import annotations

from collections import Counter

from test_plans.report.document import Document, is_passed
from test_plans.report.words import GLYPHS, VERDICTS, by_group
from test_plans.verdicts import FLAKY, GOOD


def markdown(it: Document) -> str:
    """Return the document (GitHub's flavour); what a plan or a phone wrote is escaped."""
    verdict = "passed" if is_passed(it) else "not passed"
    lines = [
        f"## {_text(it['title'])}: {verdict}",
        "",
        f"`{_code(it['plan'])}` on `{_code(it['domain'])}`, {it['world']} time, seed {it['seed']}, "
        f"{it['seconds']:.1f} s",
        "",
    ]
    if it["interrupted"]:
        lines += [f"**Interrupted**: {_text(it['interrupted'])}", ""]
    counted = Counter(case["verdict"] for case in it["cases"])
    found = [name for name in VERDICTS if counted[name]]
    lines += [f"| group | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for group, cases in by_group(it["cases"]):
        inside = Counter(case["verdict"] for case in cases)
        lines.append(f"| {group} | {' | '.join(str(inside[name] or '') for name in found)} |")
    lines.append(f"| **all** | {' | '.join(f'**{counted[name]}**' for name in found)} |")
    attested = sum(case["attested"] for case in it["cases"])
    if attested:
        lines += ["", f"{attested} case{'s'[: attested != 1]} rest in part on what a person attested."]
    told = [case for case in it["cases"] if case["verdict"] not in GOOD or case["verdict"] == FLAKY]
    if told:
        lines += ["", "| case | verdict | reason |", "|---|---|---|"]
        lines += [
            f"| {_text(c['id'])} {_text(c['title'])} | {GLYPHS[c['verdict']]} {c['verdict']} | "
            f"{_text('; '.join([c['reason'], *c['earlier']]))} |"
            for c in told
        ]
    if it["leaks"]:
        lines += [
            "",
            "Left over at the end: " + ", ".join(f"{count} {_text(name)}" for name, count in it["leaks"].items()),
        ]
    return "\n".join(lines) + "\n"


def _text(words: str) -> str:
    """Words as words: neither markup nor the end of a cell."""
    for sign in "\\`*_{}[]<>|#":
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())


def _code(words: str) -> str:
    return words.replace("`", "'")
