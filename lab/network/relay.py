"""A bad network between real sockets: the wire of the virtual world, in real time, with a site's router on it.

Whoever is behind it sends to `inside` as if that were the provider, at the provider's own ports; the provider sees
`public`. Both are addresses of the loopback, so that nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from lab.network.host import bound, received, send
from lab.network.presets import Network
from lab.network.router import NAT_PMP_PORT, Router
from lab.wire import Packet, Wire
from pbx.clock import FOREVER
from pbx.sip.address import Peer

_BETWEEN = "192.168.0.2"


class Relay:
    """Carries UDP between the host `behind` and the provider's `ports`, until `close`."""

    def __init__(
        self,
        behind: str,
        inside: str,
        public: str,
        provider: str,
        ports: Sequence[int],
        network: Network,
        seed: int = 1,
    ) -> None:
        """OSError names the port that is taken."""
        self._behind, self._public, self._provider = behind, public, provider
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._outside: dict[int, socket.socket] = {}
        self._inside: dict[int, socket.socket] = {}
        self.wire = Wire(seed)
        router = Router(
            lambda host: host == behind, _BETWEEN if network.modem else public, network.router, gateway=inside
        )
        self.routers = [router]
        if network.modem is not None:
            self.routers.append(Router(lambda host: host == _BETWEEN, public, network.modem))
        self.wire.put_between(self.routers)
        self.wire.impair(network.to_provider, source=public)
        self.wire.impair(network.from_provider, to=public)
        try:
            for port in (*ports, NAT_PMP_PORT):
                one = self._inside[port] = bound(inside, port)
                self._loop.add_reader(one, self._from_inside, port, one)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for one in (*self._inside.values(), *self._outside.values()):
            if one.fileno() >= 0:
                self._loop.remove_reader(one)
                one.close()

    def _from_inside(self, port: int, one: socket.socket) -> None:
        for data, source, dscp in received(one):
            if source.host != self._behind:
                continue
            if port == NAT_PMP_PORT:
                asked = Packet(source, Peer("udp", self.routers[0].gateway, port), data)
                answer = self.routers[0].answer(asked)
                if answer is not None:
                    send(one, answer, source, 0)
                continue
            self.wire.send(source, Peer("udp", self._provider, port), data, self._loop.time(), dscp)
        self._carry()

    def _from_outside(self, port: int, one: socket.socket) -> None:
        for data, source, dscp in received(one):
            self.wire.send(source, Peer("udp", self._public, port), data, self._loop.time(), dscp)
        self._carry()

    def _carry(self) -> None:
        """Put on real sockets whatever has arrived by now; be back for the next."""
        now = self._loop.time()
        while (packet := self.wire.take_due(now)) is not None:
            if packet.to.host == self._behind:
                one = self._inside.get(packet.source.port)
            else:
                one = self._socket_outside(packet.source.port)
            if one is not None:
                send(one, packet.data, packet.to, packet.dscp)
        if self._timer is not None:
            self._timer.cancel()
        due = self.wire.next_arrival()
        self._timer = self._loop.call_at(due, self._carry) if due < FOREVER else None

    def _socket_outside(self, port: int) -> socket.socket | None:
        """None when another has the port of a mapping: the datagram is lost."""
        if port not in self._outside:
            try:
                one = self._outside[port] = bound(self._public, port)
            except OSError:
                return None
            self._loop.add_reader(one, self._from_outside, port, one)
        return self._outside[port]
