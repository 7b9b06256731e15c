"""The asyncio shell of SIP over TCP and TLS: a listener, and connections reused in both directions.

Answers and later requests go back over the connection their dialog came by (RFC 3261 §18, RFC 5626); an answer whose
connection is gone goes over a new one to where its sender listens. Keep-alives are answered; a connection that says
nothing, or does not take what it is sent, is ended.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pbx.sip.address import Peer
from pbx.sip.arrival import answered_anew
from pbx.sip.framing import PONG, Framer
from pbx.sip.tolerances import Tolerances
from pbx.sip.transport import Owner

MAX_CONNECTIONS = 5_000
MAX_UNSENT = 1024 * 1024
"""Octets a peer may leave unread before it is given up."""
IDLE_S = 900.0
FIRST_MESSAGE_S = 60.0
"""How long a new connection may take to say something whole."""
CONNECT_S = 5.0
HANDSHAKE_S = 10.0


@dataclass(frozen=True, slots=True)
class Security:
    """The certificates of this end; asked for at every handshake, so that new ones are used without a restart."""

    server: Callable[[], ssl.SSLContext]
    client: Callable[[], ssl.SSLContext]


class StreamTransport:
    """A listener and the connections made to and from it, by peer; with `security` they are TLS."""

    def __init__(
        self,
        owner: Owner,
        host: str,
        port: int = 0,
        security: Security | None = None,
        tolerances: Tolerances | None = None,
    ) -> None:
        self._owner = owner
        self._host, self._port = host, port
        self._security = security
        self.name = "tcp" if security is None else "tls"
        self._server: asyncio.Server | None = None
        self._connections: dict[Peer, _Connection] = {}
        self._connecting: dict[Peer, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Transport] = set()
        self.address: tuple[str, int] = (host, port)
        self.tolerances = tolerances or Tolerances()

    async def start(self) -> None:
        """Listen; OSError when the port is taken."""
        accept: Callable[[], asyncio.Protocol]
        accept = (lambda: _Connection(self)) if self._security is None else (lambda: _Handshake(self))
        self._server = await asyncio.get_running_loop().create_server(accept, self._host, self._port)
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for wire in tuple(self._waiting):
            wire.abort()
        for connection in tuple(self._connections.values()):
            connection.drop()

    def send(self, data: bytes, to: Peer) -> None:
        if to not in self._connections and to not in self._connecting:
            to = answered_anew(data, to)
        connection = self._connections.get(to)
        if connection is not None:
            connection.write(data)
        elif to in self._connecting:
            self._connecting[to].append(data)
        else:
            self._connecting[to] = [data]
            self._start(self._connect(to))

    async def _connect(self, to: Peer) -> None:
        secured: dict[str, Any] = {}
        if self._security is not None:
            secured = {"ssl": self._security.client(), "server_hostname": to.host}
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self, to), to.host, to.port, **secured
                )
        except OSError as error:  # TimeoutError is one, and so are those of TLS
            self._connecting.pop(to, None)
            if isinstance(error, ssl.SSLError):
                self._owner.insecure(to, error)
            self._owner.disconnected(to)
            return
        for data in self._connecting.pop(to, []):
            connection.write(data)

    # --- what its connections say ---------------------------------------------------------------------

    def accepted(self, wire: asyncio.Transport) -> None:
        """A TCP connection that is to become a TLS one."""
        if len(self._connections) + len(self._waiting) >= MAX_CONNECTIONS:
            wire.abort()
            return
        self._waiting.add(wire)
        self._start(self._secure(wire))

    async def _secure(self, wire: asyncio.Transport) -> None:
        assert self._security is not None
        host, port = wire.get_extra_info("peername")[:2]
        connection = _Connection(self, Peer(self.name, host, port))
        try:
            secured = await asyncio.get_running_loop().start_tls(
                wire,
                connection,
                self._security.server(),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=1.0,
            )
        except OSError as error:
            wire.abort()
            if isinstance(error, ssl.SSLError):
                self._owner.insecure(Peer(self.name, host, port), error)
            return
        finally:
            self._waiting.discard(wire)
        if secured is not None:
            connection.connection_made(secured)

    def opened(self, peer: Peer, connection: _Connection) -> bool:
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections[peer] = connection
        return True

    def framed(self, data: bytes, peer: Peer) -> None:
        self._owner.received(data, peer)
        self._owner.all_received()

    def lost(self, peer: Peer, connection: _Connection) -> None:
        if self._connections.get(peer) is connection:
            del self._connections[peer]
            self._owner.disconnected(peer)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Handshake(asyncio.Protocol):
    """Reads nothing: the handshake does."""

    def __init__(self, transport: StreamTransport) -> None:
        self._owner = transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._owner.accepted(transport)


class _Connection(asyncio.Protocol):
    def __init__(self, transport: StreamTransport, peer: Peer | None = None) -> None:
        self._owner = transport
        self._peer = peer
        self._framer = Framer(transport.tolerances)
        self._early = b""
        self._wire: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        if self._peer is None:
            host, port = transport.get_extra_info("peername")[:2]
            self._peer = Peer(self._owner.name, host, port)
        if not self._owner.opened(self._peer, self):
            transport.abort()
            return
        self._rearm(FIRST_MESSAGE_S)
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        if self._wire is None:  # it came with the last octets of the handshake
            self._early += data
            return
        assert self._peer is not None
        framer = self._framer
        messages = framer.feed(data)
        while framer.pings:
            framer.pings -= 1
            self.write(PONG)
            self._rearm(IDLE_S)
        if messages:
            self._rearm(IDLE_S)
        for message in messages:
            self._owner.framed(message, self._peer)
        if framer.broken and not self._wire.is_closing():
            self._wire.close()  # what is unsent, the refusal, still goes

    def connection_lost(self, error: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._peer is not None:
            self._owner.lost(self._peer, self)

    def write(self, data: bytes) -> None:
        if self._wire is None or self._wire.is_closing():
            return
        if self._wire.get_write_buffer_size() > MAX_UNSENT:
            self.drop()
            return
        self._wire.write(data)

    def drop(self) -> None:
        if self._wire is not None:
            self._wire.abort()

    def _rearm(self, seconds: float) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(seconds, self.drop)
