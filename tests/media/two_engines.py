"""Engines that talk to each other, in virtual and in real time, behind one face: the tests of the contract use it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pbx.media import sdp
from pbx.media.engine import DigitPressed, Engine, Heard, MediaAddress, MediaEvent, SrtpKeys
from pbx.media.local import LocalEngine
from pbx.media.prompts.catalogue import seconds_of
from pbx.media.virtual import VirtualEngine
from pbx.media.virtual_speaking import BEAT_S

WIRE_S = 0.005
PARTIES = ("101", "102", "103")
PATIENCE_S = 4.0


class Room(Protocol):
    """Some engines and the time they live in."""

    engines: Sequence[Engine]
    events: Sequence[list[MediaEvent]]
    """What each engine has told so far."""

    async def wait(self, seconds: float, until: Callable[[], bool] = ...) -> bool:
        """Let at most `seconds` pass, or until `until` holds; return whether it does."""
        ...


class VirtualRoom:
    def __init__(
        self,
        count: int = 3,
        deliver: Callable[[bytes], bool] = lambda data: True,
        longest_beat_s: float = BEAT_S,
        is_steady: Callable[[], bool] = lambda: False,
    ) -> None:
        self._now, self._order = 0.0, 0
        self._wire: list[tuple[float, int, tuple[str, int], tuple[str, int], bytes]] = []
        self._deliver = deliver
        self.datagrams = 0
        self.engines = [
            VirtualEngine(f"10.0.0.{at}", self._send, seconds_of, longest_beat_s=longest_beat_s, is_steady=is_steady)
            for at in range(count)
        ]
        self.events: list[list[MediaEvent]] = [[] for _ in self.engines]

    def _send(self, source: tuple[str, int], to: tuple[str, int], data: bytes) -> None:
        self.datagrams += 1
        self._order += 1
        if self._deliver(data):
            heapq.heappush(self._wire, (self._now + WIRE_S, self._order, source, to, data))

    def inject(self, at: int, data: bytes, source: tuple[str, int], port: int) -> None:
        self.engines[at].receive(data, source, port, self._now)

    async def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end = self._now + seconds
        self._collect()
        while not until():
            due = min([*(engine.next_deadline() for engine in self.engines), self._wire[0][0] if self._wire else end])
            if due > end or (due == end and not self._wire):
                self._now = end
                for engine in self.engines:
                    engine.tick(end)
                self._collect()
                return until()
            self._now = max(self._now, due)
            while self._wire and self._wire[0][0] <= self._now:
                _, _, source, to, data = heapq.heappop(self._wire)
                self.engines[int(to[0].rpartition(".")[2])].receive(data, source, to[1], self._now)
            for engine in self.engines:
                engine.tick(self._now)
            self._collect()
        return True

    def _collect(self) -> None:
        for engine, events in zip(self.engines, self.events, strict=True):
            events += engine.take_events()


class RealRoom:
    """Media processes on loopback."""

    def __init__(self, recordings: Path, count: int = 2, ports: int = 160) -> None:
        self._news = asyncio.Event()
        self.engines = [
            LocalEngine("127.0.0.1", recordings=recordings, on_events=self._news.set, parties=PARTIES, ports=ports)
            for _ in range(count)
        ]
        self.events: list[list[MediaEvent]] = [[] for _ in self.engines]

    async def start(self) -> None:
        await asyncio.gather(*(engine.start() for engine in self.engines))

    async def close(self) -> None:
        await asyncio.gather(*(engine.shut() for engine in self.engines))

    async def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not self._fulfilled(until):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return self._fulfilled(until)
        return True

    def _fulfilled(self, until: Callable[[], bool]) -> bool:
        for engine, events in zip(self.engines, self.events, strict=True):
            events += engine.take_events()
        return until()


class Call:
    """A leg of one engine connected to a leg of another by offer and answer, as switch and phones do it."""

    def __init__(
        self,
        room: Room,
        caller: int,
        called: int,
        name: str,
        *,
        codecs: tuple[str, ...] = sdp.CODECS,
        keys: tuple[str, str, str] | None = None,
    ) -> None:
        """`keys`: suite, the caller's key, the called's."""
        self.room = room
        self.legs = (f"{name}-caller", f"{name}-called")
        self.engines = (room.engines[caller], room.engines[called])
        self._events = (room.events[caller], room.events[called])
        self._addresses: list[MediaAddress] = []
        self._codecs = codecs
        for engine, leg in zip(self.engines, self.legs, strict=True):
            self._addresses.append(engine.open(leg))
            engine.listen(leg)
        self.negotiate(keys=keys)

    def negotiate(
        self,
        direction: str = "sendrecv",
        *,
        keys: tuple[str, str, str] | None = None,
        mine: tuple[str, str, str] | None = None,
    ) -> None:
        """The caller offers `direction`; the called may have other keys in mind, as it sees them: `mine`."""
        offer = sdp.offer(self._addresses[0], codecs=self._codecs, direction=direction)
        text, called = sdp.answer(sdp.parse_sdp(offer), self._addresses[1])
        caller = sdp.settle(sdp.parse_sdp(offer), sdp.parse_sdp(text))
        if keys is not None:
            suite, ours, theirs = keys
            caller = caller._replace(keys=SrtpKeys(suite, ours, theirs))
            called = called._replace(keys=SrtpKeys(*mine) if mine else SrtpKeys(suite, theirs, ours))
        self.engines[1].connect(self.legs[1], called)
        self.engines[0].connect(self.legs[0], caller)

    def heard(self, end: int) -> list[str]:
        return [event.sound for event in self.told(end, Heard)]

    def keys(self, end: int) -> str:
        return "".join(event.digit for event in self.told(end, DigitPressed))

    def last(self, end: int, kind: type[MediaEvent]):
        """The last event of a kind an end has told, None when there was none."""
        return next(reversed(self.told(end, kind)), None)

    def told(self, end: int, kind: type[MediaEvent]) -> list:
        return [event for event in self._events[end] if isinstance(event, kind) and event.leg == self.legs[end]]

    async def hears(self, end: int, sound: str, within_s: float = PATIENCE_S) -> bool:
        """Wait until what an end hears is `sound`."""
        return await self.room.wait(within_s, lambda: self.heard(end)[-1:] == [sound])

    async def tells(self, end: int, kind: type[MediaEvent], within_s: float = PATIENCE_S):
        """Wait for an event of a kind; return it."""
        await self.room.wait(within_s, lambda: self.last(end, kind) is not None)
        return self.last(end, kind)

    def close(self) -> None:
        for engine, leg in zip(self.engines, self.legs, strict=True):
            engine.close(leg)
