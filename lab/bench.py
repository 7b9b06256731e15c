"""The bench that plans run on (`test_plans.bench`), over a lab of either world.

A plan presses buttons and looks: what it may know of a phone is what a person in front of it would know, plus what
the phone's ears recognise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from lab.carrier import Carrier, Habit
from lab.errors import Away
from lab.phones.face import shown
from lab.phones.line import Line
from lab.phones.phone import Extension, Phone
from lab.phones.pyvoip_phone import PyvoipLine, PyvoipPhone
from lab.phones.screen import card
from lab.seeds.model import LabSeed
from pbx.bus import Bus
from pbx.callflow.ports import History, MessageRemoved
from pbx.callflow.question import Asked
from pbx.clock import Moment
from pbx.domain.destinations import ToUser
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.numbers import NumberRoute
from pbx.switch.switch import Switch
from test_plans.bench import BenchDevice, CannotDo, HeardSound

AnyPhone = Phone | PyvoipPhone
AnyLine = Line | PyvoipLine

_SIMULATED = frozenset(
    {"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "press", "reboot", "screen", "lamp", "hears"}
)
_PYVOIP = _SIMULATED - {"hold", "resume", "transfer", "lamp"}
_OUTSIDE = frozenset({"dial", "answer", "reject", "hangup", "press", "hears"})
_BY_ITSELF = (Habit.ANSWERS, Habit.RINGS_OUT, Habit.BUSY, Habit.MISSING, Habit.TONE, Habit.ECHO)


class House(Protocol):
    """A lab of either world, as the bench uses it."""

    bus: Bus
    directory: Directory
    carrier: Carrier

    @property
    def lab_seed(self) -> LabSeed: ...

    @property
    def virtual(self) -> bool: ...

    @property
    def now(self) -> Moment: ...

    @property
    def phones(self) -> Sequence[AnyPhone]: ...

    @property
    def alive(self) -> bool:
        """False while the switch is killed and not yet back."""
        ...

    @property
    def switch(self) -> Switch: ...

    @property
    def history(self) -> History: ...

    def press(self, phone: AnyPhone, button: Callable[[], object]) -> object: ...

    def press_outside(self, button: Callable[[], object]) -> object: ...

    def power(self, on: bool, phones: Sequence[AnyPhone] | None = None) -> None: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...

    def apply(self, directory: Directory, what: str = "directory") -> None: ...

    def restart_switch(self) -> None:
        """Kill the switch and start another from the store; in the real world it is back a moment later."""
        ...

    def reopen_provisioning(self, mac: str) -> None: ...


class _OnALine:
    """What a phone and a telephone outside have in common: a line with buttons."""

    id: str

    def _line(self) -> AnyLine | None:
        raise NotImplementedError

    def _press(self, button: Callable[[], object]) -> object:
        raise NotImplementedError

    @property
    def capabilities(self) -> frozenset[str]:
        raise NotImplementedError

    def _mono(self) -> float:
        raise NotImplementedError

    @property
    def idle(self) -> bool:
        line = self._line()
        return line is None or not line.live_calls

    @property
    def hold_target(self) -> str:
        line = self._line()
        call = line.call if line is not None else None
        return f"{call.name} {call.number}".strip() if call is not None else ""

    def heard(self) -> Sequence[HeardSound]:
        line = self._line()
        return [HeardSound(sensed.at, sensed.sound) for sensed in line.ears] if line is not None else []

    def do(self, action: str, argument: str = "") -> None:
        if action not in self.capabilities:
            raise CannotDo(f"{self.id} has no way to {action}")
        line = self._line()
        if line is None:
            raise CannotDo(f"{self.id} has no configuration yet")
        now = self._mono()
        buttons: dict[str, Callable[[], object]] = {
            "dial": lambda: line.dial(argument, now),
            "answer": lambda: line.answer(now),
            "reject": lambda: line.reject(now),
            "hangup": lambda: line.hang_up(now),
            "hold": lambda: line.hold(now),
            "resume": lambda: line.resume(now),
            "transfer": lambda: line.transfer(argument, now),
            "press": lambda: line.press(argument, now),
        }
        button = buttons.get(action)
        if button is None:
            raise CannotDo(f"{action} is no button")
        if not self._press(button):
            raise CannotDo(f"{self.id} cannot {action} {argument}".rstrip() + f" while it {_doing(line)}")


class LabDevice(_OnALine):
    """One line of one box in the lab."""

    def __init__(self, house: House, phone: AnyPhone, extension: Extension) -> None:
        self._house, self._phone, self._extension = house, phone, extension
        self.id = extension.device

    @property
    def extension(self) -> str:
        return self._extension.extension

    @property
    def number(self) -> str:
        return self._extension.extension

    @property
    def label(self) -> str:
        line = self._line()
        return line.account.label if line is not None else ""

    @property
    def family(self) -> str:
        return self._phone.family.name

    @property
    def model(self) -> str:
        return self._phone.box.model

    @property
    def site(self) -> str:
        return self._extension.site

    @property
    def mac(self) -> str:
        return self._phone.box.mac

    @property
    def traits(self) -> frozenset[str]:
        own = frozenset(self._house.lab_seed.traits.get(self.extension, ()))
        return own | {"direct"} if self.direct_number else own

    @property
    def direct_number(self) -> str:
        wanted = (NumberRoute(to=ToUser(extension=self.extension)),)
        found = (number.number for number in self._house.directory.numbers if number.routes == wanted)
        return next(found, "")

    @property
    def capabilities(self) -> frozenset[str]:
        known = _PYVOIP if isinstance(self._phone, PyvoipPhone) else _SIMULATED
        return known - {"screen"} if self._phone.family.fxs_ports else known

    @property
    def registered(self) -> bool:
        line = self._line()
        return line is not None and line.registered

    @property
    def screen(self) -> str:
        if self._phone.family.fxs_ports:
            return ""
        lines = card(shown(self._phone, self._extension), self._house.now).screen
        return "\n".join(line for line in lines if line)

    @property
    def lamp(self) -> bool:
        line = self._line()
        return line is not None and line.waiting.lit

    def do(self, action: str, argument: str = "") -> None:
        if action == "reboot":
            self._press(lambda: self._phone.reboot(self._mono()))
            return
        if action == "dial" and not self.registered:
            raise CannotDo(f"{self.id} is not registered")
        super().do(action, argument)

    def power(self, on: bool) -> None:
        self._house.power(on, [self._phone])

    def _line(self) -> AnyLine | None:
        return self._phone.line(self._extension.port)

    def _press(self, button: Callable[[], object]) -> object:
        return self._house.press(self._phone, button)

    def _mono(self) -> float:
        return self._house.now.mono


class OutsideDevice(_OnALine):
    """A telephone outside, held by the plan."""

    extension = site = mac = screen = direct_number = ""
    lamp = False
    registered = True
    family, model = "outside", "telephone"
    capabilities = _OUTSIDE

    def __init__(self, house: House, number: str, habit: Habit) -> None:
        self._house, self._habit = house, habit
        self.id = self.number = number

    @property
    def label(self) -> str:
        return self._outside().account.display_name or self.number

    @property
    def traits(self) -> frozenset[str]:
        return frozenset({self._habit.value})

    @property
    def name(self) -> str:
        return self._outside().account.display_name

    def _outside(self) -> Line:
        return self._house.carrier.line(self.number)

    def _line(self) -> AnyLine | None:
        return self._outside()

    def _press(self, button: Callable[[], object]) -> object:
        return self._house.press_outside(button)

    def _mono(self) -> float:
        return self._house.now.mono


class LabBench:
    """The lab as plans see it."""

    def __init__(self, house: House) -> None:
        self._house = house
        inside = [LabDevice(house, phone, extension) for phone in house.phones for extension in phone.extensions]
        self._inside = {device.id: device for device in inside}
        self._outside = [
            OutsideDevice(house, number, habit)
            for number, habit in house.carrier.habits.items()
            if habit is Habit.PERSON
        ]

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
        return [*(self._inside[key] for key in sorted(self._inside)), *self._outside]

    def numbers(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for number, habit in self._house.carrier.habits.items():
            if habit in _BY_ITSELF:
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
        if not self._house.command_switch(lambda switch, now: switch.resync(device, now)):
            raise CannotDo(f"{device} is not registered: nowhere to send the NOTIFY")

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
            switch.lamps.box_changed(box, now)

        self._house.command_switch(empty)

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
        users = tuple(changed if item.extension == changed.extension else item for item in directory.users)
        self._house.apply(directory.replaced(users=users), f"user {changed.extension}")

    def _reopen(self, arguments: Mapping[str, str]) -> None:
        self._house.reopen_provisioning(self._device(arguments["device"]).mac or "")

    def _unplug(self, arguments: Mapping[str, str]) -> None:
        self._inside[arguments["device"]].power(False)

    def _plug(self, arguments: Mapping[str, str]) -> None:
        self._inside[arguments["device"]].power(True)

    def _device(self, device: str) -> Device:
        return self._house.directory.devices_by_id[device]


_OPERATOR: dict[str, Callable[[LabBench, Mapping[str, str]], None]] = {
    "resync": LabBench._resync,
    "relabel": LabBench._relabel,
    "dnd": LabBench._do_not_disturb,
    "empty_mailbox": LabBench._empty_mailbox,
    "restart": LabBench._restart,
    "rule": LabBench._rule,
    "provisioning_reopen": LabBench._reopen,
    "unplug": LabBench._unplug,
    "plug": LabBench._plug,
}


def _on(state: str) -> bool:
    if state not in ("on", "off"):
        raise CannotDo(f"state is on or off, not {state!r}")
    return state == "on"


def _doing(line: AnyLine) -> str:
    call = line.call
    if call is None:
        return "is idle"
    return f"is {call.state.value}" + (" on hold" if call.on_hold else "")
