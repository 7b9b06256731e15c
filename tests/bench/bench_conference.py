"""A conference of 50 and 100 callers on music in one media process: `python -m tests.bench.bench_conference`.

Everybody in the conference sends all the time, five of them speak; each is a socket of its own, the callers on music
share one. The kernel notes when packets arrive; the longest gap between two of one stream is what a listener suffers.
Beside it the longest gap of a bare sender of as many streams, from the same run: what the machine's other load makes
of pacing, whoever paces. The share is that of a core of one's own (`pace`).
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

from pbx.media import ears, rtp, sounds_made
from pbx.media.engine import Music, RemoteMedia
from pbx.media.local import LocalEngine
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, cpu_s, on_core
from tests.bench.pace import Paces, Span

RUNS = 3
PARTIES, SPEAKERS, CALLERS = 50, 5, 100
SECONDS = 5.0
WARM_S = 1.0
GAP_MS = 40.0
PACKET_S = 0.02
_SO_TIMESTAMPNS = 35
_HOST = "127.0.0.1"


class Ear:
    """A socket that may speak, and notes the gaps in each stream that reaches it."""

    def __init__(self, frames: list[bytes]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((_HOST, 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.to = (_HOST, 0)
        self.gaps_ms: list[float] = []
        self._frames = cycle(frames)
        self._sequence = 0
        self._last: dict[int, float] = {}

    def speak(self) -> None:
        self._sequence += 1
        packet = rtp.pack(0, self._sequence, self._sequence * 160, self.port, next(self._frames))
        self.socket.sendto(packet, self.to)

    def listen(self) -> None:
        for _ in range(256):
            try:
                data, extra, _, source = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if len(data) != 172:  # a report is none of the sound
                continue
            seconds, nanoseconds = struct.unpack("qq", extra[0][2])
            now = seconds + nanoseconds / 1e9
            if source[1] in self._last:
                self.gaps_ms.append((now - self._last[source[1]]) * 1000)
            self._last[source[1]] = now

    def forget(self) -> None:
        self.gaps_ms.clear()
        self._last.clear()


def talk(speakers: list[Ear], listeners: list[Ear], seconds: float) -> None:
    """Let everybody send 50 packets a second, evenly spread, and all note what arrives; blocks."""
    with select.epoll() as waiting:
        by_fd = {ear.socket.fileno(): ear for ear in listeners}
        for fd in by_fd:
            waiting.register(fd, select.EPOLLIN)
        start = time.monotonic()
        sent, end = 0, start + seconds
        while (now := time.monotonic()) < end:
            while speakers and start + sent * PACKET_S / len(speakers) <= now:
                speakers[sent % len(speakers)].speak()
                sent += 1
            for fd, _ in waiting.poll(0.001):
                by_fd[fd].listen()


async def _run(engine: LocalEngine, paces: Paces) -> tuple[tuple[float, Span], float]:
    """Return the share of a core that the media process took, and the longest gap in ms."""
    voices = [list(sounds_made.signature_frames(f"party {at}")) for at in range(SPEAKERS)]
    parties = [Ear(voices[at] if at < SPEAKERS else [ears.SILENT_FRAME]) for at in range(PARTIES)]
    queue = Ear([])
    for at, party in enumerate(parties):
        leg = f"party-{at}"
        party.to = (_HOST, engine.open(leg).port)
        engine.connect(leg, RemoteMedia(_HOST, party.port, "PCMU", 0, 101, "sendrecv"))
        engine.listen(leg)  # as the switch does with every leg
        engine.join(leg, "conference")
    for at in range(CALLERS):
        engine.open(f"caller-{at}")
        engine.connect(f"caller-{at}", RemoteMedia(_HOST, queue.port, "PCMU", 0, 101, "sendrecv"))
        engine.play(f"caller-{at}", Music("default"))
    everybody = [*parties, queue]
    await asyncio.to_thread(talk, parties, everybody, WARM_S)
    for ear in everybody:
        ear.forget()
    with paces.measured() as span:
        before = cpu_s(engine.pid)
        await asyncio.to_thread(talk, parties, everybody, SECONDS)
        used = (cpu_s(engine.pid) - before) / SECONDS
    for leg in [*(f"party-{at}" for at in range(PARTIES)), *(f"caller-{at}" for at in range(CALLERS))]:
        engine.close(leg)
    for ear in everybody:
        ear.socket.close()
    streams = sum(len(ear.gaps_ms) for ear in everybody) / (SECONDS / PACKET_S)
    if streams < 0.9 * (PARTIES + CALLERS):
        raise RuntimeError(f"only {streams:.0f} of {PARTIES + CALLERS} streams arrived")
    return (used, span), max(gap for ear in everybody for gap in ear.gaps_ms)


async def _bare() -> float:
    """Return the longest gap in ms of as many streams from a sender that does nothing else."""
    ear = Ear([])
    told = (_HOST, str(ear.port), str(PARTIES + CALLERS), str(SECONDS))
    with on_core(SERVER):
        sender = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.sender", *told, stdout=asyncio.subprocess.DEVNULL
        )
    await asyncio.to_thread(talk, [], [ear], SECONDS)
    await sender.wait()
    ear.socket.close()
    return max(ear.gaps_ms, default=0.0)


async def _bench() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        with on_core(SERVER):
            ports = RUNS * (PARTIES + CALLERS)  # each rests a while
            engine = LocalEngine(_HOST, recordings=Path(folder), on_events=lambda: None, ports=ports)
            await engine.start()
        paces, shares, gaps, floors = Paces(SERVER), [], [], []
        try:
            with on_core(GENERATOR):
                for _ in range(RUNS):
                    share, gap = await _run(engine, paces)
                    shares.append(share)
                    gaps.append(gap)
                    floors.append(await _bare())
        finally:
            await engine.shut()
    return [
        Figure(
            "media.conference", f"of a core, {PARTIES} conferring and {CALLERS} on music", paces.alone(shares), must=1.0
        ),
        Figure("media.conference.gap", "ms, the longest", tuple(gaps), tuple(floors), must=GAP_MS, steady=False),
    ]


def figures() -> list[Figure]:
    return asyncio.run(_bench())


if __name__ == "__main__":
    print(table(figures()))
