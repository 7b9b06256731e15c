"""Which cases of a plan are run, in which order and how often (testing.md A4, scheduling)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from test_plans.comparison import cases_of
from test_plans.model import Case, Plan
from test_plans.verdicts import GOOD

MOST_REPEATS = 1000
_TURN = re.compile(r"#\d+")


@dataclass(frozen=True, slots=True)
class Selection:
    """All of it narrows: a case is run when everything given holds for it."""

    containing: str = ""
    """What its id contains."""
    tag: str = ""
    cases: frozenset[str] | None = None
    """Just these ids, as results carry them: `K01@103`."""
    done: frozenset[str] = frozenset()
    """Not these, with their turn (`C01#2`): they were over when the run that is resumed was interrupted."""
    shuffle: int | None = None
    """Seed of the order; the plan's own order without it."""
    repeat: int = 1
    without: str = ""
    """A tag none of them has: `long` where nobody waits for hours of idleness."""

    def arrange(self, plan: Plan) -> Plan:
        """Return the plan in the wanted order, each case as often as wanted: `C01`, `C01#2`, …"""
        cases = list(plan.cases)
        for turn in range(2, self.repeat + 1):
            cases += [replace(case, id=f"{case.id}#{turn}") for case in plan.cases]
        if self.shuffle is not None:
            cases.sort(key=lambda case: sha256(f"{self.shuffle}/{case.id}".encode()).digest())
        return replace(plan, cases=tuple(cases))

    def takes(self, case: Case) -> bool:
        """Tell whether a case is run; it may be one of a device by now (`K01@103`)."""
        plain = _TURN.sub("", case.id)
        return (
            case.id not in self.done
            and self.containing in plain
            and (not self.tag or self.tag in case.tags)
            and self.without not in case.tags
            and (self.cases is None or plain in self.cases)
        )

    def query(self) -> list[tuple[str, str]]:
        """Return what it is in the address of an API request, readable by `of_query`."""
        found = [("only", self.containing), ("tag", self.tag), ("repeat", str(self.repeat) if self.repeat > 1 else "")]
        found.append(("without", self.without))
        found.append(("shuffle", "" if self.shuffle is None else str(self.shuffle)))
        found.append(("done", ",".join(sorted(self.done))))
        if self.cases is not None:
            found += [("case", case) for case in sorted(self.cases)] or [("case", "-")]
        return [(name, value) for name, value in found if value]


def of_query(pairs: Iterable[tuple[str, str]]) -> Selection:
    """Read the address of an API request; ValueError names what cannot be understood. Other names are left alone."""
    found = Selection()
    cases: set[str] = set()
    for name, value in pairs:
        match name:
            case "only":
                found = replace(found, containing=value)
            case "tag":
                found = replace(found, tag=value)
            case "without":
                found = replace(found, without=value)
            case "case":
                cases.add(value)
                found = replace(found, cases=frozenset(cases))
            case "done":
                found = replace(found, done=frozenset(value.split(",")) - {""})
            case "shuffle":
                found = replace(found, shuffle=_number(name, value, 2**63 - 1))
            case "repeat":
                found = replace(found, repeat=max(_number(name, value, MOST_REPEATS), 1))
    return found


def not_passed(results: str) -> frozenset[str]:
    """Return the cases of a JSON report that did not pass; ValueError when it is none."""
    return frozenset(_TURN.sub("", name) for name, case in cases_of(results).items() if case["verdict"] not in GOOD)


def _number(name: str, value: str, most: int) -> int:
    if not value.isdecimal() or int(value) > most:
        raise ValueError(f"{name}={value!r} is no number from 0 to {most}")
    return int(value)
