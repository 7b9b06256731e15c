"""The virtual world: switch, phones, carrier and provisioning on one clock that jumps, over one wire, from one seed.

The same seed gives the same run, to the byte of every message. The switch may be killed and started again from what
its store had kept; a phone may lose its power; the wire may get worse at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from lab.carrier import NUMBERS, Carrier, Habit
from lab.clockwork import Clockwork, Node, seeded_token
from lab.control.by_sip import SipControl
from lab.control.controls import Controls
from lab.cores import SwitchCore
from lab.errors import Away
from lab.faults import Faults, Line
from lab.faxes.cabinet import Table
from lab.house import AnyPhone, Portal
from lab.inventory import Station, dhcp_answer, stations
from lab.laptop import Laptop
from lab.mail.outbox import Outbox
from lab.mail.virtual_post import VirtualPost
from lab.network.virtual_site import VirtualNetworks
from lab.people import People
from lab.phones.boot import BootPace
from lab.phones.family import Fetch, Fetched
from lab.phones.line import Line as PhoneLine
from lab.phones.phone import PNP_GROUP, Phone
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.virtual_pnp import VirtualPnp
from lab.wire import Impairment, Wire, WireCounts
from pbx.bus import Bus
from pbx.callflow.ports import History
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.events import Event, Stamped, TimeFrameSwitched
from pbx.media.virtual import Kept
from pbx.media.virtual_speaking import BEAT_S
from pbx.sip.address import Peer
from pbx.sip.stack import Stack
from pbx.switch.settings import SwitchSettings
from pbx.switch.switch import Switch
from provisioning_server.overlay import Scalar

SWITCH = Peer("udp", "10.0.0.1", 5060)
PROVISIONING_HOST = "10.0.0.2"
CARRIER = Peer("udp", "10.0.0.9", 5060)
SECOND_CARRIER = Peer("udp", "10.0.0.8", 5060)
FETCH_S = 0.02
"""How long the provisioning server takes over one file."""


class Keeper(Protocol):
    """The store of a world: a history that survives the switch."""

    @property
    def history(self) -> History: ...

    def restarted(self) -> Keeper:
        """Return the store as a new process would find it."""
        ...


class Provisioner(Protocol):
    """The provisioning server as phones of this world reach it."""

    def url(self, station: Station) -> str:
        """Return what discovery (or a person) tells the phone."""
        ...

    def fetch(self, wanted: Fetch, address: str, now: Moment) -> Fetched: ...

    def reopen(self, mac: str) -> None:
        """Let a box in by its first token once more."""
        ...

    def discovered(self, data: bytes, source: tuple[str, int], ours: tuple[str, int], now: Moment) -> tuple[bytes, ...]:
        """Answer a phone that asks everybody by SIP PnP."""
        ...

    def first_url(self, device: str) -> str: ...

    def say_once(self, device: str, settings: Mapping[str, Scalar], now: Moment) -> None:
        """Give the device's box values for one fetch; `inventory.Refused`."""
        ...


class World:
    """Owns everything of one virtual lab. `run` lets time pass."""

    def __init__(
        self,
        seed: Seed,
        *,
        number: int,
        keeper: Keeper,
        provisioner: Callable[[World], Provisioner],
        seconds_of: Callable[[str], float],
        impairment: Impairment | None = None,
        settings: SwitchSettings | None = None,
        pace: BootPace | None = None,
        longest_beat_s: float = BEAT_S,
        laptops: int = 0,
    ) -> None:
        """`number` is the seed of chance, `seconds_of` knows how long a prompt is, `longest_beat_s` is the engines'."""
        self.seed, self.number = seed, number
        self.directory = seed.directory
        self.wire = Wire(number, impairment)
        self.clockwork = Clockwork(self.wire, seed.start, longest_beat_s)
        self.bus = Bus()
        self._seconds_of = seconds_of
        self._keeper = keeper
        self._settings = settings or SwitchSettings(carrier=CARRIER)
        self._starts = 0
        self._provides = True
        self._recordings: dict[str, Kept] = {}
        self._documents: dict[str, bytes] = {}
        self.cabinet = self.machines_cabinet = Table(self._documents)
        self.switch_engine = self.clockwork.engine(SWITCH.host, seconds_of, self._recordings, self._documents)
        self.switch_node = self._start_switch()
        self.bus.subscribe(self._frame_switched, [TimeFrameSwitched])
        self.outbox = Outbox()
        self.people = People(self.clockwork.now)
        self.sip_control = SipControl(self)
        self.faults = Faults(self, self.clockwork.now, self.publish, self.clockwork.later)
        self.networks = VirtualNetworks(self.clockwork, self._phones_at, self._relinked)
        self.post = VirtualPost(self, self.outbox, self.clockwork.later)
        self._pace = pace or BootPace()
        self.provisioner = provisioner(self)
        self.portal: Portal | None = None
        """Set by the composition, where plans are run."""
        group = VirtualPnp(PNP_GROUP, self.provisioner.discovered, lambda: self.now)
        engine = self.clockwork.engine(PNP_GROUP.host, seconds_of)
        self.clockwork.add(Node("pnp", PNP_GROUP.host, PNP_GROUP.port, group, engine))
        self.carrier_node, self.carrier = self._start_carrier("carrier", CARRIER)
        self.trunks = (self.carrier, self._start_carrier("second carrier", SECOND_CARRIER)[1])
        self.phones: list[Phone] = []
        self._phone_of: dict[str, Phone] = {}
        self._phone_nodes: dict[Phone, Node] = {}
        for at, station in enumerate(stations(self.directory, tftp=seed.lab.tftp, untold=seed.lab.untold), start=1):
            self._plug_in(station, f"10.0.1.{at}")
        self.laptops: list[Laptop] = []
        self._laptop_nodes: dict[Laptop, Node] = {}
        for at in range(1, laptops + 1):
            self._open_laptop(f"10.0.3.{at}")

    @property
    def controls(self) -> Controls:
        raise Away("no physical phone is in a virtual world")

    # --- time -----------------------------------------------------------------------------------------

    @property
    def virtual(self) -> bool:
        return True

    @property
    def lab_seed(self) -> LabSeed:
        return self.seed.lab

    @property
    def now(self) -> Moment:
        return self.clockwork.now()

    @property
    def hour(self) -> Moment:
        return self.clockwork.now()

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let at most `seconds` pass, or until `until` holds; return whether it does."""
        return self.clockwork.run_until(self.clockwork.mono + seconds, until)

    # --- the switch -----------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self.switch_node.on

    @property
    def switch(self) -> Switch:
        core = self.switch_node.core
        assert isinstance(core, SwitchCore)
        return core.switch

    @property
    def history(self) -> History:
        return self._keeper.history

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object:
        """Do something to the switch and carry out what follows."""
        result = command(self.switch, self.now)
        self.clockwork.settle(self.switch_node)
        return result

    def apply(self, directory: Directory, what: str = "directory") -> None:
        """Put a new snapshot into force, for provisioning too."""
        self.directory = directory
        self.command_switch(lambda switch, now: switch.apply(directory, now, what))

    def _frame_switched(self, stamped: Stamped) -> None:
        """The switch has made a snapshot of its own: it is everybody's."""
        self.directory = self.switch.configured

    def restart_switch(self, away_s: float = 1.0) -> None:
        """Kill the switch where it stands; a new one starts from the store `away_s` later."""
        self.clockwork.remove(self.switch_node)
        self.clockwork.later(0.0, self._break_connections)
        self.clockwork.later(away_s, self._return_switch)

    def _break_connections(self) -> None:
        """The kernel of a killed process closes its connections: phones on TCP are told at once."""
        peer = Peer("tcp", SWITCH.host, SWITCH.port)
        for phone, node in self._phone_nodes.items():
            phone.closed(peer, self.clockwork.mono)
            self.clockwork.settle(node)

    def _return_switch(self) -> None:
        self._keeper = self._keeper.restarted()
        self.switch_engine = self.clockwork.engine(SWITCH.host, self._seconds_of, self._recordings, self._documents)
        self.switch_node = self._start_switch()
        self.post.restarted()

    def _phones_at(self, site: str) -> frozenset[str]:
        """The addresses of a site's phones."""
        there = (phone for phone in self.phones if any(one.site == site for one in phone.extensions))
        return frozenset(self._phone_nodes[phone].host for phone in there)

    def _relinked(self, site: str) -> None:
        """A phone whose link was gone and is back registers anew: its old address may lead nowhere."""
        for phone in self.phones:
            if any(one.site == site for one in phone.extensions):
                self.press(phone, partial(phone.relinked, self.clockwork.mono))

    def reopen_provisioning(self, mac: str) -> None:
        self.provisioner.reopen(mac)

    def say_once(self, device: str, settings: Mapping[str, Scalar]) -> None:
        self.provisioner.say_once(device, settings, self.now)

    @property
    def cabling(self) -> World:
        return self

    def provision(self, on: bool) -> None:
        self._provides = on

    @property
    def base_url(self) -> str:
        return f"http://{PROVISIONING_HOST}"

    def first_url(self, device: str) -> str:
        return self.provisioner.first_url(device)

    # --- cables ---------------------------------------------------------------------------------------

    def lines(self) -> Sequence[Line]:
        return [Line(phone.extensions[0].device, phone.extensions[0].site) for phone in self.phones]

    def impair_line(self, device: str, ways: tuple[Impairment, Impairment] | None) -> None:
        host = self._phone_nodes[self.phone(device)].host
        if ways is None:
            self.wire.unimpair(source=host)
            self.wire.unimpair(to=host)
        else:
            self.wire.impair(ways[0], source=host)
            self.wire.impair(ways[1], to=host)

    def drop_next(self, device: str, outward: bool, count: int, beginning: bytes) -> None:
        host = self._phone_nodes[self.phone(device)].host
        if outward:
            self.wire.drop_next(count, beginning, source=host)
        else:
            self.wire.drop_next(count, beginning, to=host)

    def counts(self, device: str) -> tuple[WireCounts, WireCounts]:
        host = self._phone_nodes[self.phone(device)].host
        return self.wire.counts_of(host, "*"), self.wire.counts_of("*", host)

    # --- laptops --------------------------------------------------------------------------------------

    def press_laptop(self, laptop: Laptop, button: Callable[[], object]) -> object:
        result = laptop.act(button, self.clockwork.mono)
        self.clockwork.settle(self._laptop_nodes[laptop])
        return result

    def _open_laptop(self, host: str) -> None:
        token, engine = seeded_token(self.number, f"laptop/{host}"), self.clockwork.engine(host, self._seconds_of)

        def stack(agent: str) -> Stack:
            return Stack(dict.fromkeys(("udp", "tcp", "tls"), (host, 5060)), token=token, user_agent=agent)

        laptop = Laptop(host, stack, engine, server=SWITCH, domain=self.directory.domain.name, token=token)
        self.laptops.append(laptop)
        node = Node(f"laptop {host}", host, 5060, laptop, engine, after=lambda now: self._carry_for(laptop))
        self._laptop_nodes[laptop] = self.clockwork.add(node)

    def _carry_for(self, laptop: Laptop) -> None:
        for wanted in laptop.take_fetches():
            self.clockwork.later(FETCH_S, lambda wanted=wanted: laptop.fetched(self._answer(wanted, laptop.host)))  # type: ignore[misc]

    def _answer(self, wanted: Fetch, host: str) -> Fetched:
        """A server that is away does not answer, and a cable that is cut carries nothing."""
        cut = self.wire.impairment(host, PROVISIONING_HOST).loss >= 1.0
        return Fetched(0) if cut or not self._provides else self.provisioner.fetch(wanted, host, self.now)

    def _start_switch(self) -> Node:
        self._starts += 1
        switch = Switch(
            self.directory,
            dict.fromkeys(("udp", "tcp", "tls"), (SWITCH.host, SWITCH.port)),
            engine=self.switch_engine,
            bus=self.bus,
            token=seeded_token(self.number, f"switch/{self._starts}"),
            history=self._keeper.history,
            now=self.now,
            settings=self._settings,
        )
        core = SwitchCore(switch, lambda mono: self.now)
        return self.clockwork.add(Node("switch", SWITCH.host, SWITCH.port, core, self.switch_engine))

    # --- the outside ----------------------------------------------------------------------------------

    def _start_carrier(self, name: str, at: Peer) -> tuple[Node, Carrier]:
        token = seeded_token(self.number, name)
        engine = self.clockwork.engine(at.host, self._seconds_of, documents=self._documents)
        outside = {item.number: Habit(item.habit) for item in self.seed.lab.carrier}
        carrier = Carrier(
            Stack({"udp": (at.host, at.port)}, token=token, user_agent="Switchroom carrier"),
            engine,
            token=token,
            switch=SWITCH,
            domain=self.directory.domain.name,
            numbers=outside or NUMBERS,
            names={item.number: item.name for item in self.seed.lab.carrier},
        )
        return self.clockwork.add(Node(name, at.host, at.port, carrier, engine)), carrier

    def press_outside(self, button: Callable[[], object]) -> object:
        """Do something at a telephone outside and carry out what follows."""
        result = self.carrier.act(button, self.clockwork.mono)
        self.clockwork.settle(self.carrier_node)
        return result

    # --- phones ---------------------------------------------------------------------------------------

    def phone(self, device: str) -> Phone:
        """Return the box a device is on; KeyError when none is."""
        return self._phone_of[device]

    def line(self, device: str) -> PhoneLine:
        """Return a device's line; KeyError while the phone has not read its configuration."""
        line = self.phone(device).line_of(device)
        if line is None:
            raise KeyError(device)
        return line

    def press(self, phone: AnyPhone, button: Callable[[], object]) -> object:
        """Press something on a phone and carry out what follows."""
        assert isinstance(phone, Phone), "pyVoIP phones live in the real world"
        result = phone.act(button, self.clockwork.mono)
        self.clockwork.settle(self._phone_nodes[phone])
        return result

    def power(self, on: bool, phones: Sequence[AnyPhone] | None = None) -> None:
        for phone in self.phones if phones is None else phones:
            assert isinstance(phone, Phone), "pyVoIP phones live in the real world"
            (phone.power_on if on else phone.power_off)(self.clockwork.mono)
            self.clockwork.settle(self._phone_nodes[phone])

    def boot_all(self, within_s: float = 60.0) -> bool:
        """Power every phone and let time pass until all are registered; return whether they are."""
        self.power(True)
        return self.run(within_s, self.all_registered)

    def all_registered(self) -> bool:
        return all(phone.lines and all(line.registered for line in phone.lines) for phone in self.phones)

    def publish(self, event: Event) -> None:
        self.bus.publish(event, self.now)

    def live(self) -> dict[str, int]:
        """What is in progress anywhere, by who and what; all zero when a lab is idle (leak checks)."""
        counts = {f"switch {name}": count for name, count in self.switch.live().items()}
        for name in (live := [trunk.live() for trunk in self.trunks])[0]:
            counts[f"carrier {name}"] = sum(one[name] for one in live)
        for alive in (*(phone.live() for phone in self.phones), *(laptop.live() for laptop in self.laptops)):
            for name, count in alive.items():
                counts[f"phones {name}"] = counts.get(f"phones {name}", 0) + count
        for node in self.clockwork.nodes():
            if node is not self.switch_node:
                counts["media of others"] = counts.get("media of others", 0) + node.engine.live()
        return counts

    def _plug_in(self, station: Station, host: str) -> None:
        name = f"phone/{station.device}"
        token = seeded_token(self.number, name)
        engine = self.clockwork.engine(host, self._seconds_of, documents=self._documents)
        url = self.provisioner.url(station)
        box = station.box(typed_url=url)
        phone = Phone(
            station.family,
            box,
            station.extensions,
            dhcp=dhcp_answer(station, url),
            make_stack=lambda: Stack(
                dict.fromkeys(("udp", "tcp", "tls"), (host, 5060)),
                token=token,
                user_agent=station.family.user_agent(box),
            ),
            engine=engine,
            token=token,
            pace=self._pace,
        )
        self.phones.append(phone)
        self._phone_of |= dict.fromkeys((extension.device for extension in station.extensions), phone)
        node = Node(name, host, 5060, phone, engine, after=lambda now: self._carry_fetches(phone))
        self._phone_nodes[phone] = self.clockwork.add(node)

    def _carry_fetches(self, phone: Phone) -> None:
        for number, wanted in phone.take_fetches():
            self.clockwork.later(FETCH_S, partial(self._fetched, phone, number, wanted))

    def _fetched(self, phone: Phone, number: int, wanted: Fetch) -> None:
        node = self._phone_nodes[phone]
        answer = self._answer(wanted, node.host)
        phone.fetched(number, answer, self.clockwork.mono)
        self.clockwork.settle(node)
