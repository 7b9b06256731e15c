"""The wire of the virtual world: datagrams in memory, with the faults a real one has, from one seed.

A packet put on the wire comes out at a later moment, never at once, in an order that depends on nothing but
the seed and the order of sending. Each direction of a link draws its faults from its own sequence, so that
one phone's traffic does not change what happens to another's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Protocol

from pbx.sip.address import Peer


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a direction of a link does to datagrams; chances are 0..1."""

    delay_s: float = 0.005
    jitter_s: float = 0.0
    """Added to the delay, uniformly drawn from 0..jitter_s: enough of it reorders."""
    loss: float = 0.0
    duplication: float = 0.0
    kbit_s: float = 0.0
    """What it carries, headers of IP and UDP counted; 0 for as much as comes."""

    @property
    def is_steady(self) -> bool:
        """Everything comes, once and in order, always as late."""
        return self.loss == self.duplication == self.jitter_s == self.kbit_s == 0.0


class Packet(NamedTuple):
    source: Peer
    to: Peer
    data: bytes
    dscp: int = 0


@dataclass(slots=True)
class WireCounts:
    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    delivered: int = 0
    """Of the whole wire; a way counts what it lets go on."""


@dataclass(slots=True)
class _Way:
    """A direction of a link that is not like the others."""

    impairment: Impairment
    counts: WireCounts = field(default_factory=WireCounts)
    dropped_next: list[tuple[bytes, int]] = field(default_factory=list)
    """How many of those that begin so are still to be lost."""

    @property
    def is_steady(self) -> bool:
        return self.impairment.is_steady and not self.dropped_next

    def drops(self, data: bytes) -> bool:
        for at, (beginning, left) in enumerate(self.dropped_next):
            if data.startswith(beginning):
                self.dropped_next[at : at + 1] = [(beginning, left - 1)] if left > 1 else []
                return True
        return False


class Middlebox(Protocol):
    """What stands between hosts, as a site's router does."""

    def carry(self, packet: Packet, now: float) -> Packet | None:
        """Return the packet as it goes on; itself when it does not pass here, None when it goes no further."""
        ...


HEADERS = 28
"""Bytes of IPv4 and UDP before a datagram."""
_QUEUE_S = 0.25
"""How much a link holds that is slower than what comes; the rest is lost."""
LOST_UDP = frozenset({"udp"})
"""Transports that lose and double; a stream only delays (TCP repairs the rest below us)."""


class Wire:
    """Owns what is under way. `send` puts in, `take_due` gives out in order of arrival."""

    def __init__(self, seed: int, impairment: Impairment | None = None) -> None:
        self._seed = seed
        self._default = impairment or Impairment()
        self._links: dict[tuple[str, str], _Way] = {}
        self._chances: dict[tuple[str, str], Random] = {}
        self._stream_free: dict[tuple[Peer, Peer], float] = {}
        self._under_way: list[tuple[float, int, Packet]] = []
        self._order = 0
        self.counts = WireCounts()
        self._busy_until: dict[tuple[str, str], float] = {}
        self._boxes: tuple[Middlebox, ...] = ()
        """From the innermost outward."""
        self._mutate: Callable[[Packet], Packet | None] | None = None
        self.before_change: list[Callable[[], None]] = []
        """Called while everything still is as it was."""
        self.is_steady = self._default.is_steady
        """Everything that is sent arrives, as it was sent."""

    def impair(self, impairment: Impairment, *, source: str = "*", to: str = "*") -> None:
        """Set what the direction `source` → `to` (hosts, `*` for any) does from now on."""
        self._announce()
        if source == to == "*":
            self._default = impairment
        elif (way := self._links.get((source, to))) is not None:
            way.impairment = impairment
        else:
            self._links[source, to] = _Way(impairment)
        self._settle()

    def drop_next(self, count: int, beginning: bytes = b"", *, source: str = "*", to: str = "*") -> None:
        """Lose the next `count` datagrams of a direction that begin so (`INVITE `)."""
        self._announce()
        self._links.setdefault((source, to), _Way(self._default)).dropped_next.append((beginning, count))
        self._settle()

    def counts_of(self, source: str, to: str) -> WireCounts:
        """Return what has become of the datagrams of an impaired direction; zeros for one that is like the others."""
        way = self._links.get((source, to))
        return way.counts if way is not None else WireCounts()

    def unimpair(self, *, source: str = "*", to: str = "*") -> None:
        """Let a direction be like all others again."""
        self._announce()
        self._links.pop((source, to), None)
        self._settle()

    def put_between(self, boxes: Sequence[Middlebox]) -> None:
        """Let packets pass these, from the innermost outward."""
        self._announce()
        self._boxes = (*self._boxes, *boxes)
        self._settle()

    def take_out(self, boxes: Collection[Middlebox]) -> None:
        self._announce()
        self._boxes = tuple(box for box in self._boxes if box not in boxes)
        self._settle()

    def mutate(self, change: Callable[[Packet], Packet | None]) -> None:
        """Inject a fault: `change` returns the packet to carry, or None to lose it."""
        self._announce()
        self._mutate = change
        self._settle()

    def _announce(self) -> None:
        for tell in self.before_change:
            tell()

    def _settle(self) -> None:
        links = self._default.is_steady and all(way.is_steady for way in self._links.values())
        self.is_steady = links and not self._boxes and self._mutate is None

    def impairment(self, source: str, to: str) -> Impairment:
        way = self._way(source, to)
        return way.impairment if way is not None else self._default

    def _way(self, source: str, to: str) -> _Way | None:
        if not self._links:
            return None
        for key in ((source, to), (source, "*"), ("*", to)):
            found = self._links.get(key)
            if found is not None:
                return found
        return None

    def send(self, source: Peer, to: Peer, data: bytes, now: float, dscp: int = 0) -> None:
        sent = Packet(source, to, data, dscp)
        self.counts.sent += 1
        if self.is_steady and to.transport in LOST_UDP:  # nothing to draw: what happens is known
            way = self._way(source.host, to.host)
            if way is not None:
                way.counts.sent += 1
                way.counts.delivered += 1
            self._enter(now + (way.impairment if way is not None else self._default).delay_s, sent)
            return
        packet = self._mutate(sent) if self._mutate is not None else sent
        if packet is not None and self._boxes:
            packet = self._through(packet, now)
        if packet is None:
            self.counts.lost += 1
            return
        # A link is that between the addresses the outside sees: translated where it leaves, not yet where it enters.
        way = self._way(packet.source.host, to.host)
        link = way.impairment if way is not None else self._default
        chance = self._chance(packet.source.host, to.host)
        if way is not None:
            way.counts.sent += 1
        if to.transport not in LOST_UDP:
            self._stream(packet, now + link.delay_s)
            return
        # Always the same number of draws a packet: the fate of one packet never shifts the fates of the next ones.
        lost, doubled, late, late_again = chance.random(), chance.random(), chance.random(), chance.random()
        queued = self._queued(packet, (packet.source.host, to.host), link, now) if link.kbit_s else 0.0
        if lost < link.loss or queued > _QUEUE_S or (way is not None and way.drops(packet.data)):
            self.counts.lost += 1
            if way is not None:
                way.counts.lost += 1
            return
        if way is not None:
            way.counts.delivered += 1
        self._enter(now + queued + link.delay_s + late * link.jitter_s, packet)
        if doubled < link.duplication:
            self.counts.duplicated += 1
            if way is not None:
                way.counts.duplicated += 1
            self._enter(now + queued + link.delay_s + late_again * link.jitter_s, packet)

    def next_arrival(self) -> float:
        """Return the moment of the next delivery in monotonic seconds, or `inf`."""
        return self._under_way[0][0] if self._under_way else float("inf")

    def take_due(self, now: float) -> Packet | None:
        """Return the next packet that has arrived by `now`, or None."""
        if not self._under_way or self._under_way[0][0] > now:
            return None
        self.counts.delivered += 1
        return heapq.heappop(self._under_way)[2]

    def __len__(self) -> int:
        return len(self._under_way)

    def _through(self, packet: Packet, now: float) -> Packet | None:
        """Outward the boxes come from the innermost, inward from the outermost: one way and back meets either."""
        carried: Packet | None = packet
        for box in (*self._boxes, *reversed(self._boxes[:-1])):
            if carried is not None:
                carried = box.carry(carried, now)
        return carried

    def _queued(self, packet: Packet, way: tuple[str, str], link: Impairment, now: float) -> float:
        """Return the seconds until the packet is wholly on a link of limited rate."""
        takes = 8 * (len(packet.data) + HEADERS) / (1000 * link.kbit_s)
        begins = max(now, self._busy_until.get(way, 0.0))
        if begins + takes - now <= _QUEUE_S:
            self._busy_until[way] = begins + takes
        return begins + takes - now

    def _stream(self, packet: Packet, arrives: float) -> None:
        """A stream keeps its order whatever the delay does."""
        key = (packet.source, packet.to)
        arrives = max(arrives, self._stream_free.get(key, 0.0))
        self._stream_free[key] = arrives
        self._enter(arrives, packet)

    def _enter(self, arrives: float, packet: Packet) -> None:
        self._order += 1
        heapq.heappush(self._under_way, (arrives, self._order, packet))

    def _chance(self, source: str, to: str) -> Random:
        chance = self._chances.get((source, to))
        if chance is None:
            # A string seeds through SHA-512: the same on every machine and every run, unlike `hash`.
            chance = self._chances[source, to] = Random(f"{self._seed}/{source}>{to}")
        return chance
