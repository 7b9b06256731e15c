"""Two reports of the same plan: what changed from one to the other (`runs diff`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from test_plans.report.journal import recalled
from test_plans.verdicts import GOOD

Cases = Mapping[str, Mapping[str, Any]]
"""Cases of a JSON report by id."""
ABSENT = "absent"
SLOWER = 1.5
"""A case that passed both times is told when it took so many times as long, and a second more."""


@dataclass(frozen=True, slots=True)
class Change:
    case: str
    before: str
    after: str
    detail: str
    """Why, or how long it took."""

    @property
    def worse(self) -> bool:
        """It passed, and now it does not, or is not there."""
        return self.before in GOOD and self.after not in GOOD

    def text(self) -> str:
        glyph = "✗" if self.worse else "✓" if self.after in GOOD and self.before not in GOOD else "·"
        return f" {glyph} {self.case:<18} {self.before} → {self.after}  {self.detail}".rstrip()


def changes(old: Cases, new: Cases) -> list[Change]:
    """Return what differs between the cases of two reports, in the order of the later one, then what is gone."""
    gone = [Change(name, str(case["verdict"]), ABSENT, "") for name, case in old.items() if name not in new]
    return [*_changed(old, new), *gone]


def _changed(old: Cases, new: Cases) -> Iterator[Change]:
    for name, case in new.items():
        verdict, reason = str(case["verdict"]), str(case.get("reason") or "")
        if name not in old:
            yield Change(name, ABSENT, verdict, reason)
            continue
        was = str(old[name]["verdict"])
        took, takes = float(old[name].get("seconds") or 0.0), float(case.get("seconds") or 0.0)
        slower = verdict in GOOD and takes > max(SLOWER * took, took + 1.0)
        if verdict != was or slower:
            yield Change(name, was, verdict, f"{took:.1f} s → {takes:.1f} s" if slower else reason)


def cases_of(document: str) -> Cases:
    """Return the cases of a JSON report of any version, or of a journal, by id; ValueError when it is neither."""
    try:
        read = json.loads(document)
    except ValueError:
        read = recalled(document.splitlines())
    if isinstance(read, Mapping) and "line" in read:
        read = recalled(document.splitlines())
    cases = read.get("cases") if isinstance(read, Mapping) else None
    if not isinstance(cases, list) or not all(isinstance(c, Mapping) and {"id", "verdict"} <= c.keys() for c in cases):
        raise ValueError("it has no cases with their verdicts")
    return {str(case["id"]): case for case in cases}
