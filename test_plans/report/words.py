"""What reports have in common: signs, names of groups, the order of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GLYPHS = {
    "passed": "✓", "warned": "✓", "flaky": "≈", "failed": "✗", "error": "!", "blocked": "▣", "skipped": "–",
    "action": "▸",
}  # fmt: skip
VERDICTS = ("passed", "warned", "flaky", "failed", "error", "blocked", "skipped")
GROUPS = {
    "A": "Boot and provisioning", "B": "Registration", "C": "Internal calls", "D": "Inbound numbers",
    "E": "Outbound and caller ID", "F": "Mid-call features", "G": "Auto attendant", "H": "Queues",
    "I": "Voicemail", "J": "Answering rules", "K": "611, 911, 933", "L": "Fax and ATA", "M": "Network quality",
    "N": "Resilience",
}  # fmt: skip


def by_group(cases: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return cases by the first letter of their ids, in the order of letters."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for case in cases:
        found.setdefault(case["id"][0], []).append(case)
    return sorted(found.items())
