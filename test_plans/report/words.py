"""What reports have in common: signs, names of groups, the order of verdicts."""

from __future__ import annotations

import re
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


_OWN = "Cases of its own"
_NUMBERED = re.compile(r"[A-N]\d\d(?!\w)")


def by_group(cases: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return cases by their group of the Deployment Test Plan, in its order: `C Internal calls`.

    What bears no number of that plan, as `OUR-01`, stands in a group of its own at the end.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for case in cases:
        letter = case["id"][0] if _NUMBERED.match(case["id"]) else ""
        found.setdefault(f"{letter} {GROUPS[letter]}" if letter else _OWN, []).append(case)
    return sorted(found.items(), key=lambda group: (group[0] == _OWN, group[0]))
