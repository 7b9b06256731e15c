"""The asyncio shell of SIP: UDP and TCP sockets whose bytes go to an owner, and its answers back.

UDP is a raw non-blocking socket drained up to 64 datagrams a wake-up: five times what `DatagramProtocol` manages.
TCP frames by Content-Length, answers CRLF keep-alives (RFC 5626 §4.4.1) and is reused in both directions.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterable
from typing import Protocol

from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing

DRAIN = 64
RECEIVE_BUFFER = 4 * 1024 * 1024
MAX_MESSAGE = 65_535
MAX_CONNECTIONS = 5_000
IDLE_S = 900.0
CONNECT_S = 5.0
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")


class Owner(Protocol):
    """Who takes what arrives; called in the loop, must not block."""

    def received(self, data: bytes, source: Peer) -> None: ...

    def disconnected(self, peer: Peer) -> None: ...


class UdpTransport:
    """One bound UDP socket."""

    def __init__(self, owner: Owner, host: str, port: int = 0) -> None:
        self._owner = owner
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x68)  # AF31, signalling
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
                data, (host, port) = self._socket.recvfrom(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier send
                continue
            self._owner.received(data, Peer("udp", host, port))


class TcpTransport:
    """A listener and the connections made to and from it, by peer."""

    def __init__(self, owner: Owner, host: str, port: int = 0) -> None:
        self._owner = owner
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: dict[Peer, _Connection] = {}
        self._connecting: dict[Peer, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.address: tuple[str, int] = (host, port)

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), self._host, self._port)
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        for connection in tuple(self._connections.values()):
            connection.drop()

    def send(self, data: bytes, to: Peer) -> None:
        connection = self._connections.get(to)
        if connection is not None:
            connection.write(data)
        elif to in self._connecting:
            self._connecting[to].append(data)
        else:
            self._connecting[to] = [data]
            task = asyncio.get_running_loop().create_task(self._connect(to))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, to: Peer) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self, to), to.host, to.port
                )
        except OSError:  # TimeoutError is one
            self._connecting.pop(to, None)
            self._owner.disconnected(to)
            return
        for data in self._connecting.pop(to, []):
            connection.write(data)

    def opened(self, peer: Peer, connection: _Connection) -> bool:
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections[peer] = connection
        return True

    def framed(self, data: bytes, peer: Peer) -> None:
        self._owner.received(data, peer)

    def lost(self, peer: Peer) -> None:
        if self._connections.pop(peer, None) is not None:
            self._owner.disconnected(peer)


class _Connection(asyncio.Protocol):
    def __init__(self, transport: TcpTransport, peer: Peer | None = None) -> None:
        self._owner = transport
        self._peer = peer
        self._buffer = b""
        self._wire: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        if self._peer is None:
            host, port = transport.get_extra_info("peername")[:2]
            self._peer = Peer("tcp", host, port)
        if not self._owner.opened(self._peer, self):
            transport.abort()
            return
        self._rearm()

    def data_received(self, data: bytes) -> None:
        assert self._peer is not None
        self._rearm()
        self._buffer += data
        try:
            messages, self._buffer = frames(self._buffer, self.write)
        except OverflowError:
            self.drop()
            return
        for message in messages:
            self._owner.framed(message, self._peer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._peer is not None:
            self._owner.lost(self._peer)

    def write(self, data: bytes) -> None:
        if self._wire is not None and not self._wire.is_closing():
            self._wire.write(data)

    def drop(self) -> None:
        if self._wire is not None:
            self._wire.abort()

    def _rearm(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.drop)


def frames(buffer: bytes, keep_alive: Callable[[bytes], None]) -> tuple[list[bytes], bytes]:
    """Cut whole messages from a stream (RFC 3261 §18.3); answer a ping (CRLF CRLF) with CRLF.

    OverflowError when a message is larger than we take, or its headers never end.
    """
    messages: list[bytes] = []
    while True:
        while buffer.startswith(b"\r\n"):
            if buffer.startswith(b"\r\n\r\n"):
                keep_alive(b"\r\n")
                buffer = buffer[4:]
            elif len(buffer) == 2:
                return messages, buffer
            else:
                buffer = buffer[2:]
        head, blank, rest = buffer.partition(b"\r\n\r\n")
        if not blank:
            if len(buffer) > MAX_MESSAGE:
                raise OverflowError
            return messages, buffer
        found = _LENGTH.search(head + b"\r\n")
        length = int(found[1]) if found else 0
        if len(head) + length > MAX_MESSAGE:
            raise OverflowError
        if len(rest) < length:
            return messages, buffer
        messages.append(head + blank + rest[:length])
        buffer = rest[length:]


class SipShell:
    """Runs a pure core on sockets: hands it bytes and the moment, sends what it says, keeps one timer."""

    def __init__(self, transports: Iterable[UdpTransport | TcpTransport] = ()) -> None:
        self._by_name: dict[str, UdpTransport | TcpTransport] = {}
        for transport in transports:
            self.add(transport)

    def add(self, transport: UdpTransport | TcpTransport) -> None:
        self._by_name["tcp" if isinstance(transport, TcpTransport) else "udp"] = transport

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        for item in outgoing:
            transport = self._by_name.get(item.to.transport)
            if transport is not None:
                transport.send(item.data, item.to)
