"""Relayed calls, packet by packet: how many are lost, and how much later than through a bare echo they arrive.

Each call is two legs bridged in a media worker, and a party at each end that sends 50 packets a second with the moment
of sending in them; the kernel notes when each arrives, so that a late reader counts for nothing. Beside them, in the
same run and by sockets of the same kind, a bare echo answers.
"""

from __future__ import annotations

import select
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field

from pbx.media import rtp
from pbx.media.engine import RemoteMedia
from pbx.media.host import go_first
from pbx.media.local import LocalEngine

HOST = "127.0.0.1"
PACKET_S = 0.02
_SO_TIMESTAMPNS = 35
_DRAIN = 64
_STALL_S = 0.1
"""What is owed for longer is not sent at all: a burst of it would overflow the buffers, and count as lost."""
_STAMP = struct.Struct("!q")
_FILL = bytes(160 - _STAMP.size)
_ECHO = """
import socket
from pbx.media.host import go_first
go_first()
at = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
at.bind(("127.0.0.1", 0))
print(at.getsockname()[1], flush=True)
while True:
    data, source = at.recvfrom(2048)
    at.sendto(data, source)
"""


@dataclass(slots=True)
class Tally:
    sent: int = 0
    delays_ms: list[float] = field(default_factory=list)

    @property
    def loss(self) -> float:
        return 1 - len(self.delays_ms) / self.sent

    def at(self, share: float) -> float:
        ordered = sorted(self.delays_ms)
        return round(ordered[int(share * (len(ordered) - 1))], 3)


class Party:
    """One socket that sends to an address and notes what comes back, and how old it is."""

    def __init__(self, tally: Tally) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.port: int = self.socket.getsockname()[1]
        self.to = (HOST, 0)
        self._tally = tally
        self._sequence = 0

    def send(self) -> None:
        self._sequence += 1
        payload = _STAMP.pack(time.time_ns()) + _FILL
        self._tally.sent += 1
        self.socket.sendto(rtp.pack(0, self._sequence, self._sequence * 160, self.port, payload), self.to)

    def receive(self) -> None:
        for _ in range(_DRAIN):
            try:
                data, extra, _, _ = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if len(data) == 172:  # a report of the worker is none of the sound
                seconds, nanoseconds = struct.unpack("qq", extra[0][2])
                then = _STAMP.unpack_from(data, 12)[0]
                self._tally.delays_ms.append((seconds * 1_000_000_000 + nanoseconds - then) / 1e6)


def called(engine: LocalEngine, calls: int) -> tuple[list[Party], Tally]:
    """Set up calls through the engine; return their parties and what they will have noted."""
    tally, parties = Tally(), []
    for call in range(calls):
        ends = (Party(tally), Party(tally))
        for side, end in enumerate(ends):
            leg = f"{call}-{side}"
            end.to = (HOST, engine.open(leg).port)
            engine.connect(leg, RemoteMedia(HOST, end.port, "PCMU", 0, 101, "sendrecv"))
        engine.bridge(f"{call}-0", f"{call}-1")
        parties += ends
    return parties, tally


def echoed(count: int) -> tuple[list[Party], Tally, subprocess.Popen[str]]:
    echo = subprocess.Popen([sys.executable, "-c", _ECHO], stdout=subprocess.PIPE, text=True)
    assert echo.stdout is not None
    port, tally = int(echo.stdout.readline()), Tally()
    parties = [Party(tally) for _ in range(count)]
    for party in parties:
        party.to = (HOST, port)
    return parties, tally, echo


def talk(parties: list[Party], seconds: float) -> None:
    """Let every party send 50 packets a second, evenly spread, and note what arrives; blocks.

    The thread goes first from then on, as the media process does: who measures must not be what is late.
    """
    go_first()
    with select.epoll() as waiting:
        by_fd = {party.socket.fileno(): party for party in parties}
        for fd in by_fd:
            waiting.register(fd, select.EPOLLIN)
        start = time.monotonic()
        step, sent, end = PACKET_S / len(parties), 0, start + seconds
        while (now := time.monotonic()) < end + 0.5:
            if now - (start + sent * step) > _STALL_S:
                start = now - sent * step
            while now < end and start + sent * step <= now:
                parties[sent % len(parties)].send()
                sent += 1
            for fd, _ in waiting.poll(0.001):
                by_fd[fd].receive()
