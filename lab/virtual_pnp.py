"""Whoever answers in the multicast group of a virtual world."""

from __future__ import annotations

from collections.abc import Callable

from pbx.clock import FOREVER, Moment
from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing

Discovered = Callable[[bytes, tuple[str, int], tuple[str, int], Moment], tuple[bytes, ...]]


class VirtualPnp:
    """A core of the clockwork."""

    def __init__(self, address: Peer, discovered: Discovered, now: Callable[[], Moment]) -> None:
        self._address, self._discovered, self._now = address, discovered, now
        self._outgoing: list[Outgoing] = []

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        ours = self._address.host, self._address.port
        answers = self._discovered(data, (source.host, source.port), ours, self._now())
        self._outgoing += [Outgoing(source, answer) for answer in answers]

    def take_outgoing(self) -> list[Outgoing]:
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def woken(self, now: float) -> None:
        """It has no media."""

    def tick(self, now: float) -> None:
        """It waits for nothing."""

    def closed(self, peer: Peer, now: float) -> None:
        """It keeps no connection."""

    def next_deadline(self) -> float:
        return FOREVER
