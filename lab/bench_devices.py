"""Phones of the lab and telephones outside, as a plan presses and watches them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

from lab.carrier import FAX_MACHINES, Habit
from lab.control.command import Refused
from lab.faxes.cabinet import Cabinet
from lab.faxes.paper import MOST_PAGES, BadDocument, digests, sample
from lab.house import AnyLine, AnyPhone, Cabling, House
from lab.inventory import key_names
from lab.laptop import Laptop
from lab.phones.chassis import Extension
from lab.phones.face import shown
from lab.phones.line import Line
from lab.phones.pyvoip_phone import PyvoipPhone
from lab.phones.screen import card
from pbx.domain.destinations import ToUser
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.emergency import EmergencyAddress
from pbx.domain.tenancy import Domain, Site, User
from pbx.numerals import natural
from test_plans.bench import CAPABILITIES, CannotDo, HeardSound, SeenFax

_LAPTOP = frozenset(
    {"fetch", "register", "repeat", "leave", "watch", "be", "dial", "answer", "reject", "hangup", "press", "hears",
     "hold", "resume"}
)  # fmt: skip
_SIMULATED = CAPABILITIES - {"fetch", "register", "repeat", "leave", "watch", "be", "fax"}
_PYVOIP = _SIMULATED - {"hold", "resume", "transfer", "attended", "conference", "lamp", "intercom"}
_MACHINE = frozenset({"fax", "hangup"})
_OUTSIDE = frozenset({"dial", "answer", "reject", "hangup", "press", "hears"})


class _OnALine(ABC):
    """What a phone and a telephone outside have in common: a line with buttons."""

    id: str
    _house: House
    host = ""
    patience_s = 0.0
    answer = (0, "")
    config: Mapping[str, str] = {}

    @property
    def key_names(self) -> Mapping[str, str]:
        return {}

    @property
    def shows(self) -> str:
        return self.hold_target

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        raise CannotDo(f"{self.id} is no laptop: it has no way to {action}")

    @abstractmethod
    def _line(self) -> AnyLine | None: ...

    @abstractmethod
    def _press(self, button: Callable[[], object]) -> object: ...

    @property
    @abstractmethod
    def capabilities(self) -> frozenset[str]: ...

    @abstractmethod
    def _mono(self) -> float: ...

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

    def faxes(self) -> Sequence[SeenFax]:
        line = self._line()
        if not isinstance(line, Line):
            return []
        cabinet = self._house.machines_cabinet
        return [
            SeenFax(seen.at, seen.sent, pages_of(cabinet, seen.document), seen.problem, seen.over)
            for seen in line.faxes
        ]

    def _fax(self, line: AnyLine, argument: str, now: float) -> object:
        """Put pages of the lab's own making into the machine, and call."""
        number, _, count = argument.partition(" ")
        if not isinstance(line, Line) or not 1 <= (natural(count) or 0) <= MOST_PAGES:
            raise CannotDo(f"{self.id} cannot fax {count} pages")
        name = f"{self.id}-sends-{len(line.faxes)}-{round(now * 1000)}"
        made = sample(int(count), crc32(name.encode()))
        self._house.machines_cabinet.put(name, made.tiff)
        return line.fax(number, name, made.pages, now)

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        if via not in ("", "soft"):
            raise CannotDo(f"{self.id} is one of the lab's own: there is no way to it by {via}")
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
            "conference": lambda: line.conference(now),
            "transfer": lambda: line.transfer(argument, now),
            "attended": lambda: line.attend(now) if isinstance(line, Line) else False,
            "press": lambda: line.press(argument, now),
            "fax": lambda: self._fax(line, argument, now),
        }
        button = buttons.get(action)
        if button is None:
            raise CannotDo(f"{action} is no button")
        if not self._press(button):
            raise CannotDo(f"{self.id} cannot {action} {argument}".rstrip() + f" while it {_doing(line)}")


class DirectNumbers:
    """Which number leads to a user at any hour; read once a snapshot, for a runner asks at every event."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._read: Directory | None = None
        self._by_extension: dict[str, str] = {}

    def of(self, extension: str) -> str:
        directory = self._house.directory
        if directory is not self._read:
            self._read = directory
            self._by_extension = {}
            for number in directory.numbers:
                if len(number.routes) != 1 or number.routes[0].time_frame != "*":
                    continue
                to = number.routes[0].to
                if isinstance(to, ToUser):
                    self._by_extension.setdefault(to.extension, number.number)
        return self._by_extension.get(extension, "")


class InTheDirectory:
    """What the configuration says of a device, whoever presses its buttons."""

    def __init__(self, house: House, device: str, extension: str, direct: DirectNumbers) -> None:
        self._house, self._direct = house, direct
        self.id, self.extension, self.number = device, extension, extension

    @property
    def traits(self) -> frozenset[str]:
        own = frozenset(self._house.lab_seed.traits.get(self.extension, ()))
        return own | {"direct"} if self.direct_number else own

    @property
    def key_names(self) -> Mapping[str, str]:
        return key_names(self._house.directory.devices_by_id[self.id].family)

    @property
    def direct_number(self) -> str:
        return self._direct.of(self.extension)

    @property
    def outside_number(self) -> str:
        return next((owner.caller_id for owner in self._owners() if owner.caller_id), "")

    @property
    def emergency_number(self) -> str:
        address = self._emergency()
        return address.callback if address is not None else ""

    @property
    def emergency_address(self) -> str:
        address = self._emergency()
        return address.line if address is not None else ""

    def _emergency(self) -> EmergencyAddress | None:
        """As the domain's records have it: worked out here, so that routing is not its own witness."""
        for owner in self._owners():
            for address in self._house.directory.addresses:
                if address.key == owner.emergency_address or address.callback == owner.emergency_caller_id:
                    return address
        return None

    def _owners(self) -> Iterator[Device | User | Site | Domain]:
        """Whose settings are this device's, most specific first."""
        directory = self._house.directory
        yield directory.devices_by_id[self.id]
        user = directory.users_by_extension[self.extension]
        yield user
        if user.site in directory.sites_by_name:
            yield directory.sites_by_name[user.site]
        yield directory.domain


class LabDevice(InTheDirectory, _OnALine):
    """One line of one box in the lab."""

    def __init__(self, house: House, phone: AnyPhone, extension: Extension, direct: DirectNumbers) -> None:
        super().__init__(house, extension.device, extension.extension, direct)
        self._phone, self._extension = phone, extension

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
    def capabilities(self) -> frozenset[str]:
        if self._extension.fax:
            return _MACHINE | {"reboot"}
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
    def config(self) -> Mapping[str, str]:  # type: ignore[override]
        config = self._phone.config
        return config.values if config is not None else {}

    @property
    def lamp(self) -> bool:
        line = self._line()
        return line is not None and line.waiting.lit

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        if via == "sip":
            by_sip(self._house, self.id, action, argument)
            return
        if action in ("reboot", "reset"):
            begin = self._phone.reboot if action == "reboot" else self._phone.factory_reset
            self._press(lambda: begin(self._mono()))
            return
        if action == "dial" and not self.registered:
            raise CannotDo(f"{self.id} is not registered")
        super().do(action, argument, via)

    @property
    def powered(self) -> bool:
        return self._phone.powered

    def power(self, on: bool) -> None:
        self._house.power(on, [self._phone])

    @property
    def phone(self) -> AnyPhone:
        return self._phone

    def _line(self) -> AnyLine | None:
        return self._phone.line(self._extension.port)

    def _press(self, button: Callable[[], object]) -> object:
        return self._house.press(self._phone, button)

    def _mono(self) -> float:
        return self._house.now.mono


class OutsideDevice(_OnALine):
    """A telephone outside, held by the plan."""

    extension = site = mac = screen = direct_number = emergency_number = emergency_address = ""
    lamp = False
    registered = True
    family, model = "outside", "telephone"

    def __init__(self, house: House, number: str, habit: Habit) -> None:
        self._house, self._habit = house, habit
        self.id = self.number = self.outside_number = number
        self._can = _MACHINE if habit in FAX_MACHINES else _OUTSIDE

    @property
    def capabilities(self) -> frozenset[str]:
        return self._can

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


class LaptopDevice(_OnALine):
    """A computer on the lab's network, which may be any device's softphone, or a stranger."""

    extension = site = mac = screen = label = ""
    direct_number = outside_number = emergency_number = emergency_address = ""
    lamp = False
    registered = True
    family, model = "laptop", "laptop"
    capabilities = _LAPTOP

    def __init__(self, house: House, cabling: Cabling, laptop: Laptop, name: str) -> None:
        self._house, self._cabling, self._laptop = house, cabling, laptop
        self.id = self.number = name
        self._suspect = laptop is cabling.laptops[-1]

    @property
    def traits(self) -> frozenset[str]:
        """The last one is for what a server slows its address down for."""
        return frozenset({"laptop", "suspect"} if self._suspect else {"laptop"})

    @property
    def host(self) -> str:  # type: ignore[override]
        return self._laptop.host

    @property
    def answer(self) -> tuple[int, str]:  # type: ignore[override]
        return self._laptop.answer.status, self._laptop.answer.text

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        if action in ("leave", "repeat"):
            act = self._laptop.leave if action == "leave" else self._laptop.repeat
            if not self._press(lambda: act(self._mono())):
                raise CannotDo(f"{self.id} has not registered")
            return
        super().do(action, argument, via)

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        laptop, now = self._laptop, self._mono()
        match action:
            case "fetch":
                url = arguments.get("path", "")
                url = self._cabling.base_url + url if url.startswith("/") else url
                if "device" in arguments:
                    url = self._cabling.first_url(arguments["device"])
                    if (token := arguments.get("token", "")) != "":
                        url = _with_token(url, token)
                self._press(lambda: laptop.fetch(url, arguments.get("agent", "curl/8")))
            case "be" | "register":
                self._be(arguments)
                if action == "register":
                    self._press(lambda: laptop.register(now))
            case "watch":
                if laptop.line is None:
                    raise CannotDo(f"{self.id} is nobody's softphone yet: `be` or `register` before")
                package, expires_s = arguments.get("package", "dialog"), int(arguments.get("expires", "3600"))
                self._press(lambda: laptop.watch(package, arguments["extension"], expires_s, now))

    def _be(self, arguments: Mapping[str, str]) -> None:
        device, password = arguments["device"], arguments.get("password", "")
        if not password:
            known = self._house.directory.devices_by_id.get(device)
            if known is None:
                raise CannotDo(f"there is no device {device}, and no password was said")
            password = known.password.get_secret_value()
        self._laptop.be(
            device, password, transport=arguments.get("transport", "udp"), agent=arguments.get("agent", ""),
            expires_s=int(arguments.get("expires", "3600")), codecs=arguments.get("codecs", ""),
        )  # fmt: skip

    def _line(self) -> AnyLine | None:
        return self._laptop.line

    def _press(self, button: Callable[[], object]) -> object:
        return self._cabling.press_laptop(self._laptop, button)

    def _mono(self) -> float:
        return self._house.now.mono


def by_sip(house: House, device: str, action: str, argument: str) -> None:
    """Let the switch do it; CannotDo when the phone does not obey, or has not answered yet."""
    try:
        obeyed = house.sip_control.do(device, action, argument)
    except Refused as refused:
        raise CannotDo(str(refused)) from refused
    if not obeyed:
        raise CannotDo(f"{device} has not answered yet")


def _with_token(url: str, token: str) -> str:
    """The same file by another token, or by none (`none`)."""
    head, _, file = url.rpartition("/")
    base = head.rpartition("/")[0]
    return f"{base}/{file}" if token == "none" else f"{base}/{token}/{file}"


def pages_of(cabinet: Cabinet, document: str) -> tuple[str, ...]:
    """Return the pages of a document by their dots; nothing when it is not there, or cannot be read."""
    tiff = cabinet.get(document) if document else None
    try:
        return digests(tiff) if tiff else ()
    except BadDocument:
        return ()


def _doing(line: AnyLine) -> str:
    call = line.call
    if call is None:
        return "is idle"
    return f"is {call.state.value}" + (" on hold" if call.on_hold else "")
