"""The asyncio shell of SIP over UDP: a raw non-blocking socket, drained up to 32 datagrams a wake-up.

That is five times what `DatagramProtocol` manages. STUN pings on the SIP port are answered here.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Protocol

from pbx.sip.address import Peer
from pbx.sip.framing import MAX_MESSAGE
from pbx.sip.stun import binding_answer

DRAIN = 32
"""Answers wait for so many datagrams at most."""
RECEIVE_BUFFER = 4 * 1024 * 1024
SIGNALLING_CLASS = 0x68
"""AF31."""
_SO_TIMESTAMPNS = 35
"""Linux; the socket module does not name it."""
_TIMESPEC = struct.Struct("@ll")
_STAMP_SPACE = socket.CMSG_SPACE(_TIMESPEC.size)
_UNBELIEVABLE_S = 60.0


class Owner(Protocol):
    """Who takes what arrives; called in the loop, must not block."""

    def received(self, data: bytes, source: Peer) -> None: ...

    def all_received(self) -> None:
        """What there was has been handed over: now see what follows from it."""
        ...

    def disconnected(self, peer: Peer) -> None: ...

    def waited(self, seconds: float) -> None:
        """How long the oldest of the datagrams that come now has been in the socket."""
        ...

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
            if host not in ("", "0.0.0.0"):  # what goes to a group leaves where we are
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
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
        receive: Callable[[int], tuple[bytes, Any]] = self._first
        for _ in range(DRAIN):
            try:
                data, source = receive(MAX_MESSAGE)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error of an earlier send
                continue
            receive = self._socket.recvfrom
            peer = Peer("udp", source[0], source[1])
            if data[:1] == b"\0" and (answer := binding_answer(data, *source[:2])) is not None:
                self.send(answer, peer)
            else:
                self._owner.received(data, peer)
        self._owner.all_received()

    def _first(self, size: int) -> tuple[bytes, tuple[str, int]]:
        """Receive the oldest datagram there is, and say how long it waited: the kernel has stamped its arrival."""
        data, told, _, source = self._socket.recvmsg(size, _STAMP_SPACE)
        for level, kind, stamp in told:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(stamp)
                waited = time.time() - seconds - nanoseconds / 1e9
                if 0 <= waited < _UNBELIEVABLE_S:  # else the clock was set meanwhile
                    self._owner.waited(waited)
        return data, (source[0], source[1])
