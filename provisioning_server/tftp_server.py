"""The TFTP shell: one listening socket, one connected socket a transfer, one timer; no thread.

A transfer's socket is connected to its client, so a packet from another address or port never reaches it: the kernel
answers such a peer (ICMP), where RFC 1350 §4 would have us send ERROR 5.

A refusal leaves a fixed while after its request came, whatever the reason: its time tells nothing.

The sockets of all transfers wait in an epoll of their own, which is one reader of the loop: to tell asyncio of each
socket, and to be called by it for each packet, costs more than the packet.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections import Counter, deque
from collections.abc import Callable
from mmap import mmap

from provisioning_server.tftp import NOT_DEFINED, NOT_FOUND, Refused, Transfer, error, read_request

RECEIVE_BUFFER = 4 * 1024 * 1024
DRAIN = 64
PER_ADDRESS = 64
TOTAL = 4000
SWEEP_S = 0.25
REFUSED_AFTER_S = 0.02
_RCVBUFFORCE = 33  # SO_RCVBUFFORCE of Linux; the socket module does not name it
_LARGEST_REQUEST = 2048
"""Room for one that is too long to be told so."""
_LARGEST_REPLY = 512
"""An ACK has four bytes; of an ERROR the code counts."""
_NO_SUCH_FILE = error(NOT_FOUND, "File not found")

Peer = tuple[str, int]


class TftpServer:
    """Serves what `fetch(name, "host:port")` returns; None is ERROR 1, whatever the reason."""

    def __init__(
        self,
        fetch: Callable[[str, str], bytes | mmap | None],
        host: str,
        port: int,
        *,
        ignored: Callable[[str, str], None] = lambda address, reason: None,
        per_address: int = PER_ADDRESS,
        total: int = TOTAL,
    ) -> None:
        self._per_address, self._total = per_address, total
        self._fetch = fetch
        self._ignored = ignored
        self._socket = socket.socket(family_of(host), socket.SOCK_DGRAM)
        roomy(self._socket)
        self._socket.setblocking(False)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.address: Peer = self._socket.getsockname()[:2]
        self._live: dict[Peer, _Live] = {}
        self._wires = select.epoll()
        self._by_wire: dict[int, _Live] = {}
        self._counts: Counter[str] = Counter()
        self._sweeping: asyncio.TimerHandle | None = None
        self._refusals: deque[tuple[float, Peer]] = deque()
        self._refusing: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._drain)
        loop.add_reader(self._wires.fileno(), self._more)

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        loop.remove_reader(self._wires.fileno())
        self._socket.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._refusing is not None:
            self._refusing.cancel()
        for live in list(self._live.values()):
            self._end(live)
        self._wires.close()

    @property
    def transfers(self) -> int:
        return len(self._live)

    def _drain(self) -> None:
        for _ in range(DRAIN):
            try:
                data, peer = self._socket.recvfrom(_LARGEST_REQUEST)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._first(data, peer[:2])

    def _first(self, data: bytes, peer: Peer) -> None:
        """A request from one port: the same file again is a repetition, another one replaces the transfer."""
        try:
            request = read_request(data)
        except Refused as refused:
            self._ignored(f"{peer[0]}:{peer[1]}", str(refused))
            if refused.packet:
                self._say(refused.packet, peer)
            return
        known = self._live.get(peer)
        if known is not None:
            if known.name == request.name and not known.transfer.awaits_last_ack:
                return
            self._end(known)
        if len(self._live) >= self._total or self._counts[peer[0]] >= self._per_address:
            self._ignored(f"{peer[0]}:{peer[1]}", "too many transfers")
            self._say(error(NOT_DEFINED, "too many transfers, try again"), peer)
            return
        came_at = self._now()
        body = self._fetch(request.name, f"{peer[0]}:{peer[1]}")
        if body is None:
            self._refuse(came_at + REFUSED_AFTER_S, peer)
            return
        self._begin(request.name, Transfer(body, request.options, self._now()), peer)

    def _refuse(self, moment: float, peer: Peer) -> None:
        if len(self._refusals) >= self._total:
            return  # lost like any datagram
        self._refusals.append((moment, peer))
        if self._refusing is None:
            self._refusing = asyncio.get_running_loop().call_at(moment, self._say_no)

    def _say_no(self) -> None:
        self._refusing = None
        now = self._now()
        while self._refusals and self._refusals[0][0] <= now:
            self._say(_NO_SUCH_FILE, self._refusals.popleft()[1])
        if self._refusals:
            self._refusing = asyncio.get_running_loop().call_at(self._refusals[0][0], self._say_no)

    def _begin(self, name: str, transfer: Transfer, peer: Peer) -> None:
        try:
            wire = _connected(self.address[0], peer)
        except OSError as fault:  # out of descriptors or ports, or a peer that cannot be answered (port 0)
            self._ignored(f"{peer[0]}:{peer[1]}", f"no socket for the transfer: {fault}")
            self._say(error(NOT_DEFINED, "no room for the transfer, try again"), peer)
            return
        live = self._live[peer] = _Live(name, transfer, wire, peer)
        self._counts[peer[0]] += 1
        self._by_wire[wire.fileno()] = live
        self._wires.register(wire, select.EPOLLIN)
        self._send(live, transfer.start(self._now()))
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _more(self) -> None:
        """Take a packet of each transfer that has one; what is left is shown again, and the others have their turn."""
        now = self._now()
        for fd, _ in self._wires.poll(0, DRAIN):
            live = self._by_wire[fd]
            try:
                data = live.receive(_LARGEST_REPLY)
            except BlockingIOError:
                continue  # a datagram whose checksum is wrong: shown, and then not there
            except OSError:  # the client's port is closed: it has gone
                self._end(live)
                continue
            self._send(live, live.transfer.take(data, now))
            if live.transfer.done:
                self._end(live)

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._now()
        for live in list(self._live.values()):
            self._send(live, live.transfer.tick(now))
            if live.transfer.done:
                self._end(live)
        if self._live:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _send(self, live: _Live, packets: list[bytes]) -> None:
        for packet in packets:
            try:
                live.send(packet)
            except OSError:  # lost like any datagram; the timer repeats it
                return

    def _say(self, packet: bytes, peer: Peer) -> None:
        try:
            self._socket.sendto(packet, peer)
        except OSError:
            return

    def _end(self, live: _Live) -> None:
        if self._live.get(live.peer) is live:
            del self._live[live.peer]
            self._counts[live.peer[0]] -= 1
            if not self._counts[live.peer[0]]:
                del self._counts[live.peer[0]]
        if self._by_wire.pop(live.wire.fileno(), None) is not None:
            live.wire.close()  # which takes it out of the epoll, too

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def roomy(listening: socket.socket) -> None:
    """A site that powers up sends its requests at once; beyond the system's limit only with the privilege."""
    try:
        listening.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _connected(host: str, peer: Peer) -> socket.socket:
    wire = socket.socket(family_of(host), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        wire.bind((host, 0))
        wire.connect(peer)
    except OSError:
        wire.close()
        raise
    return wire


class _Live:
    __slots__ = ("name", "peer", "receive", "send", "transfer", "wire")

    def __init__(self, name: str, transfer: Transfer, wire: socket.socket, peer: Peer) -> None:
        self.name = name
        self.transfer = transfer
        self.wire = wire
        self.send, self.receive = wire.send, wire.recv
        self.peer = peer
