"""A run as its laboratory tells it: by whom, with what, by which clocks, on which evidence, how long it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version

from lab.errors import Away
from lab.evidence.bundle import Bundle
from lab.evidence.keeper import Keeper
from lab.house import House
from lab.terms import Terms
from pbx.clock import Moment
from test_plans.remaining import Remaining
from test_plans.report.journal import Journal
from test_plans.verdicts import CaseResult, Exhibit, RunResult, Seen

Kept = Callable[[Sequence[Exhibit], Sequence[str]], None]
"""Takes what was kept of a case, and what could not be and why."""
Keep = Callable[[Bundle, Kept], None]
"""Writes a bundle, now or beside, and says what came of it."""
_CUT = "all evidence of this case: the run was ended before it was written"


class Chronicle:
    """Owns the journal of one run. `say` takes its lines, `clock` is the machine's, beside that of the lab.

    A case stands in the journal once its evidence is kept.
    """

    def __init__(
        self,
        house: House,
        say: Callable[[str], None],
        clock: Callable[[], Moment],
        terms: Terms,
        *,
        known: Mapping[str, float] | None = None,
        keeper: Keeper | None = None,
        keep: Keep = lambda bundle, kept: None,
    ) -> None:
        """`known` are the seconds cases took in an earlier run."""
        self._house, self._clock, self._terms = house, clock, terms
        self._known = known or {}
        self._keeper, self._keep = (keeper if terms.evidence != "none" else None), keep
        self._journal = Journal(say)
        self._remaining = Remaining((), {})
        self._began = 0.0
        self._seen: dict[str, Seen] = {}
        """Devices that took part, as they were when a case with them began: at the end one may have left."""
        self._open: dict[str, CaseResult] = {}
        """Cases that are over, whose evidence is being written."""

    def begin(self, result: RunResult) -> None:
        now = self._clock()
        result.product, result.tester = f"Switchroom {version('switchroom')}", self._terms.tester
        result.began_wall, self._began = now.wall.isoformat(timespec="seconds"), now.mono
        self._remaining = Remaining((case.case for case in result.cases), self._known)
        self._journal.begin(result)

    def told(self, result: CaseResult, what: str) -> None:
        """Take the progress of a runner."""
        if what == "done":
            self._remaining.over(result.case, result.seconds)
        elif what == "started":
            fresh = seen(self._house, result.binding.values())
            self._seen |= {name: one for name, one in fresh.items() if one.agent or name not in self._seen}
        if self._keeper is not None and result.started is not None:
            if what == "started":
                self._keeper.began(result)
            elif what == "done" and not (result.good and self._terms.evidence == "failed"):
                self._open[result.case] = result
                self._keep(self._keeper.gathered(result), lambda there, missing: self._kept(result, there, missing))
                return
        self._journal.told(result, what, self.left_s)

    def _kept(self, result: CaseResult, there: Sequence[Exhibit], missing: Sequence[str]) -> None:
        if self._open.pop(result.case, None) is not None:
            result.evidence, result.problems = list(there), list(missing)
            self._journal.told(result, "done", self.left_s)

    def end(self, result: RunResult) -> None:
        for case in list(self._open.values()):
            self._kept(case, (), (_CUT,))
        result.ended_wall = self._clock().wall.isoformat(timespec="seconds")
        result.devices = dict(self._seen)
        self._journal.end(result)

    @property
    def left_s(self) -> float:
        """Seconds the run may still take."""
        return round(self._remaining.left_s(self._clock().mono - self._began), 1)


def seen(house: House, devices: Iterable[str]) -> dict[str, Seen]:
    """Return what the house knows of those of its devices that are named."""
    known = house.directory.devices_by_id
    found = {}
    for name in sorted(devices):
        device = known.get(name)
        if device is not None:
            found[name] = Seen(
                device.label or device.extension, device.family, device.model, device.mac or "", _agent(house, name)
            )
    return found


def _agent(house: House, device: str) -> str:
    try:
        binding = house.switch.binding(device) if house.alive else None
    except Away:
        return ""
    return binding.user_agent if binding is not None else ""
