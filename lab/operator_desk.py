"""What the operator of a lab does from outside the phones (`do: pbx.…` in plans): one method an action."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from lab import domain_edits
from lab.bench_devices import LabDevice
from lab.carrier import Outage
from lab.errors import Away, UserError
from lab.faults import read
from lab.faxes.paper import sample
from lab.house import Cabling, House
from lab.inventory import resync_words
from lab.network.presets import network
from lab.phones.family import Account
from pbx.callflow.ports import BoxSaved, MessageRemoved, PromptRemoved
from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.kept import BoxState
from pbx.domain.queues import AgentStatus
from pbx.domain.tenancy import User
from pbx.events import DirectoryChanged, Stamped
from pbx.statistics import Statistics
from pbx.switch.switch import Switch
from provisioning_server.device_import import setting_value
from provisioning_server.inventory import Refused as NotSaid
from test_plans.bench import CannotDo, Lacking
from test_plans.plan import seconds


class Operator:
    """Acts on a house; `phones` are those of its floor, by device."""

    def __init__(self, house: House, phones: Mapping[str, LabDevice]) -> None:
        self._house, self._inside = house, phones
        self._made = 0
        self._before: dict[str, Directory] = {}
        """By object, the directory as it was before a plan first changed it."""
        self._counted: tuple[str, Statistics, Callable[[], None]] | None = None

    def do(self, action: str, arguments: Mapping[str, str]) -> None:
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

    def _once(self, arguments: Mapping[str, str]) -> None:
        settings = {arguments["setting"]: setting_value(arguments["value"])}
        try:
            self._house.say_once(arguments["device"], settings)
        except NotSaid as no:
            raise CannotDo(f"{no}; {no.remedy}") from None

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
        self.known_site(site)
        try:
            self._house.networks.put(site, None if name == "none" else network(name))
        except UserError as error:
            raise CannotDo(f"{error.happened}; {error.remedy}") from error

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
        link = f"phone {self._inside[arguments['device']].phone.extensions[0].device}"
        told = {name: arguments[name] for name in ("loss", "delay_ms", "jitter_ms") if name in arguments}
        try:
            if told:
                line = read({**told, "delay_ms": 5 + float(told.get("delay_ms", "0"))})
                self._house.faults.put(link, line, line)
            else:
                self._house.faults.clear(link)
        except UserError as error:
            raise CannotDo(f"{error.happened}; {error.remedy}") from error

    def _crowd(self, arguments: Mapping[str, str]) -> None:
        """So many softphones of users made for it, all at once; 0: none, and their users are gone."""
        count, house = int(arguments["size"]), self._house
        if not house.virtual:
            raise Lacking("a crowd here would run on the switch's own core, and tell nothing of it")
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

        def take(stamped: Stamped) -> None:
            if isinstance(stamped.event, DirectoryChanged):
                counted.adopt(house.directory)
            counted.take(stamped.event, stamped.at)

        self._counted = queue, counted, house.bus.subscribe(take)

    def _trunk(self, arguments: Mapping[str, str]) -> None:
        trunks = dict(zip(_TRUNKS, self._house.trunks, strict=False))
        trunk, states = trunks.get(arguments["trunk"]), {outage.value: outage for outage in Outage}
        if trunk is None:
            raise CannotDo(f"there is no trunk {arguments['trunk']!r}; there are {', '.join(trunks)}")
        if arguments["state"] not in states:
            raise CannotDo(f"a trunk is {', '.join(states)}, not {arguments['state']!r}")
        trunk.outage = states[arguments["state"]]
        if trunk.outage is Outage.NONE:
            self._house.command_switch(lambda switch, now: switch.trunks.returned())

    def _portal_clock(self, arguments: Mapping[str, str]) -> None:
        portal = self._house.portal
        if portal is None:
            raise Lacking("no console of this lab is open, and the portal is on its port")
        portal.ahead_s = seconds(arguments["ahead"])

    def _cabling(self) -> Cabling:
        cabling = self._house.cabling
        if cabling is None:
            raise Lacking("this lab has no network of its own: its servers and cables are what they are")
        return cabling

    def _device(self, device: str) -> Device:
        return self._house.directory.devices_by_id[device]

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

    def known_site(self, site: str) -> None:
        sites = [item.name for item in self._house.directory.sites]
        if site not in sites:
            raise CannotDo(f"there is no site {site!r}; there are {', '.join(sites) or 'none'}")


_OPERATOR: dict[str, Callable[[Operator, Mapping[str, str]], None]] = {
    "resync": Operator._resync,
    "once": Operator._once,
    "unregister": Operator._unregister,
    "relabel": Operator._relabel,
    "dnd": Operator._do_not_disturb,
    "empty_mailbox": Operator._empty_mailbox,
    "mail": Operator._mail,
    "restart": Operator._restart,
    "rule": Operator._rule,
    "holiday": Operator._holiday,
    "provisioning_reopen": Operator._reopen,
    "unplug": Operator._unplug,
    "plug": Operator._plug,
    "network": Operator._network,
    "power": Operator._power,
    "change": Operator._change,
    "undo": Operator._undo,
    "add": Operator._add,
    "remove": Operator._remove,
    "rotate": Operator._rotate,
    "agent": Operator._agent,
    "provisioning": Operator._provisioning,
    "cable": Operator._cable,
    "crowd": Operator._crowd,
    "count_queue": Operator._count_queue,
    "fax": Operator._fax,
    "trunk": Operator._trunk,
    "portal_clock": Operator._portal_clock,
}
_TRUNKS = ("first", "second")


def _without(days: tuple[date, ...], day: date) -> tuple[date, ...]:
    return tuple(other for other in days if other != day)


def _on(state: str) -> bool:
    if state not in ("on", "off"):
        raise CannotDo(f"state is on or off, not {state!r}")
    return state == "on"
