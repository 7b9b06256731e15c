"""The asyncio shell around a pure core in the real world: its sockets, its one timer, its clock.

A composition root: here, and only here, the clocks of the real world are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lab.clockwork import Core
from lab.errors import Away
from lab.rough_line import RoughLine
from pbx.clock import FOREVER, Moment
from pbx.sip.address import Peer
from pbx.sip.overload import Admission
from pbx.sip.streams import Security, StreamTransport
from pbx.sip.tolerances import Tolerances
from pbx.sip.transport import UdpTransport

_TRIES = 20


class RealClock:
    """Monotonic and wall time, read together."""

    def now(self) -> Moment:
        return Moment(time.monotonic(), datetime.fromtimestamp(time.time(), UTC))

    def mono(self) -> float:
        return time.monotonic()


class Shell:
    """Sockets of one core. Bind first (`addresses` are needed to make the core), then `start` it."""

    def __init__(self, clock: RealClock, host: str, port: int = 0, tolerances: Tolerances | None = None) -> None:
        """Bind UDP; OSError when the port is taken."""
        self.tolerances = tolerances or Tolerances()
        self._clock = clock
        self._core: Core | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed = FOREVER
        self._udp = UdpTransport(self, host, port)
        self._streams: dict[str, StreamTransport] = {}
        self._security: Security | None = None
        self._tls_port: int | None = None
        self.admission: Admission | None = None
        self.refused: Callable[[Peer, Exception], None] = lambda peer, error: None
        """Told of a peer with which no TLS connection came about."""
        self.rough: RoughLine | None = None
        """Stands between the core and its UDP socket where the line may be a bad one."""
        self.after: Callable[[], None] | None = None
        """Runs after every input: what else the owner carries out."""

    @property
    def udp(self) -> tuple[str, int]:
        return self._udp.address

    @property
    def core(self) -> Core:
        if self._core is None:
            raise Away("no core runs behind these sockets")
        return self._core

    @property
    def tls(self) -> tuple[str, int]:
        """Where TLS is listened for; the UDP address of a shell that only calls out."""
        return self._streams["tls"].address if self._tls_port is not None else self._udp.address

    async def listen_tcp(self) -> None:
        """Listen on TCP at the UDP port's number; OSError when it is taken."""
        host, port = self._udp.address
        tcp = StreamTransport(self, host, port, tolerances=self.tolerances)
        await tcp.start()
        self._streams["tcp"] = tcp

    def secure(self, security: Security) -> None:
        """Be able to call out over TLS."""
        self._streams["tls"] = StreamTransport(self, self._udp.address[0], 0, security, self.tolerances)

    async def listen_tls(self, port: int, security: Security) -> None:
        """Listen for TLS; port 0 lets the system choose. OSError when the port is taken."""
        tls = StreamTransport(self, self._udp.address[0], port, security, self.tolerances)
        await tls.start()
        self._streams["tls"] = tls
        self._security, self._tls_port = security, tls.address[1]

    async def listen_again(self) -> None:
        """Listen for streams at the ports of before `hang_up`."""
        await self.listen_tcp()
        if self._security is not None and self._tls_port is not None:
            await self.listen_tls(self._tls_port, self._security)

    def start(self, core: Core) -> None:
        """Put a core behind the sockets, at first or after `stop`."""
        self._core = core
        self._udp.start()
        self.settle()

    def stop(self) -> None:
        """Take the core away where it stands: what arrives finds nobody, as when a process was killed."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed, self._core = None, FOREVER, None

    async def hang_up(self) -> None:
        """Close the listeners and every connection, as the end of a process does."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            await stream.close()

    @property
    def stopped(self) -> bool:
        return self._core is None

    def rough_line(self, seed: int) -> RoughLine:
        """Return the line of this core, good at first."""
        if self.rough is None:
            self.rough = RoughLine(seed, self._clock.mono, self._udp.send, self._came)
        return self.rough

    async def close(self) -> None:
        self.stop()
        if self.rough is not None:
            self.rough.close()
        await self.hang_up()
        self._udp.close()

    # --- inputs ---------------------------------------------------------------------------------------

    def received(self, data: bytes, source: Peer) -> None:
        if self.rough is not None and self.rough.bad and source.transport == "udp":
            self.rough.receive(data, source)
        elif self._core is not None:
            self._core.receive(data, source, self._clock.mono())

    def _came(self, data: bytes, source: Peer) -> None:
        """A datagram has come over a bad line."""
        if self._core is not None:
            self._core.receive(data, source, self._clock.mono())
            self.settle()

    def all_received(self) -> None:
        self.settle()

    def disconnected(self, peer: Peer) -> None:
        if self._core is not None:
            self._core.closed(peer, self._clock.mono())
            self.settle()

    def waited(self, seconds: float) -> None:
        if self.admission is not None:
            self.admission.waited(seconds, self._clock.mono())

    def insecure(self, peer: Peer, error: Exception) -> None:
        self.refused(peer, error)

    def woken(self) -> None:
        """The core's engine has something to say."""
        if self._core is not None:
            self._core.woken(self._clock.mono())
            self.settle()

    def settle(self) -> None:
        """Carry out what the last input caused; call it after commanding the core directly."""
        core = self._core
        if core is None:
            return
        for outgoing in core.take_outgoing():
            if outgoing.to.transport == "udp":
                send = self.rough.send if self.rough is not None and self.rough.bad else self._udp.send
                send(outgoing.data, outgoing.to)
            elif (stream := self._streams.get(outgoing.to.transport)) is not None:
                stream.send(outgoing.data, outgoing.to)
        if self.after is not None:
            self.after()
        self._arm(core.next_deadline())

    def _arm(self, due: float) -> None:
        """Keep one timer; a deadline that moved away is found out when the old one comes up."""
        if due >= self._armed and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = due
        if due < FOREVER:
            wait = max(due - self._clock.mono(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer, self._armed = None, FOREVER
        core = self._core
        if core is None:
            return
        if core.next_deadline() <= self._clock.mono():
            core.tick(self._clock.mono())
        self.settle()


async def shell_on_both(clock: RealClock, host: str, port: int = 0, tolerances: Tolerances | None = None) -> Shell:
    """Return a shell that listens on UDP and TCP at one port number; port 0 lets the system choose it."""
    for left in range(_TRIES, 0, -1):
        shell = Shell(clock, host, port, tolerances)
        try:
            await shell.listen_tcp()
        except OSError:
            await shell.close()
            if port or left == 1:
                raise
        else:
            return shell
    raise AssertionError("unreachable")
