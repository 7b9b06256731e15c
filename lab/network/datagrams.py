"""Datagrams as both ends of an assessment see them, and what drives such an end."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lab.clockwork import SIGNALLING_CLASS
from pbx.sip.address import Peer


class Datagram(NamedTuple):
    """One that came or goes: `port` is ours, `peer` the other end."""

    port: int
    peer: Peer
    data: bytes
    dscp: int = SIGNALLING_CLASS


class End(Protocol):
    """A pure machine with UDP ports; `now` is in monotonic seconds."""

    def receive(self, datagram: Datagram, now: float) -> None: ...

    def tick(self, now: float) -> None: ...

    def next_deadline(self) -> float: ...

    def take_outgoing(self) -> list[Datagram]: ...
