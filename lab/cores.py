"""The switch as the shells of both worlds drive it: inputs in monotonic seconds, moments made at one place."""

from __future__ import annotations

from collections.abc import Callable

from pbx.clock import Moment
from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing
from pbx.switch.switch import Switch


class SwitchCore:
    """A `Core` around a switch."""

    def __init__(self, switch: Switch, moment_at: Callable[[float], Moment]) -> None:
        self.switch = switch
        self._moment_at = moment_at

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        self.switch.receive(data, source, self._moment_at(now))

    def woken(self, now: float) -> None:
        self.switch.media(self._moment_at(now))

    def tick(self, now: float) -> None:
        self.switch.tick(self._moment_at(now))

    def closed(self, peer: Peer, now: float) -> None:
        self.switch.closed(peer, self._moment_at(now))

    def next_deadline(self) -> float:
        return self.switch.next_deadline()

    def take_outgoing(self) -> list[Outgoing]:
        return self.switch.take_outgoing()
