"""How many streams a core carries, and how evenly they leave: `python -m tests.bench.bench_media`.

The worker's own CPU time per packet is counted (not the cost of sink and generator), the spacing of packets
by the kernel's receive timestamps. Beside it stands the floor: one UDP packet sent and received on loopback by a bare
loop. Spacing is no promise on a busy machine; it asserts nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

from pbx.media.engine import MediaAddress, Music, RemoteMedia
from pbx.media.local import LocalEngine

STREAMS = 100
SECONDS = 3.0
WARM_S = 0.5
FLOOR_PACKETS = 20_000
PACKETS_PER_S = 50
PACKET = 172
_SO_TIMESTAMPNS = 35
_HOST = "127.0.0.1"


class Sink:
    """One socket for all streams; notes when the kernel received each packet."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((_HOST, 0))
        self.address = MediaAddress(*self._socket.getsockname())
        self.packets = 0
        self._last: dict[int, float] = {}
        self.deviations_ms: list[float] = []
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def reset(self) -> None:
        self.packets = 0
        self._last.clear()
        self.deviations_ms.clear()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        for _ in range(256):
            try:
                _, extra, _, source = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("qq", extra[0][2])
            now = seconds + nanoseconds / 1e9
            before = self._last.get(source[1])
            if before is not None:
                self.deviations_ms.append(abs(now - before - 0.02) * 1000)
            self._last[source[1]] = now
            self.packets += 1


def floor() -> float:
    """Return the CPU microseconds to send and receive one packet of RTP's size, and nothing else."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        two.bind((_HOST, 0))
        to, data = two.getsockname(), bytes(PACKET)
        start = time.process_time()
        for _ in range(FLOOR_PACKETS):
            one.sendto(data, to)
            two.recvfrom(2048)
        return (time.process_time() - start) / FLOOR_PACKETS * 1e6


def cpu_s(pid: int) -> float:
    """Return the user and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(sink: Sink, pid: int) -> dict[str, Any]:
    """Let streams flow; return what they cost the process and how evenly they arrived."""
    loop = asyncio.get_running_loop()
    await _pass(loop, WARM_S)
    sink.reset()
    before, start = cpu_s(pid), loop.time()
    await _pass(loop, SECONDS)
    used, elapsed = cpu_s(pid) - before, loop.time() - start
    deviations = sorted(sink.deviations_ms)
    per_packet = used / max(sink.packets, 1)
    return {
        "streams": STREAMS,
        "core": round(used / elapsed, 3),
        "us_per_packet": round(per_packet * 1e6, 1),
        "streams_per_core": int(1 / (PACKETS_PER_S * per_packet)) if per_packet else 0,
        "deviation_ms_p50": _at(deviations, 0.5),
        "deviation_ms_p99": _at(deviations, 0.99),
        "arrived": round(sink.packets / (STREAMS * PACKETS_PER_S * elapsed), 4),
    }


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[int(share * (len(ordered) - 1))], 3) if ordered else 0.0


async def _pass(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


async def prompts(engine: LocalEngine, sink: Sink) -> dict[str, Any]:
    """Sounds of the worker's own, as callers in an attendant or a queue get them."""
    legs = [f"prompt-{at}" for at in range(STREAMS)]
    for leg in legs:
        engine.open(leg)
        engine.connect(leg, _to(sink.address))
        engine.play(leg, Music("default"))
    found = await measured(sink, engine.pid)
    for leg in legs:
        engine.close(leg)
    return found


async def relay(engine: LocalEngine, generator: LocalEngine, sink: Sink) -> dict[str, Any]:
    """Streams that another process plays and this worker passes on, one way each."""
    legs = [(f"from-{at}", f"to-{at}", f"played-{at}") for at in range(STREAMS)]
    for source, target, played in legs:
        arrives, plays = engine.open(source), generator.open(played)
        engine.open(target)
        engine.connect(source, _to(plays))
        engine.connect(target, _to(sink.address))
        engine.bridge(source, target)
        generator.connect(played, _to(arrives))
        generator.play(played, Music("default"))
    found = await measured(sink, engine.pid)
    for source, target, played in legs:
        engine.close(source)
        engine.close(target)
        generator.close(played)
    return found


def _to(address: MediaAddress) -> RemoteMedia:
    return RemoteMedia(address.host, address.port, "PCMU", 0, 101, "sendrecv")


async def _bench() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        engine, generator = (
            LocalEngine(_HOST, recordings=Path(folder), on_events=lambda: None, ports=ports)
            for ports in (2 * STREAMS, STREAMS)
        )
        await asyncio.gather(engine.start(), generator.start())
        sink = Sink()
        try:
            return {
                "floor_us_per_packet": round(floor(), 1),
                "prompts": await prompts(engine, sink),
                "relay": await relay(engine, generator, sink),
            }
        finally:
            sink.close()
            await asyncio.gather(engine.shut(), generator.shut())


def run() -> dict[str, Any]:
    """Measure, print a table, return the figures."""
    found = asyncio.run(_bench())
    print(f"media: {STREAMS} streams, {SECONDS:g} s each")
    print(f"{'':10}{'core':>8}{'us/packet':>11}{'streams/core':>14}{'dev p50':>9}{'p99 ms':>9}{'arrived':>9}")
    print(f"{'floor':10}{'':8}{found['floor_us_per_packet']:11.1f}   (send + receive, bare loop)")
    for name in ("prompts", "relay"):
        it = found[name]
        print(
            f"{name:10}{it['core']:8.0%}{it['us_per_packet']:11.1f}{it['streams_per_core']:14d}"
            f"{it['deviation_ms_p50']:9.3f}{it['deviation_ms_p99']:9.3f}{it['arrived']:9.1%}"
        )
    return found


if __name__ == "__main__":
    run()
