"""A site of a virtual world behind its router: its phones and a laptop that assesses the network, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Container

from lab.clockwork import Clockwork, seeded_token
from lab.network.datagrams import Datagram, End
from lab.network.findings import judged
from lab.network.mirror import Mirror
from lab.network.networks import Assessment
from lab.network.presets import Network, network
from lab.network.probe import Probe, Wanted
from lab.network.router import NAT_PMP_PORT, Router
from lab.wire import Packet
from pbx.clock import FOREVER
from pbx.sip.address import Peer

MIRROR = Peer("udp", "10.0.0.3", 5060)
_MIRROR_PORTS = (5060, 5062, 16_000)
_LAPTOP_FIRST_PORT = 40_000
GOOD = network("good-lan")


class Attached:
    """An end at an address of the wire."""

    def __init__(self, clockwork: Clockwork, host: str, end: End) -> None:
        self._clockwork, self._host, self.end = clockwork, host, end
        self._armed = FOREVER
        clockwork.tap(host, self._taken)

    def settle(self) -> None:
        """Carry out what the last input caused: call it after commanding the end directly."""
        for out in self.end.take_outgoing():
            source = Peer("udp", self._host, out.port)
            self._clockwork.wire.send(source, out.peer, out.data, self._clockwork.mono, out.dscp)
        due = self.end.next_deadline()
        if due < self._armed:
            self._armed = due
            self._clockwork.later(due - self._clockwork.mono, lambda: self._due(due))

    def _taken(self, packet: Packet) -> None:
        self.end.receive(Datagram(packet.to.port, packet.source, packet.data, packet.dscp), self._clockwork.mono)
        self.settle()

    def _due(self, armed: float) -> None:
        if armed != self._armed:
            return  # an older arming
        self._armed = FOREVER
        self.end.tick(self._clockwork.mono)
        self.settle()


class VirtualSite:
    """Puts a network between the hosts for which `inside` holds and all others, until `close`."""

    def __init__(
        self, clockwork: Clockwork, inside: Callable[[str], bool], network: Network, *, number: int = 0
    ) -> None:
        """`number` tells sites of one world apart."""
        self._clockwork, self.network, self._number = clockwork, network, number
        self._laptop, self._gateway = f"10.1.{number}.2", f"10.1.{number}.1"
        between, public = f"192.168.{number}.2", f"203.0.113.{number + 1}"

        def within(host: str) -> bool:
            return host in (self._laptop, self._gateway) or inside(host)

        router = Router(within, between if network.modem else public, network.router, gateway=self._gateway)
        self.routers = [router]
        if network.modem is not None:
            self.routers.append(Router(lambda host: host == between, public, network.modem))
        clockwork.wire.put_between(self.routers)
        clockwork.wire.impair(network.to_provider, source=public)
        clockwork.wire.impair(network.from_provider, to=public)
        clockwork.tap(self._gateway, self._asked)
        self._public = public

    def close(self) -> None:
        wire = self._clockwork.wire
        wire.take_out(self.routers)
        wire.unimpair(source=self._public)
        wire.unimpair(to=self._public)

    def assessment(self, wanted: Wanted | None = None) -> Probe:
        """Begin an assessment against the mirror of this world; it is `done` when enough time has passed."""
        wanted = wanted or Wanted()
        token = seeded_token(self._number, f"probe/{self._clockwork.mono}")
        ports = range(_LAPTOP_FIRST_PORT, _LAPTOP_FIRST_PORT + wanted.ports)
        probe = Probe(self._laptop, ports, MIRROR, gateway=self._gateway, wanted=wanted, token=token)
        attached = Attached(self._clockwork, self._laptop, probe)
        probe.start(self._clockwork.mono)
        attached.settle()
        return probe

    def _asked(self, packet: Packet) -> None:
        answer = self.routers[0].answer(packet)
        if answer is not None:
            own = Peer("udp", self._gateway, NAT_PMP_PORT)
            self._clockwork.wire.send(own, packet.source, answer, self._clockwork.mono)


class VirtualNetworks:
    """The networks of a world's sites; `phones_at` gives the addresses of a site's phones, `relinked` is told of a site
    whose cables were moved."""

    def __init__(
        self,
        clockwork: Clockwork,
        phones_at: Callable[[str], Container[str]],
        relinked: Callable[[str], None] = lambda site: None,
    ) -> None:
        self._clockwork, self._phones_at, self._relinked = clockwork, phones_at, relinked
        self._sites: dict[str, VirtualSite] = {}
        self._numbers = 0
        attach_mirror(clockwork)

    def put(self, site: str, network: Network | None) -> None:
        before = self._sites.pop(site, None)
        if before is not None:
            before.close()
        if network is not None:
            self._sites[site] = self._behind(site, network)
        self._relinked(site)

    def assess(self, site: str, wanted: Wanted) -> Assessment:
        """A site that is behind nothing is measured behind a good LAN: everybody has a router."""
        behind = self._sites.get(site) or self._behind("", GOOD)
        running = Assessment(site)
        probe = behind.assessment(wanted)

        def look() -> None:
            if probe.done:
                running.verdict = judged(probe.facts())
                if site not in self._sites:
                    behind.close()
            else:
                self._clockwork.later(1.0, look)

        look()
        return running

    def _behind(self, site: str, network: Network) -> VirtualSite:
        hosts = self._phones_at(site) if site else ()
        self._numbers = self._numbers % 200 + 1
        return VirtualSite(self._clockwork, hosts.__contains__, network, number=self._numbers)


def attach_mirror(clockwork: Clockwork) -> Attached:
    """Put the provider's end into a world."""
    return Attached(clockwork, MIRROR.host, Mirror(_MIRROR_PORTS, b"mirror"))
