"""A lab of either world, as the bench and the console use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from lab.browser import Answered, Asked
from lab.carrier import Carrier
from lab.control.by_sip import SipControl
from lab.control.controls import Controls
from lab.faults import Faults
from lab.faxes.cabinet import Cabinet
from lab.laptop import Laptop
from lab.mail.outbox import Outbox
from lab.network.networks import Networks
from lab.people import People
from lab.phones.line import Line
from lab.phones.phone import Phone
from lab.phones.pyvoip_line import PyvoipLine
from lab.phones.pyvoip_phone import PyvoipPhone
from lab.seeds.model import LabSeed
from pbx.bus import Bus
from pbx.callflow.ports import History
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.switch.switch import Switch
from provisioning_server.overlay import Scalar

AnyPhone = Phone | PyvoipPhone
AnyLine = Line | PyvoipLine


class Cabling(Protocol):
    """What stands between phones and servers, and computers beside them."""

    @property
    def laptops(self) -> Sequence[Laptop]: ...

    def press_laptop(self, laptop: Laptop, button: Callable[[], object]) -> object: ...

    def provision(self, on: bool) -> None:
        """The provisioning server answers, or is away."""
        ...

    @property
    def base_url(self) -> str:
        """Of the provisioning server, without a path."""
        ...

    def first_url(self, device: str) -> str:
        """Where a factory-fresh box fetches, its one-time token included."""
        ...


class Portal(Protocol):
    """The console's port with its pages and its API, as browsers reach it."""

    ahead_s: float
    """How far the clock of its doors is ahead of the lab's: links and sessions are older by that."""

    def carry(self, asked: Asked, answered: Callable[[Answered], None]) -> None: ...


class House(Protocol):
    """What is asked of it, and what it is told to do."""

    bus: Bus
    directory: Directory
    outbox: Outbox
    """Mail that was sent; switched off, it puts off whatever comes."""

    people: People
    """Who is asked where no machine can do or see it."""

    @property
    def controls(self) -> Controls:
        """Commands to physical phones; a virtual world has none."""
        ...

    @property
    def sip_control(self) -> SipControl:
        """Commands to any phone, by the switch itself."""
        ...

    @property
    def faults(self) -> Faults:
        """What ails the lines of its phones."""
        ...

    @property
    def networks(self) -> Networks: ...

    @property
    def portal(self) -> Portal | None:
        """None where no console is open."""
        ...

    @property
    def carrier(self) -> Carrier: ...

    @property
    def trunks(self) -> Sequence[Carrier]:
        """The carrier's own, then those that are taken in its place."""
        ...

    @property
    def lab_seed(self) -> LabSeed: ...

    @property
    def virtual(self) -> bool: ...

    @property
    def now(self) -> Moment: ...

    @property
    def hour(self) -> Moment:
        """What the office takes the moment for: time frames go by it."""
        ...

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

    @property
    def cabinet(self) -> Cabinet:
        """The pages of the switch's faxes."""
        ...

    @property
    def machines_cabinet(self) -> Cabinet:
        """Those of the fax machines on the bench and outside."""
        ...

    def press(self, phone: AnyPhone, button: Callable[[], object]) -> object: ...

    def press_outside(self, button: Callable[[], object]) -> object: ...

    def power(self, on: bool, phones: Sequence[AnyPhone] | None = None) -> None: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...

    def apply(self, directory: Directory, what: str = "directory") -> None: ...

    def restart_switch(self) -> None:
        """Kill the switch and start another from the store; in the real world it is back a moment later."""
        ...

    def reopen_provisioning(self, mac: str) -> None: ...

    def say_once(self, device: str, settings: Mapping[str, Scalar]) -> None:
        """Give the device's box values for one fetch; `inventory.Refused` says what cannot be."""
        ...

    @property
    def cabling(self) -> Cabling | None:
        """What is between phones and servers, where the lab has it in hand; a real lab's cables are what they are."""
        ...
