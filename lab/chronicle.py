"""A run as its laboratory tells it: by whom, with what, by which clocks, and how long it may still take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from lab.errors import Away
from lab.house import House
from pbx.clock import Moment
from test_plans.remaining import Remaining
from test_plans.report.journal import Journal
from test_plans.verdicts import CaseResult, RunResult, Seen


class Chronicle:
    """Owns the journal of one run. `say` takes its lines, `clock` is the machine's, beside that of the lab."""

    def __init__(
        self,
        house: House,
        say: Callable[[str], None],
        clock: Callable[[], Moment],
        *,
        tester: str = "",
        known: Mapping[str, float] | None = None,
    ) -> None:
        """`known` are the seconds cases took in an earlier run."""
        self._house, self._clock, self._tester = house, clock, tester
        self._known = known or {}
        self._journal = Journal(say)
        self._remaining = Remaining((), {})
        self._began = 0.0

    def begin(self, result: RunResult) -> None:
        now = self._clock()
        result.product, result.tester = f"Switchroom {version('switchroom')}", self._tester
        result.began_wall, self._began = now.wall.isoformat(timespec="seconds"), now.mono
        self._remaining = Remaining((case.case for case in result.cases), self._known)
        self._journal.begin(result)

    def told(self, result: CaseResult, what: str) -> None:
        """Take the progress of a runner."""
        if what == "done":
            self._remaining.over(result.case, result.seconds)
        self._journal.told(result, what, self.left_s)

    def end(self, result: RunResult) -> None:
        result.ended_wall = self._clock().wall.isoformat(timespec="seconds")
        used = {device for case in result.cases for device in case.binding.values()}
        result.devices = seen(self._house, used)
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
