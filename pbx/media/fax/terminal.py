"""A fax machine at a leg: fed with what arrives, asked for what to send, and set going anew when the media changes.

Sound is laid on a tape first: a modem is thrown by a packet in the wrong place, and has a tenth of a second to spare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pbx.media.engine import T38, FaxFinished, FaxSensed, FaxTask, MediaEvent
from pbx.media.fax.machine import FRAME, FaxEar, Outcome, PacketMachine, SoundMachine
from pbx.media.fax.udptl import BadUdptl, Receiver, Sender
from pbx.media.tape import Tape

_RATE = 8000
_BEHIND = _RATE // 10
"""Ticks that sound waits for packets that are late."""
_LONGEST = 4 * 3600 * _RATE


class Terminal:
    """Owned by its leg. `speed`: T.38 time to real time; more than 1 only between machines that all keep it."""

    def __init__(
        self, leg: str, task: FaxTask, document: Path, report: Callable[[MediaEvent], None], speed: int
    ) -> None:
        self._leg, self._task, self._document, self._report, self._speed = leg, task, document, report, speed
        self._sound: _Sound | None = None
        self._packets: _Packets | None = None
        self._sensed = self._finished = False

    @property
    def frames(self) -> Iterator[bytes] | None:
        """What it says, mu-law; None over T.38."""
        return self._sound.frames if self._sound is not None else None

    def over_sound(self, codec: str, now: float) -> None:
        """Go on over G.711; one that is at it already does not begin anew."""
        if self._sound is None and not self._finished:
            self._close()
            self._sound = _Sound(self._task, self._document, codec, now)

    def over_packets(self, t38: T38, send: Callable[[bytes], None]) -> None:
        """Go on over T.38: `send` takes a datagram. One that is at it already does not begin anew."""
        if self._packets is None and not self._finished:
            self._close()
            self._packets = _Packets(self._task, self._document, t38, send)

    def sound(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        if self._sound is not None:
            self._sound.tape.put(ssrc, timestamp, payload, now)

    def datagram(self, data: bytes) -> bool:
        """Take what arrived; False when it is no UDPTL."""
        return self._packets is None or self._packets.take(data)

    def beat(self, now: float) -> None:
        """20 ms have passed."""
        outcome = None
        if self._sound is not None:
            self._sound.go_on(now)
            signal, outcome = self._sound.ear.heard, self._sound.machine.outcome
            if signal is not None and not self._sensed:
                self._sensed = True
                self._report(FaxSensed(self._leg, signal))
        elif self._packets is not None:
            for _ in range(self._speed):
                self._packets.machine.go_on()
            outcome = self._packets.machine.outcome
        if outcome is not None:
            self._finish(outcome)

    def end(self) -> None:
        """The call is over, or somebody else has the leg."""
        at_work = self._sound or self._packets
        if at_work is not None:
            self._finish(at_work.machine.give_up())
        elif not self._finished:
            self._finish(Outcome(0, "the call ended before the fax began", "", 0, False))
        self._close()

    def _finish(self, it: Outcome) -> None:
        if self._finished:
            return
        self._finished = True
        over = "T.38" if self._packets is not None else "G.711"
        self._report(
            FaxFinished(
                self._leg, self._task.document, it.pages, it.problem, it.station, it.bit_rate, it.error_correction, over
            )
        )

    def _close(self) -> None:
        for at_work in (self._sound, self._packets):
            if at_work is not None:
                at_work.close()
        self._sound = self._packets = None


class _Sound:
    def __init__(self, task: FaxTask, document: Path, codec: str, now: float) -> None:
        self.machine = SoundMachine(task, document)
        self.ear = FaxEar(calls=task.calls)
        self.frames = self.machine.frames()
        self.tape = Tape(now, _LONGEST)
        self._codec, self._begun_at = codec, now
        self._read = self._ahead = 0
        """Ticks taken from the tape, and made up for beyond it: time goes on though nothing arrives."""

    def go_on(self, now: float) -> None:
        upto = int((now - self._begun_at) * _RATE) - _BEHIND
        for piece in self.tape.take(max(upto, 0)):
            if isinstance(piece, int):
                known = min(piece, self._ahead)
                self._ahead -= known
                self._read += piece
                self.machine.miss(piece - known)
            else:
                self._read += len(piece)
                self.machine.hear(piece, self._codec)
                self.ear.feed(piece, self._codec)
        late = upto - self._read - self._ahead
        if late >= FRAME:
            self._ahead += late
            self.machine.miss(late)

    def close(self) -> None:
        self.machine.close()
        self.ear.close()


class _Packets:
    def __init__(self, task: FaxTask, document: Path, t38: T38, send: Callable[[bytes], None]) -> None:
        self._sender, self._receiver, self._send = Sender(t38.largest), Receiver(), send
        self.machine = PacketMachine(task, document, self._leave, t38.largest)

    def take(self, data: bytes) -> bool:
        try:
            arrived = self._receiver.take(data)
        except BadUdptl:
            return False
        for number, packet in arrived:
            self.machine.take(number, packet)
        return True

    def _leave(self, packet: bytes, times: int) -> None:
        datagram = self._sender.datagram(packet)
        for _ in range(times):
            self._send(datagram)

    def close(self) -> None:
        self.machine.close()
