"""The bench that plans run on (`test_plans.bench`), over a lab of either world.

A plan presses buttons and looks: what it may know of a phone is what a person in front of it would know, plus what
the phone's ears recognise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lab.bench_browser import BROWSERS, BrowserDevice
from lab.bench_devices import DirectNumbers, LabDevice, LaptopDevice, OutsideDevice, pages_of
from lab.carrier import FAX_MACHINES, Habit
from lab.control.driven import DrivenDevice
from lab.errors import Away
from lab.house import House
from lab.network.networks import Assessment
from lab.network.probe import SILENCES_S, Wanted
from lab.onboarding import audit as foc_audit
from lab.operator_desk import Operator
from lab.people import Asked as Request
from lab.people import People
from pbx.bus import Bus
from pbx.callflow.findings import TITLES, findings
from pbx.callflow.question import Asked, Presence
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.media.prompts.texts import TEXTS
from test_plans.bench import BenchDevice, CannotDo, SeenFax


class LabBench:
    """The lab as plans see it."""

    def __init__(self, house: House) -> None:
        self._house = house
        direct = DirectNumbers(house)
        inside = [
            LabDevice(house, phone, extension, direct) for phone in house.phones for extension in phone.extensions
        ]
        self._inside = {device.id: device for device in inside}
        self._direct = direct
        self._driven: tuple[frozenset[str], list[DrivenDevice]] = (frozenset(), [])
        self._outside = [
            OutsideDevice(house, number, habit)
            for number, habit in house.carrier.habits.items()
            if habit is Habit.PERSON or habit in FAX_MACHINES
        ]
        cabling = house.cabling
        laptops = cabling.laptops if cabling is not None else ()
        self._laptops = [
            LaptopDevice(house, cabling, laptop, f"laptop-{at}")
            for at, laptop in enumerate(laptops, start=1)
            if cabling is not None
        ]
        self._browsers = [BrowserDevice(house, f"browser-{at}") for at in range(1, BROWSERS + 1)]
        self._operator = Operator(house, self._inside)

    @property
    def bus(self) -> Bus:
        return self._house.bus

    @property
    def domain(self) -> str:
        return self._house.directory.domain.name

    @property
    def virtual(self) -> bool:
        return self._house.virtual

    def now(self) -> Moment:
        return self._house.now

    def devices(self) -> Sequence[BenchDevice]:
        physical = self._physical()
        by_hand = {device.id for device in physical}
        inside = (self._inside[key] for key in sorted(self._inside.keys() - by_hand))
        return [*inside, *physical, *self._outside, *self._laptops, *self._browsers]

    def _physical(self) -> Sequence[DrivenDevice]:
        """Whatever else is registered."""
        if self._house.virtual or not self._house.alive:
            return ()
        there = self._house.switch.registered() - {name for name, one in self._inside.items() if one.powered}
        if there != self._driven[0]:
            known = {device.id: device for device in self._driven[1]}
            for device in there - known.keys():
                self._house.controls.forget(device)
            self._driven = (there, [known.get(device) or self._physical_one(device) for device in sorted(there)])
        return self._driven[1]

    def _physical_one(self, device: str) -> DrivenDevice:
        its = self._house.directory.devices_by_id[device]
        return DrivenDevice(self._house, its, its.extension, self._direct)

    def numbers(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for number, habit in self._house.carrier.habits.items():
            if habit is not Habit.PERSON:
                found.setdefault(habit.value, number)
        return found

    def live(self) -> Mapping[str, int]:
        try:
            return self._house.switch.live() if self._house.alive else {"restarts": 1}
        except Away:
            return {"switch away": 1}

    def why(self, device: BenchDevice, dialled: str) -> str:
        user = self._house.directory.users_by_extension.get(device.extension)
        name = user.name if user is not None else device.name if isinstance(device, OutsideDevice) else ""
        inside = device.id if device.extension else ""
        asked = Asked(dialled, device.number, inside, device.extension, name)
        try:
            return self._house.switch.why(asked, self._house.now).to_json()
        except Away as away:
            raise CannotDo("the switch is not back yet") from away

    def why_at(self, caller: BenchDevice, dialled: str, at: str) -> str:
        switch, now = self._house.switch, self._house.now
        wall = now.wall
        if at:
            try:
                wall = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(switch.directory.domain.time_zone))
            except ValueError:
                raise CannotDo(f"{at!r} is no moment, like 2026-12-25 10:15") from None
        inside = caller.id if caller.extension else ""
        asked = Asked(dialled, caller.number, inside, caller.extension, "")
        # At another moment nobody knows who will be busy or unplugged: everybody is there and at rest.
        at_rest = Presence(frozenset(switch.directory.devices_by_id))
        return route(switch.directory, asked, at_rest, Moment(now.mono, wall)).record.outcome

    def findings(self) -> Sequence[str]:
        found = findings(self._house.directory, TEXTS.keys())
        return [f"{finding.rule} {TITLES[finding.rule]}: {finding.sentence}" for finding in found]

    def audit(self) -> Mapping[str, str]:
        return foc_audit.missing_by_line(self._house.directory, self._house.switch.registered())

    def figures(self) -> Mapping[str, float]:
        return self._operator.figures()

    def registrations(self) -> int:
        return len(self._house.switch.registered())

    def messages(self, box: str) -> Sequence[Mapping[str, str | float]]:
        return [
            {
                "id": message.id,
                "folder": message.folder,
                "seconds": message.seconds,
                "caller_number": message.caller_number,
                "heard": message.heard,
            }
            for message in self._house.history.messages(box)
        ]

    def faxes(self, account: str) -> Sequence[SeenFax]:
        return [
            SeenFax(fax.at, fax.direction == "out", pages_of(self._house.cabinet, fax.document), fax.problem, fax.over)
            for fax in reversed(self._house.history.faxes())
            if fax.account == account and fax.status in ("sent", "received", "failed")
        ]

    def recorded(self, call: str) -> bool:
        """An open row, which a call has from its beginning, is none."""
        return any(record.call == call and record.disposition for record in self._house.history.records())

    def pbx(self, action: str, arguments: Mapping[str, str]) -> None:
        self._operator.do(action, arguments)

    @property
    def attended(self) -> bool:
        return self._house.people.attended

    def ask(self, text: str, device: str, question: str) -> BenchRequest:
        return BenchRequest(self._house.people, self._house.people.ask(text, device, question))

    def assess(self, site: str, longest_s: float) -> BenchAssessment:
        self._operator.known_site(site)
        silences = tuple(silence for silence in SILENCES_S if silence <= longest_s)
        return BenchAssessment(self._house.networks.assess(site, Wanted(silences_s=silences)))


class BenchRequest:
    """A request to a person as plans see it."""

    def __init__(self, people: People, asked: Request) -> None:
        self._people, self._asked = people, asked
        self.text, self.question = asked.text, asked.question

    @property
    def answer(self) -> str:
        return self._asked.answer

    @property
    def by(self) -> str:
        return self._asked.by

    @property
    def answered_at(self) -> str:
        at = self._asked.answered_at
        return at.wall.isoformat(timespec="seconds") if at is not None else ""

    def observed(self) -> None:
        self._people.observed(self._asked)

    def instead(self, seen: str) -> None:
        self._people.instead(self._asked, seen)

    def withdraw(self) -> None:
        self._people.withdraw(self._asked)


class BenchAssessment:
    """An assessment as plans see it."""

    def __init__(self, running: Assessment) -> None:
        self._running = running

    @property
    def done(self) -> bool:
        return self._running.done

    @property
    def findings(self) -> Mapping[str, str]:
        if self._running.verdict is None:
            raise CannotDo(self._running.fault or "it still runs")
        return {finding.id: f"{finding.seen}: {finding.remedy}" for finding in self._running.verdict.findings}
