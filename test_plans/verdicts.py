"""What became of a step, a case, a run. Blocked is not skipped is not passed; observed is not attested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pbx.clock import Moment
from pbx.events import Stamped

PASSED, WARNED, FAILED, FLAKY = "passed", "warned", "failed", "flaky"
BLOCKED, SKIPPED, ERROR = "blocked", "skipped", "error"
GOOD = frozenset({PASSED, WARNED, FLAKY})
ATTESTED = "attested"
"""The witness of what only a person can see."""


class StepFailed(Exception):
    """An expectation was not met; `seen` is what came instead, nearest first."""

    def __init__(self, what: str, seen: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.seen = seen


class StepBlocked(Exception):
    """The step needs something this bench does not have."""


@dataclass(frozen=True, slots=True)
class StepResult:
    text: str
    verdict: str
    line: int
    took_s: float
    detail: str = ""
    seen: tuple[str, ...] = ()
    witness: str = "observed"
    """`observed` by the server or a device's ear, `attested` by a person, or `action`."""
    evidence: tuple[int, int] = (0, 0)
    """Which of the case's events came while it was taken: from, up to but not including."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence of a case, as a file beside the report."""

    path: str
    """Relative to the report, its parts joined by `/`."""
    kind: str
    """`capture`, `ladder`, `sound`, `series`, `config`, `mail` or `screen`."""
    title: str
    octets: int
    seconds: float = 0.0
    """Of sound."""
    peaks: tuple[int, ...] = ()
    """Of sound: how loud each stretch of it is at most, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A device that took part, as the switch knew it."""

    label: str
    family: str
    model: str
    mac: str
    agent: str
    """What it called itself, its firmware with it (User-Agent); empty where nobody asked."""


@dataclass(slots=True)
class CaseResult:
    case: str
    title: str
    severity: str
    verdict: str = SKIPPED
    reason: str = ""
    over: bool = False
    """It came to a verdict of its own; else something else ended it, or kept it from beginning."""
    binding: dict[str, str] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    steps: list[StepResult] = field(default_factory=list)
    events: list[Stamped] = field(default_factory=list)
    records: list[tuple[str, str, str]] = field(default_factory=list)
    """(call, decision record before the call, after it)."""
    started: Moment | None = None
    seconds: float = 0.0
    attempts: int = 1
    earlier: list[str] = field(default_factory=list)
    """Why each attempt before the last one failed."""
    evidence: list[Exhibit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What of the evidence could not be kept, and why."""

    @property
    def good(self) -> bool:
        return self.verdict in GOOD


@dataclass(slots=True)
class RunResult:
    plan: str
    title: str
    domain: str
    virtual: bool
    seed: int
    cases: list[CaseResult] = field(default_factory=list)
    leaks: dict[str, int] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)
    started: Moment | None = None
    """By the lab's clock."""
    seconds: float = 0.0
    interrupted: str = ""
    """Who or what ended it before its time; empty for a run that came to its end."""
    plan_sha256: str = ""
    product: str = ""
    """What is tested, with its version."""
    tester: str = ""
    began_wall: str = ""
    """By the clock of the machine, ISO 8601; beside the lab's, which may be set or jump."""
    ended_wall: str = ""
    devices: dict[str, Seen] = field(default_factory=dict)

    @property
    def verdicts(self) -> dict[str, str]:
        return {case.case: case.verdict for case in self.cases}

    @property
    def passed(self) -> bool:
        return all(case.good for case in self.cases) and not self.leaks and not self.interrupted

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 5 incomplete (console.md 5.3)."""
        if any(case.verdict in (FAILED, ERROR) for case in self.cases) or self.leaks:
            return 1
        return 5 if self.interrupted or any(case.verdict in (BLOCKED, SKIPPED) for case in self.cases) else 0


def differences(one: RunResult, other: RunResult) -> list[str]:
    """Return what differs between two runs' verdicts, a line a case."""
    a, b = one.verdicts, other.verdicts
    found = [f"{case}: {a[case]} / {b.get(case, 'absent')}" for case in a if a[case] != b.get(case)]
    return found + [f"{case}: absent / {b[case]}" for case in b if case not in a]
