"""How many streams a core carries, how evenly they leave and how late: `python -m tests.bench.bench_media`.

The worker's own CPU time is counted (not that of sink and generator), as it is on a core of one's own (`pace`);
spacing and delay by the kernel's receive timestamps. Floors of the same run, with the same traffic: a bare relay that
looks at nothing, one packet in and one out; the same with one stream for its delay; a bare sender that only waits for
each packet's moment. All of them go first on the server's core, as the media process does. Spacing and delay are what
the machine's other load leaves of them: they are shown, not compared.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from pbx.media import rtp
from pbx.media.engine import Closed, MediaAddress, Music, RemoteMedia
from pbx.media.local import LocalEngine
from provisioning_server.tftp_server import roomy
from tests.bench import bare_relay
from tests.bench.figures import Figure, table
from tests.bench.machine import GENERATOR, SERVER, cpu_s, on_core
from tests.bench.pace import Paces, Span

RUNS = 3
STREAMS = 400
"""At once, of each kind: among fewer of them each packet waits for a wake-up of its own."""
PACED = 20
SECONDS = 2.0
WARM_S = 1.0
"""Setting up and taking down are no part of a stream's price."""
PACKETS_PER_S = 50
PACKET_S = 0.02
_PROBE_EVERY_S = 0.004
_SO_TIMESTAMPNS = 35
_HOST = "127.0.0.1"


class Sink:
    """One socket for all streams; notes when the kernel received each packet, and how old a probe was."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        roomy(self._socket)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((_HOST, 0))
        self.address = MediaAddress(*self._socket.getsockname())
        self.packets = 0
        self._last: dict[int, tuple[float, int]] = {}
        """When the newest packet of each stream came, and its number."""
        self.deviations_ms: list[float] = []
        self.delays_ms: list[float] = []
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def reset(self) -> None:
        self.packets = 0
        self._last.clear()
        self.deviations_ms.clear()
        self.delays_ms.clear()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def probe(self, to: tuple[str, int], number: int) -> None:
        """Send a packet that carries the moment it was sent."""
        packet = rtp.pack(0, number & 0xFFFF, number * 160, 1, struct.pack("d", time.time()) + bytes(152))
        self._socket.sendto(packet, to)

    def _read(self) -> None:
        for _ in range(256):
            try:
                data, extra, _, source = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("qq", extra[0][2])
            now = seconds + nanoseconds / 1e9
            (sent,) = struct.unpack("d", data[12:20])
            if 0 <= now - sent < 10:
                self.delays_ms.append((now - sent) * 1000)
                continue
            sequence = int.from_bytes(data[2:4], "big")
            before = self._last.get(source[1])
            if before is not None:  # one that this socket had no room for is no fault of the pace
                due = (sequence - before[1] & 0xFFFF) * PACKET_S
                self.deviations_ms.append(abs(now - before[0] - due) * 1000)
            self._last[source[1]] = now, sequence
            self.packets += 1


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))] if values else 0.0


async def passed(seconds: float) -> None:
    over = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, over.set_result, None)
    await over


class Bench:
    """An engine under test, another that makes traffic, and the sink; `open` them together."""

    def __init__(self, engine: LocalEngine, generator: LocalEngine, sink: Sink) -> None:
        self.engine, self.generator, self.sink = engine, generator, sink
        self.paces = Paces(SERVER)

    async def us_per_packet(self, flowing: AbstractContextManager[set[str]]) -> tuple[float, Span]:
        """Let streams flow over the legs named; return the engine's CPU µs for each packet it sends.

        AssertionError when it did not keep its pace; it counts its packets itself, a sink on a busy machine loses some.
        """
        self.engine.take_events()
        with flowing as legs:
            us, seconds, span = await self._price(self.engine.pid)
        sent, due = 0, STREAMS * PACKETS_PER_S * seconds
        while legs:
            await passed(0.01)
            for event in self.engine.take_events():
                if isinstance(event, Closed) and event.leg in legs:
                    legs.remove(event.leg)
                    sent += event.statistics.sent
        assert sent >= due, f"{sent} packets in the time of {due:.0f}: the machine is too busy for {STREAMS} streams"
        return us, span

    async def bare_us_per_packet(self) -> tuple[float, Span]:
        """Let as many streams flow through a bare relay; return its CPU µs for each packet."""
        with ExitStack() as closing:
            pid, ports = closing.enter_context(bare_relay.running(_at(self.sink.address), STREAMS))
            for number, port in enumerate(ports):
                self.generator.open(f"bare-{number}")
                closing.callback(self.generator.close, f"bare-{number}")
                self.generator.connect(f"bare-{number}", _to(MediaAddress(bare_relay.HOST, port)))
                self.generator.play(f"bare-{number}", Music("default"))
            us, _, span = await self._price(pid)
        return us, span

    async def _price(self, pid: int) -> tuple[float, float, Span]:
        """Return what a process pays for a packet of each stream that flows by now, measured for how long, how fast."""
        await passed(WARM_S)
        with self.paces.measured() as span:
            self.sink.reset()
            before, begun = cpu_s(pid), time.monotonic()
            await passed(SECONDS)
            used, seconds = cpu_s(pid) - before, time.monotonic() - begun
        return used / (STREAMS * PACKETS_PER_S * seconds) * 1e6, seconds, span

    @contextmanager
    def playing(self) -> Iterator[set[str]]:
        """Sounds of the worker's own to the sink, as callers in an attendant or a queue get them."""
        legs = [f"prompt-{at}" for at in range(STREAMS)]
        for leg in legs:
            self.engine.open(leg)
            self.engine.connect(leg, _to(self.sink.address))
            self.engine.play(leg, Music("default"))
        yield set(legs)
        for leg in legs:
            self.engine.close(leg)

    @contextmanager
    def relaying(self) -> Iterator[set[str]]:
        """Streams that the generator plays and the engine passes on to the sink, one way each."""
        legs = [(f"from-{at}", f"to-{at}", f"played-{at}") for at in range(STREAMS)]
        for source, target, played in legs:
            arrives, plays = self.engine.open(source), self.generator.open(played)
            self.engine.open(target)
            self.engine.connect(source, _to(plays))
            self.engine.connect(target, _to(self.sink.address))
            self.engine.bridge(source, target)
            self.generator.connect(played, _to(arrives))
            self.generator.play(played, Music("default"))
        yield {leg for source, target, _ in legs for leg in (source, target)}
        for source, target, played in legs:
            self.engine.close(source)
            self.engine.close(target)
            self.generator.close(played)

    @contextmanager
    def recording(self) -> Iterator[set[str]]:
        """Both ways at once: the generator plays to legs that record it while they play to the generator.

        A few more play to the sink, which tells how evenly all of them are paced.
        """
        legs = [(f"leg-{at}", f"speaks-{at}") for at in range(STREAMS)]
        paced = [f"paced-{at}" for at in range(PACED)]
        for leg in paced:
            self.engine.open(leg)
            self.engine.connect(leg, _to(self.sink.address))
            self.engine.play(leg, Music("default"))
        for leg, speaks in legs:
            here, there = self.engine.open(leg), self.generator.open(speaks)
            self.engine.connect(leg, RemoteMedia(there.host, there.port, "PCMU", 0, 101, "sendrecv"))
            self.generator.connect(speaks, _to(here))
            self.generator.play(speaks, Music("default"))
            self.engine.play(leg, Music("default"))
            self.engine.record(leg, leg, max_s=600.0, silence_s=600.0)
        yield {leg for leg, _ in legs}
        for leg in paced:
            self.engine.close(leg)
        for leg, speaks in legs:
            self.engine.close(leg)
            self.generator.close(speaks)

    async def delay(self) -> float:
        """Return the p99 of the way through the relay, in ms, beside the streams that are flowing."""
        arrives = self.engine.open("probe-in")
        self.engine.open("probe-out")
        self.engine.connect("probe-in", _to(self.sink.address))
        self.engine.connect("probe-out", _to(self.sink.address))
        self.engine.bridge("probe-in", "probe-out")
        await self._probes((arrives.host, arrives.port))
        self.engine.close("probe-in")
        self.engine.close("probe-out")
        return p99(self.sink.delays_ms)

    async def echoed(self) -> float:
        """Return the p99 of the way to a bare echo and back, in ms, beside the same streams."""
        with bare_relay.running(_at(self.sink.address), 1) as (_, [port]):
            await self._probes((bare_relay.HOST, port))
        return p99(self.sink.delays_ms)

    async def _probes(self, to: tuple[str, int]) -> None:
        await passed(0.1)
        self.sink.reset()
        for number in range(int(SECONDS / _PROBE_EVERY_S)):
            self.sink.probe(to, number)
            await passed(_PROBE_EVERY_S)


def _at(address: MediaAddress) -> tuple[str, int]:
    return address.host, address.port


def _to(address: MediaAddress) -> RemoteMedia:
    return RemoteMedia(address.host, address.port, "PCMU", 0, 101, "sendrecv")


async def bare_sender(bench: Bench) -> tuple[float, float, Span]:
    """Return the spacing p99 in ms of a bare sender of as many streams, and its CPU µs for each packet."""
    address = bench.sink.address
    told = (_HOST, str(address.port), str(STREAMS), str(SECONDS))
    with bench.paces.measured() as span:
        with on_core(SERVER):
            sender = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.sender", *told, stdout=asyncio.subprocess.PIPE
            )
        bench.sink.reset()
        said, _ = await sender.communicate()
    return p99(bench.sink.deviations_ms), float(said), span


async def _bench() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        made: list[LocalEngine] = []
        for core, ports in ((SERVER, 5 * STREAMS), (GENERATOR, 3 * STREAMS)):
            with on_core(core):
                engine = LocalEngine(_HOST, recordings=Path(folder), on_events=lambda: None, ports=ports)
                await engine.start()
            made.append(engine)
        sink = Sink()
        try:
            with on_core(GENERATOR):
                return await _measure(Bench(*made, sink))
        finally:
            sink.close()
            await asyncio.gather(*(engine.shut() for engine in made))


async def _measure(bench: Bench) -> list[Figure]:
    late, late_duplex, floor_late = list[float](), list[float](), list[float]()
    delays, floor_delays = list[float](), list[float]()
    costs: dict[str, list[tuple[float, Span]]] = {each: [] for each in ("own", "relay", "duplex", "sender", "bare")}
    for _ in range(RUNS):
        costs["own"].append(await bench.us_per_packet(bench.playing()))
        late.append(p99(bench.sink.deviations_ms))
        spacing, us, span = await bare_sender(bench)
        floor_late.append(spacing)
        costs["sender"].append((us, span))
        costs["relay"].append(await bench.us_per_packet(bench.relaying()))
        costs["bare"].append(await bench.bare_us_per_packet())
        with bench.relaying():
            delays.append(await bench.delay())
            floor_delays.append(await bench.echoed())
        costs["duplex"].append(await bench.us_per_packet(bench.recording()))
        late_duplex.append(p99(bench.sink.deviations_ms))
    us_of = {kind: bench.paces.alone(found) for kind, found in costs.items()}
    streams = {kind: tuple(map(_streams, found)) for kind, found in us_of.items()}
    return [
        Figure("media.pace", "of what a core of its own does", bench.paces.all(), steady=False),
        Figure("media.prompts", "streams a core", streams["own"], streams["sender"], more_is_better=True),
        Figure("media.prompts.spacing", "ms p99", tuple(late), tuple(floor_late), steady=False),
        Figure("media.relay", "one-way streams a core", streams["relay"], streams["bare"], must=700,
               more_is_better=True),
        Figure("media.relay.delay", "ms p99", tuple(delays), tuple(floor_delays), steady=False),
        Figure("media.duplex", f"of a core for {STREAMS} recording legs", tuple(map(_core, us_of["duplex"])),
               tuple(map(_core, us_of["bare"])), must=0.65),
        Figure("media.duplex.spacing", "ms p99", tuple(late_duplex), tuple(floor_late), steady=False),
    ]  # fmt: skip


def _streams(us: float) -> float:
    """How many streams fit into a core when a packet costs so many microseconds."""
    return 1e6 / (PACKETS_PER_S * us)


def _core(us: float) -> float:
    """The share of a core that the legs take."""
    return us * PACKETS_PER_S * STREAMS / 1e6


def figures() -> list[Figure]:
    return asyncio.run(_bench())


if __name__ == "__main__":
    print(table(figures()))
