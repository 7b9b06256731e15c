"""Virtual time: one heap of deadlines, one wire, and nodes that are pure. The clock jumps to whatever comes next.

Nothing is polled. After every input a node says its next deadline once; a deadline that has moved is found out when
it comes up. Equal moments are served in order of arming, so that a run is repeatable to the byte.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Protocol

from lab.wire import Packet, Wire
from pbx.clock import FOREVER, Moment, moment_at
from pbx.media.virtual import Kept, VirtualEngine
from pbx.media.virtual_speaking import BEAT_S
from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing

MEDIA_FROM = 16_000
"""Ports from here up carry media segments, below SIP."""
SIGNALLING_CLASS, VOICE_CLASS = 26, 46
"""AF31 and EF, as phones and switch mark in the real world."""


class Core(Protocol):
    """A pure machine as the clockwork drives it; `now` is in monotonic seconds."""

    def receive(self, data: bytes, source: Peer, now: float) -> None: ...

    def woken(self, now: float) -> None:
        """The engine may have something to say: take its events."""
        ...

    def tick(self, now: float) -> None: ...

    def closed(self, peer: Peer, now: float) -> None:
        """A connection is gone."""
        ...

    def next_deadline(self) -> float: ...

    def take_outgoing(self) -> list[Outgoing]: ...


@dataclass(slots=True, eq=False)
class Node:
    """A core at an address, with its media engine."""

    name: str
    host: str
    port: int
    core: Core
    engine: VirtualEngine
    hold: Callable[[Outgoing], bool] | None = None
    """Takes an outgoing datagram that must wait (a commit ticket); False lets it go at once."""
    after: Callable[[float], None] | None = None
    """Runs after every input: what else a node's owner carries out (fetches)."""
    core_due: float = FOREVER
    """The core's deadline, as it said after its last input."""
    armed: float = FOREVER
    on: bool = True


class Clockwork:
    """Owns virtual time. `run_until` is the only place where it passes."""

    def __init__(self, wire: Wire, epoch: datetime, longest_beat_s: float = BEAT_S) -> None:
        """`longest_beat_s` is that of its media engines."""
        self.wire = wire
        wire.before_change.append(self._hasten)
        self._longest_beat_s = longest_beat_s
        self._epoch = epoch.astimezone(UTC)
        self._now = 0.0
        self._moment = moment_at(0.0, epoch)
        self._nodes: dict[str, Node] = {}
        self._taps: dict[str, Callable[[Packet], None]] = {}
        self._heap: list[tuple[float, int, Node | Callable[[], None]]] = []
        self._order = 0
        self.steps = 0

    @property
    def mono(self) -> float:
        return self._now

    def now(self) -> Moment:
        """Every input at one moment asks, many times over: it is made once."""
        if self._moment.mono != self._now:
            self._moment = moment_at(self._now, self._epoch)
        return self._moment

    # --- what is in it --------------------------------------------------------------------------------

    def engine(
        self,
        host: str,
        seconds_of: Callable[[str], float],
        recordings: dict[str, Kept] | None = None,
        documents: dict[str, bytes] | None = None,
    ) -> VirtualEngine:
        """Return a media engine at `host` whose segments go over the wire; `recordings` and `documents` outlive it."""

        def send(source: tuple[str, int], to: tuple[str, int], data: bytes) -> None:
            self.wire.send(Peer("udp", *source), Peer("udp", *to), data, self._now, VOICE_CLASS)

        return VirtualEngine(
            host, send, seconds_of, recordings, documents, self._longest_beat_s, lambda: self.wire.is_steady
        )

    def add(self, node: Node) -> Node:
        self._nodes[node.host] = node
        self.settle(node)
        return node

    def remove(self, node: Node) -> None:
        """It is no more: nobody is told, and nothing comes from it any more."""
        node.on = False
        self._nodes.pop(node.host, None)
        node.engine.at(self._now)
        node.engine.die()

    def tap(self, host: str, taken: Callable[[Packet], None]) -> None:
        """Let `taken` have whatever comes to a host that is no node: whole, with its port and its mark."""
        self._taps[host] = taken

    def nodes(self) -> Iterable[Node]:
        return self._nodes.values()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self._push(self._now + seconds, do)

    def settle(self, node: Node) -> None:
        """Carry out what the last input of a node caused: call it after commanding a core directly."""
        for outgoing in node.core.take_outgoing():
            if node.hold is None or not node.hold(outgoing):
                self.transmit(node, outgoing)
        if node.after is not None:
            node.after(self._now)
        node.core_due = node.core.next_deadline()
        self._arm(node)

    def _arm(self, node: Node) -> None:
        due = node.engine.next_deadline()
        if node.core_due < due:
            due = node.core_due
        if node.engine.has_news:  # of what the core itself has done to the engine
            due = self._now
        if due < node.armed:
            node.armed = due
            self._push(due, node)

    def _heed(self, node: Node) -> None:
        """An engine has had an input: its core has one only if there is news."""
        if node.engine.has_news:
            node.core.woken(self._now)
            self.settle(node)
        else:
            self._arm(node)

    def _hasten(self) -> None:
        """The wire is about to change."""
        for node in self._nodes.values():
            node.engine.at(self._now)
            node.engine.hasten()
            self._arm(node)

    def transmit(self, node: Node, outgoing: Outgoing) -> None:
        own = Peer(outgoing.to.transport, node.host, node.port)
        self.wire.send(own, outgoing.to, outgoing.data, self._now, SIGNALLING_CLASS)

    # --- time -----------------------------------------------------------------------------------------

    def run_until(self, when: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass up to `when`, or until `until` holds, asked after every step; return whether it does."""
        if until is not None and until():
            return True
        while True:
            due = min(self.wire.next_arrival(), self._heap[0][0] if self._heap else FOREVER)
            if due > when:
                self._now = max(self._now, when)
                return False
            self._now = max(self._now, due)
            self._step()
            if until is not None and until():
                return True

    def _step(self) -> None:
        self.steps += 1
        packet = self.wire.take_due(self._now)
        if packet is not None:
            self._deliver(packet)
            return
        due, _, what = heapq.heappop(self._heap)
        if not isinstance(what, Node):
            what()
            return
        if due != what.armed or not what.on:
            return  # an older arming, or a node that is gone
        what.armed = FOREVER
        if what.engine.next_deadline() <= self._now:
            what.engine.tick(self._now)
        if what.core_due <= self._now:
            what.core.woken(self._now)
            what.core.tick(self._now)
            self.settle(what)
        else:
            self._heed(what)

    def _deliver(self, packet: Packet) -> None:
        node = self._nodes.get(packet.to.host)
        if node is None:
            taken = self._taps.get(packet.to.host)
            if taken is not None:
                taken(packet)
            return
        if packet.to.port >= MEDIA_FROM:
            source = (packet.source.host, packet.source.port)
            node.engine.receive(packet.data, source, packet.to.port, self._now)
            self._heed(node)
        else:
            node.core.receive(packet.data, packet.source, self._now)
            self.settle(node)

    def _push(self, when: float, what: Node | Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, what))


def seeded_token(seed: int, name: str) -> Callable[[int], str]:
    """Return a `token` function: n lower-case hex characters from the seed; each name has its own sequence."""
    chance = Random(f"{seed}/{name}")

    def token(count: int) -> str:
        return f"{chance.getrandbits(4 * count):0{count}x}"

    return token
