"""The asyncio shell around one end of an assessment: a socket for each of its ports, marks set and read, one timer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

from lab.network.datagrams import Datagram, End
from pbx.clock import FOREVER
from pbx.sip.address import Peer

_MOST = 65_535
_DRAIN = 64
_BUFFER = 4 * 1024 * 1024


class UdpHost:
    """Bind first (an end must know its ports), then `start` an end; `close` when it is done with."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        """Bind `ports`, any free one for a 0; OSError names the one that is taken."""
        self.host = host
        self._sockets: dict[int, socket.socket] = {}
        self._end: End | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.after: Callable[[], None] = lambda: None
        """Runs after every input."""
        try:
            for port in ports:
                made = bound(host, port)
                self._sockets[made.getsockname()[1]] = made
        except BaseException:
            self.close()
            raise

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(self._sockets)

    def start(self, end: End) -> None:
        self._end = end
        for port, one in self._sockets.items():
            self._loop.add_reader(one, self._readable, port, one)
        self.settle()

    def close(self) -> None:
        self._end = None
        if self._timer is not None:
            self._timer.cancel()
        for one in self._sockets.values():
            if one.fileno() >= 0:
                self._loop.remove_reader(one)
                one.close()

    def settle(self) -> None:
        """Send what the end has to say and arm its deadline: call it after commanding the end directly."""
        assert self._end is not None
        for out in self._end.take_outgoing():
            send(self._sockets[out.port], out.data, out.peer, out.dscp)
        if self._timer is not None:
            self._timer.cancel()
        due = self._end.next_deadline()
        self._timer = self._loop.call_at(due, self._due) if due < FOREVER else None
        self.after()

    def _due(self) -> None:
        if self._end is not None:
            self._end.tick(self._loop.time())
            self.settle()

    def _readable(self, port: int, one: socket.socket) -> None:
        assert self._end is not None
        for data, peer, dscp in received(one):
            self._end.receive(Datagram(port, peer, data, dscp), self._loop.time())
        if self._end is not None:
            self.settle()


def bound(host: str, port: int) -> socket.socket:
    """Return a socket of IPv4 or IPv6 that tells the marks of what it receives; OSError when the port is taken."""
    six = ":" in host
    made = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if six:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise OSError(error.errno, f"UDP {host} port {port}: {error.strerror}") from None
    return made


def received(one: socket.socket) -> list[tuple[bytes, Peer, int]]:
    """Return what a socket holds, each with its sender and its DSCP; a refusal from outside is no datagram."""
    found: list[tuple[bytes, Peer, int]] = []
    while len(found) < _DRAIN:
        try:
            data, extra, _, source = one.recvmsg(_MOST, socket.CMSG_SPACE(4))
        except BlockingIOError:
            break
        except OSError:
            continue  # ICMP port unreachable of an earlier datagram
        found.append((data, Peer("udp", source[0], source[1]), _mark(extra)))
    return found


def send(one: socket.socket, data: bytes, to: Peer, dscp: int) -> None:
    """Send, marked; what the kernel does not take is lost, as on any network."""
    six = one.family == socket.AF_INET6
    level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if six else (socket.IPPROTO_IP, socket.IP_TOS)
    mark = (dscp << 2).to_bytes(4, "little")
    with contextlib.suppress(OSError):
        one.sendmsg([data], [(level, option, mark)], 0, (to.host, to.port))


def _mark(extra: list[tuple[int, int, bytes]]) -> int:
    for level, kind, value in extra:
        if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)):
            return value[0] >> 2
    return 0
