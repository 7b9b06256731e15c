"""The bench that plans run on (`test_plans.bench`), over a lab of either world.

A plan presses buttons and looks: what it may know of a phone is what a person in front of it would know, plus what
the phone's ears recognise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from lab import domain_edits, foc_audit
from lab.bench_devices import DirectNumbers, LabDevice, LaptopDevice, OutsideDevice, pages_of
from lab.carrier import FAX_MACHINES, Habit
from lab.control.driven import DrivenDevice
from lab.errors import Away, UserError
from lab.faxes.paper import sample
from lab.house import Cabling, House
from lab.inventory import resync_words
from lab.network.networks import Assessment
from lab.network.presets import network
from lab.network.probe import SILENCES_S, Wanted
from lab.people import Asked as Request
from lab.people import People
from lab.phones.family import Account
from lab.wire import Impairment
from pbx.bus import Bus
from pbx.callflow.findings import TITLES, findings
from pbx.callflow.ports import BoxSaved, MessageRemoved, PromptRemoved
from pbx.callflow.question import Asked
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.kept import BoxState
from pbx.domain.queues import AgentStatus
from pbx.domain.tenancy import User
from pbx.media.prompts.texts import TEXTS
from pbx.statistics import Statistics
from pbx.switch.switch import Switch
from test_plans.bench import BenchDevice, CannotDo, SeenFax


class LabBench:
    """The lab as plans see it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._made = 0
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
        self._before: dict[str, Directory] = {}
        """By object, the directory as it was before a plan first changed it."""
        self._counted: tuple[str, Statistics, Callable[[], None]] | None = None

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
        return [*inside, *physical, *self._outside, *self._laptops]

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
        zone = ZoneInfo(self._house.directory.domain.time_zone)
        try:
            wall = datetime.fromisoformat(at).replace(tzinfo=zone)
        except ValueError:
            raise CannotDo(f"{at!r} is no moment, like 2026-12-25 10:15") from None
        switch, now = self._house.switch, self._house.now
        inside = caller.id if caller.extension else ""
        asked = Asked(dialled, caller.number, inside, caller.extension, "")
        return route(switch.directory, asked, switch.presence(None), Moment(now.mono, wall)).record.outcome

    def findings(self) -> Sequence[str]:
        found = findings(self._house.directory, TEXTS.keys())
        return [f"{finding.rule} {TITLES[finding.rule]}: {finding.sentence}" for finding in found]

    def audit(self) -> Mapping[str, str]:
        return foc_audit.audit(self._house.directory, self._house.switch.registered())

    def figures(self) -> Mapping[str, float]:
        if self._counted is None:
            return {}
        queue, counted, _ = self._counted
        figures = counted.queues[queue]
        return {
            "total": figures.total, "presented": figures.presented, "answered": figures.answered,
            "abandoned": figures.abandoned, "abandoned_soon": figures.abandoned_soon, "adjusted": figures.adjusted,
            "abandoned_adjusted": figures.abandoned_adjusted, "voicemailed": figures.voicemailed,
            "abandon_rate": figures.abandon_rate, "service_level": figures.service_level,
            "average_wait_s": figures.average_wait_s, "average_talk_s": figures.average_talk_s,
        }  # fmt: skip

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

    # --- the operator's side --------------------------------------------------------------------------

    def pbx(self, action: str, arguments: Mapping[str, str]) -> None:
        act = _OPERATOR.get(action)
        if act is None:
            raise CannotDo(f"the switch has no {action}; it has {', '.join(sorted(_OPERATOR))}")
        if not self._house.alive:
            raise CannotDo(f"{action}: the switch is just being restarted")
        try:
            act(self, arguments)
        except KeyError as missing:
            raise CannotDo(f"{action}: there is no {missing}") from missing
        except Away as away:
            raise CannotDo(f"{action}: the switch is not back yet") from away

    def _resync(self, arguments: Mapping[str, str]) -> None:
        device = arguments["device"]
        event = resync_words(self._device(device).family)
        if not self._house.command_switch(lambda switch, now: switch.resync(device, now, event=event)):
            raise CannotDo(f"{device} is not registered: nowhere to send the NOTIFY")

    def _unregister(self, arguments: Mapping[str, str]) -> None:
        device = arguments["device"]
        if not self._house.command_switch(lambda switch, now: switch.unregister(device, now)):
            raise CannotDo(f"{device} is not registered")

    def _relabel(self, arguments: Mapping[str, str]) -> None:
        changed = self._device(arguments["device"]).model_copy(update={"label": arguments["label"]})
        directory = self._house.directory
        devices = tuple(changed if device.id == changed.id else device for device in directory.devices)
        self._house.apply(directory.replaced(devices=devices), f"device {changed.id}")

    def _do_not_disturb(self, arguments: Mapping[str, str]) -> None:
        extension, on = arguments["extension"], _on(arguments["state"])
        self._house.command_switch(lambda switch, now: switch.set_do_not_disturb(extension, on, now))

    def _empty_mailbox(self, arguments: Mapping[str, str]) -> None:
        box = arguments["box"]

        def empty(switch: Switch, now: Moment) -> None:
            for message in list(switch.history.messages(box)):
                switch.history.submit(MessageRemoved(box, message.id))
            for name in list(switch.history.prompts(box)):
                switch.history.submit(PromptRemoved(box, name))
            switch.history.submit(BoxSaved(BoxState(box)))
            switch.box_changed(box, now)

        self._house.command_switch(empty)

    def _mail(self, arguments: Mapping[str, str]) -> None:
        self._house.outbox.takes = _on(arguments["state"])

    def _restart(self, arguments: Mapping[str, str]) -> None:
        self._house.restart_switch()

    def _rule(self, arguments: Mapping[str, str]) -> None:
        directory = self._house.directory
        user = directory.users_by_extension[arguments["extension"]]
        index = int(arguments["index"])
        if not 0 <= index < len(user.rules):
            raise CannotDo(f"{user.extension} has {len(user.rules)} rules; there is no number {index}")
        on = _on(arguments["state"])
        rules = tuple(
            rule.model_copy(update={"enabled": on}) if at == index else rule for at, rule in enumerate(user.rules)
        )
        changed = user.model_copy(update={"rules": rules})
        self._house.apply(directory.with_user(changed), f"user {changed.extension}")

    def _holiday(self, arguments: Mapping[str, str]) -> None:
        directory = self._house.directory
        frame = directory.frames_by_name[arguments["time_frame"]]
        if frame.kind != "holiday":
            raise CannotDo(f"{frame.name} is no list of holidays but of kind {frame.kind}")
        today = self._house.now.wall.astimezone(ZoneInfo(directory.domain.time_zone)).date()
        on = _on(arguments["state"])
        dates, worked = _without(frame.dates, today), _without(frame.except_dates, today)
        by_law = any(holidays.observed_on(today) for holidays in frame.holidays)
        changed = frame.model_copy(
            update={
                "dates": (*dates, today) if on and not by_law else dates,
                "except_dates": worked if on or not by_law else (*worked, today),
            }
        )
        frames = tuple(changed if item == frame else item for item in directory.time_frames)
        self._house.apply(directory.replaced(time_frames=frames), f"time frame {changed.name}")

    def _reopen(self, arguments: Mapping[str, str]) -> None:
        self._house.reopen_provisioning(self._device(arguments["device"]).mac or "")

    def _fax(self, arguments: Mapping[str, str]) -> None:
        made = sample(int(arguments["pages"]), -1 - self._made)
        name = f"fax-made-{self._made}-{len(self._house.history.faxes())}"
        self._made += 1
        account, to = arguments["account"], arguments["to"]
        self._house.cabinet.put(name, made.tiff)
        try:
            self._house.command_switch(lambda switch, now: switch.send_fax(account, to, name, made.pages, now))
        except ValueError as error:
            raise CannotDo(str(error)) from None

    def _unplug(self, arguments: Mapping[str, str]) -> None:
        self._inside[arguments["device"]].power(False)

    def _plug(self, arguments: Mapping[str, str]) -> None:
        self._inside[arguments["device"]].power(True)

    def _network(self, arguments: Mapping[str, str]) -> None:
        site, name = arguments["site"], arguments["network"]
        self._known_site(site)
        try:
            self._house.networks.put(site, None if name == "none" else network(name))
        except UserError as error:
            raise CannotDo(f"{error.happened}; {error.remedy}") from error

    @property
    def attended(self) -> bool:
        return self._house.people.attended

    def ask(self, text: str, device: str, question: str) -> BenchRequest:
        return BenchRequest(self._house.people, self._house.people.ask(text, device, question))

    def assess(self, site: str, longest_s: float) -> BenchAssessment:
        self._known_site(site)
        silences = tuple(silence for silence in SILENCES_S if silence <= longest_s)
        return BenchAssessment(self._house.networks.assess(site, Wanted(silences_s=silences)))

    def _known_site(self, site: str) -> None:
        sites = [item.name for item in self._house.directory.sites]
        if site not in sites:
            raise CannotDo(f"there is no site {site!r}; there are {', '.join(sites) or 'none'}")

    def _power(self, arguments: Mapping[str, str]) -> None:
        self._house.power(_on(arguments["state"]))

    def _change(self, arguments: Mapping[str, str]) -> None:
        name = arguments["object"]
        before = self._house.directory
        self._edit(
            name, lambda now: domain_edits.changed(now, name, arguments["field"], json.loads(arguments["value"]))
        )
        self._before.setdefault(name, before)

    def _undo(self, arguments: Mapping[str, str]) -> None:
        name = arguments["object"]
        before = self._before.pop(name, None)
        if before is not None:
            self._edit(name, lambda now: domain_edits.with_object_of(now, before, name))

    def _add(self, arguments: Mapping[str, str]) -> None:
        section = arguments["section"]
        self._edit(section, lambda now: domain_edits.added(now, section, json.loads(arguments["value"])))

    def _remove(self, arguments: Mapping[str, str]) -> None:
        self._edit(arguments["object"], lambda now: domain_edits.removed(now, arguments["object"]))

    def _edit(self, what: str, edit: Callable[[Directory], Directory]) -> None:
        try:
            self._house.apply(edit(self._house.directory), what)
        except domain_edits.Refused as refused:
            raise CannotDo(str(refused)) from None

    def _rotate(self, arguments: Mapping[str, str]) -> None:
        device, directory = arguments["device"], self._house.directory
        fresh = sha256(f"{device}/{directory.revision}".encode()).hexdigest()[:20]
        self._edit(f"device {device}", lambda now: domain_edits.changed(now, f"devices/{device}", "password", fresh))

    def _agent(self, arguments: Mapping[str, str]) -> None:
        status = AgentStatus(arguments["state"])
        if not self._house.command_switch(lambda switch, now: switch.set_agent_status(arguments["agent"], status, now)):
            raise CannotDo(f"{arguments['agent']} serves no queue")

    def _provisioning(self, arguments: Mapping[str, str]) -> None:
        self._cabling().provision(_on(arguments["state"]))

    def _cable(self, arguments: Mapping[str, str]) -> None:
        figures = [float(arguments.get(name, "0")) for name in ("loss", "delay_ms", "jitter_ms")]
        loss, delay_ms, jitter_ms = figures
        made = Impairment(0.005 + delay_ms / 1000, jitter_ms / 1000, loss / 100) if any(figures) else None
        self._cabling().impair(self._inside[arguments["device"]].phone, made)

    def _crowd(self, arguments: Mapping[str, str]) -> None:
        """So many softphones of users made for it, all at once; 0: none, and their users are gone."""
        count, house = int(arguments["size"]), self._house
        laptop, now = self._cabling().laptops[0], house.now.mono
        if not count:
            self._cabling().press_laptop(laptop, lambda: laptop.disperse(now))
            kept = self._before.pop("crowd")
            house.apply(house.directory.replaced(users=kept.users, devices=kept.devices), "crowd")
            return
        directory = self._before.setdefault("crowd", house.directory)
        email, domain = f"crowd@{directory.domain.name}", directory.domain.name
        users = [User(extension=f"{6100 + at}", first_name="Crowd", email=email) for at in range(count)]
        devices = [
            Device(id=u.extension, extension=u.extension, password=SecretStr(f"crowd {u.extension}")) for u in users
        ]
        house.apply(
            directory.replaced(users=(*directory.users, *users), devices=(*directory.devices, *devices)), "crowd"
        )
        server = laptop.server
        accounts = [
            Account(1, d.id, d.id, d.password.get_secret_value(), domain, server.host, server.port) for d in devices
        ]
        self._cabling().press_laptop(laptop, lambda: laptop.register_crowd(accounts, now))

    def _count_queue(self, arguments: Mapping[str, str]) -> None:
        queue, house = arguments["queue"], self._house
        if queue not in house.directory.queues_by_extension:
            raise CannotDo(f"there is no queue {queue}")
        if self._counted is not None:
            self._counted[2]()
        counted = Statistics(house.directory, house.now)
        self._counted = queue, counted, house.bus.subscribe(lambda stamped: counted.take(stamped.event, stamped.at))

    def _cabling(self) -> Cabling:
        cabling = self._house.cabling
        if cabling is None:
            raise CannotDo("this lab has no network of its own: its servers and cables are what they are")
        return cabling

    def _device(self, device: str) -> Device:
        return self._house.directory.devices_by_id[device]


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


_OPERATOR: dict[str, Callable[[LabBench, Mapping[str, str]], None]] = {
    "resync": LabBench._resync,
    "unregister": LabBench._unregister,
    "relabel": LabBench._relabel,
    "dnd": LabBench._do_not_disturb,
    "empty_mailbox": LabBench._empty_mailbox,
    "mail": LabBench._mail,
    "restart": LabBench._restart,
    "rule": LabBench._rule,
    "holiday": LabBench._holiday,
    "provisioning_reopen": LabBench._reopen,
    "unplug": LabBench._unplug,
    "plug": LabBench._plug,
    "network": LabBench._network,
    "power": LabBench._power,
    "change": LabBench._change,
    "undo": LabBench._undo,
    "add": LabBench._add,
    "remove": LabBench._remove,
    "rotate": LabBench._rotate,
    "agent": LabBench._agent,
    "provisioning": LabBench._provisioning,
    "cable": LabBench._cable,
    "crowd": LabBench._crowd,
    "count_queue": LabBench._count_queue,
    "fax": LabBench._fax,
}


def _without(days: tuple[date, ...], day: date) -> tuple[date, ...]:
    return tuple(other for other in days if other != day)


def _on(state: str) -> bool:
    if state not in ("on", "off"):
        raise CannotDo(f"state is on or off, not {state!r}")
    return state == "on"
