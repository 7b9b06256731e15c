"""Health that means it: twice a second the service is asked to do what it is there for, and told of what it does not.

An OPTIONS goes through the real UDP socket, a sign of life through the store to the disk, the media process is looked
at, the event loop is timed. What fails turns `/readyz` red within five seconds and is an event (`server.health`). Under
systemd (`WatchdogSec=`) the same decides whether the service is let live (`lab.systemd`).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from lab.shell import RealClock
from pbx.domain.registrations import host_and_port
from pbx.events import Event, HealthChanged
from pbx.sip.address import Peer
from pbx.store.protocol import Kept, SeenAlive

BEAT_S = 0.5
LATE_S = 0.25
"""A timer later than this is a loop that lags; one hiccup is not: two of three are."""
SILENT_S = 3.0
"""An OPTIONS each beat, and no answer for so long."""
UNWRITTEN_S = 3.0
_LARGEST = 65_535
_DRAINED = 64


class Durable(Protocol):
    """What is watched of the store."""

    writes: bool
    confirmed: int

    def submit(self, change: Kept) -> int: ...


class Vitals:
    """What was seen of each part, and the verdict; times are monotonic seconds. Pure."""

    def __init__(self, now: float) -> None:
        self._late: deque[bool] = deque(maxlen=3)
        self._heard_at = now
        self._written_at = now
        self._refuses = False
        self._media = True

    def beat(self, late_s: float, *, media: bool) -> None:
        self._late.append(late_s > LATE_S)
        self._media = media

    def heard(self, now: float) -> None:
        """The switch has answered."""
        self._heard_at = now

    def written(self, now: float, *, all_of_it: bool, refuses: bool) -> None:
        """How it stands with the disk: whether it has everything it was asked to keep, and whether it refuses."""
        self._refuses = refuses
        if all_of_it:
            self._written_at = now

    def reasons(self, now: float) -> dict[str, str]:
        """Return what is wrong by part, empty where nothing is."""
        silent_s, unwritten_s = now - self._heard_at, now - self._written_at
        return {
            "sip": f"no answer to OPTIONS for {silent_s:.1f} s" if silent_s > SILENT_S else "",
            "store": "the disk refuses"
            if self._refuses
            else f"nothing written for {unwritten_s:.1f} s"
            if unwritten_s > UNWRITTEN_S
            else "",
            "media": "" if self._media else "the media process is gone",
            "loop": f"timers are more than {LATE_S * 1000:.0f} ms late" if sum(self._late) >= 2 else "",
        }


class Watchdog:
    """Owns the socket that asks, and the timer: `bind` before the switch starts, `start` after it, then `close`."""

    def __init__(self, clock: RealClock, publish: Callable[[Event], None], well: Callable[[], None]) -> None:
        """`well` is called each beat at which nothing is wrong."""
        self._clock = clock
        self._publish = publish
        self._well = well
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._switch = Peer("udp", "", 0)
        self._asked = 0
        self._ticket = 0
        self._vitals = Vitals(clock.mono())
        self._answered = asyncio.Event()
        self._told: dict[str, str] = {}
        self._store: Callable[[], Durable | None] = lambda: None
        self._media: Callable[[], bool] = lambda: False

    def bind(self, host: str) -> Peer:
        """Return where the questions come from; they are not worth a line in anybody's trace. OSError may come."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        return Peer("udp", host, self._socket.getsockname()[1])

    async def start(
        self, switch: Peer, *, store: Callable[[], Durable | None], media: Callable[[], bool], within_s: float = 5.0
    ) -> None:
        """Begin, and wait for the first answer; `store` is None, and nothing is asked, while the switch is away."""
        assert self._socket is not None, "bind first"
        self._switch, self._store, self._media = switch, store, media
        self._vitals = Vitals(self._clock.mono())
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._readable)
        self._ask()
        self._arm(loop)
        try:
            async with asyncio.timeout(within_s):
                await self._answered.wait()
        except TimeoutError:
            self._tell()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def reasons(self) -> Mapping[str, str]:
        """Return what is wrong by part (`sip`, `store`, `media`, `loop`), empty where nothing is."""
        return self._vitals.reasons(self._clock.mono())

    # --- the beat -------------------------------------------------------------------------------------

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + BEAT_S
        self._timer = loop.call_at(due, self._beat, loop, due)

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._vitals.beat(loop.time() - due, media=self._media())
        self._write()
        self._ask()
        self._tell()
        self._arm(loop)

    def _write(self) -> None:
        store = self._store()
        if store is None:
            self._ticket = 0
            return
        now = self._clock.now()
        through = store.confirmed >= self._ticket
        self._vitals.written(now.mono, all_of_it=through, refuses=not store.writes)
        if through:
            self._ticket = store.submit(SeenAlive(now.wall.timestamp()))

    def _ask(self) -> None:
        if self._socket is None:
            return
        self._asked += 1
        here = host_and_port(*self._socket.getsockname()[:2])
        there = host_and_port(self._switch.host, self._switch.port)
        question = (
            f"OPTIONS sip:{there} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKwatchdog{self._asked};rport\r\n"
            f"Max-Forwards: 1\r\nFrom: <sip:watchdog@{here}>;tag=watchdog\r\nTo: <sip:{there}>\r\n"
            f"Call-ID: watchdog-{self._asked}@{here}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        try:
            self._socket.sendto(question.encode(), (self._switch.host, self._switch.port))
        except OSError:
            return  # then no answer comes, and that is told

    def _readable(self) -> None:
        for _ in range(_DRAINED):
            if self._socket is None:
                return
            try:
                answer, source = self._socket.recvfrom(_LARGEST)
            except OSError:
                return
            if source[1] == self._switch.port and answer.startswith(b"SIP/2.0 "):
                self._vitals.heard(self._clock.mono())
                self._answered.set()

    def _tell(self) -> None:
        reasons = self._vitals.reasons(self._clock.mono())
        for part, reason in reasons.items():
            if bool(reason) != bool(self._told.get(part)):
                self._publish(HealthChanged(part, not reason, reason))
        self._told = reasons
        if not any(reasons.values()):
            self._well()
