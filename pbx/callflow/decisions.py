"""The decision record: every rule that was tried for a call, what it saw, and what came of it.

Kept by routing while it decides, never reconstructed. It holds no clock time that changes within a minute, so that
the record computed before a call (`switchroom why`) can equal the one the call then left.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

YES, NO, SKIPPED = "✓", "✗", "·"


@dataclass(frozen=True, slots=True)
class Decision:
    step: str
    """What was asked: `number`, `time frame`, `do not disturb`, …"""
    verdict: str
    """`✓` it applied, `✗` it did not, `·` it was not reached."""
    because: str
    """What it saw, in words."""
    link: str = ""
    """The object it belongs to, e.g. `users/101/rules/0`."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    question: str
    """What was asked, e.g. `102 dialled by 101`."""
    decisions: tuple[Decision, ...]
    outcome: str
    """The destination's label."""

    def to_json(self) -> str:
        """Canonical text: equal records are equal strings."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Notes:
    """Where routing writes down what it tries."""

    decisions: list[Decision] = field(default_factory=list)

    def yes(self, step: str, because: str, link: str = "") -> None:
        self.decisions.append(Decision(step, YES, because, link))

    def no(self, step: str, because: str, link: str = "") -> None:
        self.decisions.append(Decision(step, NO, because, link))

    def skipped(self, step: str, because: str, link: str = "") -> None:
        self.decisions.append(Decision(step, SKIPPED, because, link))

    def record(self, question: str, outcome: str) -> DecisionRecord:
        return DecisionRecord(question, tuple(self.decisions), outcome)


def explain(record: DecisionRecord) -> str:
    """Return the record as text for a terminal."""
    width = max((len(d.step) for d in record.decisions), default=0)
    lines = [f"{record.question}  →  {record.outcome}", ""]
    for number, decision in enumerate(record.decisions, start=1):
        link = f"   {decision.link}" if decision.link else ""
        lines.append(f"{number:>2} {decision.verdict} {decision.step:<{width}}  {decision.because}{link}")
    return "\n".join(lines)
