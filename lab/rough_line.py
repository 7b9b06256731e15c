"""A phone's bad line in real time: its SIP over UDP goes over a wire between its core and its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lab.wire import Impairment, Wire, WireCounts
from pbx.clock import FOREVER
from pbx.sip.address import Peer

_HERE = "phone"


class RoughLine:
    """Between one core and its socket: `out` and `into` take datagrams, and give them on when their time has come."""

    def __init__(
        self,
        seed: int,
        clock: Callable[[], float],
        out: Callable[[bytes, Peer], None],
        into: Callable[[bytes, Peer], None],
    ) -> None:
        self._wire, self._clock, self._out, self._into = Wire(seed), clock, out, into
        self._timer: asyncio.TimerHandle | None = None
        self._here = Peer("udp", _HERE, 0)
        self.bad = False

    def impair(self, ways: tuple[Impairment, Impairment] | None) -> None:
        """Set what the line does outward and inward; None makes it good: what is under way still arrives."""
        self.bad = ways is not None
        for way, ends in zip(ways or (None, None), ({"source": _HERE}, {"to": _HERE}), strict=True):
            if way is None:
                self._wire.unimpair(**ends)
            else:
                self._wire.impair(way, **ends)

    def drop_next(self, outward: bool, count: int, beginning: bytes) -> None:
        self.bad = True
        if outward:
            self._wire.drop_next(count, beginning, source=_HERE)
        else:
            self._wire.drop_next(count, beginning, to=_HERE)

    @property
    def counts(self) -> tuple[WireCounts, WireCounts]:
        return self._wire.counts_of(_HERE, "*"), self._wire.counts_of("*", _HERE)

    def send(self, data: bytes, to: Peer) -> None:
        self._wire.send(self._here, to, data, self._clock())
        self._carry()

    def receive(self, data: bytes, source: Peer) -> None:
        self._wire.send(source, self._here, data, self._clock())
        self._carry()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _carry(self) -> None:
        while (packet := self._wire.take_due(self._clock())) is not None:
            if packet.to.host == _HERE:
                self._into(packet.data, packet.source)
            else:
                self._out(packet.data, packet.to)
        self.close()
        due = self._wire.next_arrival()
        if due < FOREVER:
            wait = max(due - self._clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait, self._carry)
