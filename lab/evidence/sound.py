"""The sound of a leg from its packets: each way as µ-law, how loud it was, and its figures second by second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pbx.media import g711, rtp, wav
from pbx.media.codecs import OPUS, has_opus, ticks, transcoder
from pbx.media.quality import Receiver
from pbx.media.tap import AGREED, CAME, SENT, Tapped, agreement
from pbx.media.tape import Tape

RATE = 8000
COLUMNS = 160
"""Of a waveform."""
_LONGEST_S = 600
_SILENCE = 0xFF


@dataclass(frozen=True, slots=True)
class Second:
    """One way of a leg in one second."""

    at_s: int
    """Since the leg's first packet."""
    way: str
    """`came` or `sent`."""
    packets: int
    lost: int
    """Numbers that are missing so far, less those missing before."""
    jitter_ms: float


@dataclass(slots=True)
class Way:
    """What was said one way."""

    name: str
    _tape: Tape
    _received: Receiver = field(default_factory=Receiver)
    _coding: Callable[[bytes], bytes] | None = None
    _ssrc: int = -1
    _counted: tuple[int, int, int] = (0, 0, 0)
    """The second that is counted, packets and losses before it."""
    series: list[Second] = field(default_factory=list)

    def tuned(self, codec: str) -> None:
        self._coding = transcoder(codec, "PCMU")

    def packet(self, packet: rtp.Packet, scale: int, at: float, at_s: float) -> None:
        timestamp = packet.timestamp // scale
        if packet.ssrc != self._ssrc:
            self._ssrc, self._received = packet.ssrc, Receiver()
            self._counted = (int(at_s), 0, 0)
        self._note(int(at_s))
        if self._received.packet(packet.sequence, timestamp, at):
            sound = packet.payload if self._coding is None else self._coding(packet.payload)
            self._tape.put(packet.ssrc, timestamp, sound, at)

    def _note(self, second: int) -> None:
        at, packets, lost = self._counted
        if second > at:
            it = self._received
            self.series.append(Second(at, self.name, it.received - packets, it.lost - lost, round(it.jitter_ms, 2)))
            self._counted = (second, it.received, it.lost)

    def octets(self) -> bytes:
        self._note(self._counted[0] + 1)
        return b"".join(
            piece if isinstance(piece, bytes) else bytes((_SILENCE,)) * piece
            for piece in self._tape.take(self._tape.end)
        )


def ways(tapped: Iterable[Tapped]) -> tuple[Way, Way] | None:
    """Return what came to a leg and what was sent, laid down from its first packet on; None when there was no sound."""
    found: tuple[Way, Way] | None = None
    began, payload_type, scale = 0.0, -1, 1
    for one in tapped:
        if one.what == AGREED:
            agreed = agreement(one)
            codec = agreed["codec"]
            if codec == "T38" or (codec == OPUS and not has_opus()):
                payload_type = -1
                continue
            payload_type, scale = agreed["payload_type"], ticks(codec)
            if found is None:
                began = one.at
                found = Way("came", Tape(began, _LONGEST_S * RATE)), Way("sent", Tape(began, _LONGEST_S * RATE))
            for way in found:
                way.tuned(codec)
        elif one.what in (CAME, SENT) and found is not None:
            packet = rtp.read(one.data)
            if packet is not None and packet.payload_type == payload_type and packet.payload:
                found[0 if one.what == CAME else 1].packet(packet, scale, one.at, one.at - began)
    return found


def peaks(octets: bytes, columns: int = COLUMNS) -> tuple[int, ...]:
    """Return how loud each of so many stretches is at its loudest, 0 to 100 on a scale of decibels."""
    if not octets:
        return ()
    loud = np.abs(g711.decode(octets, "PCMU").astype(np.int32))
    columns = min(columns, len(loud))
    stretches = np.array_split(loud, columns)
    decibels = 20 * np.log10(np.array([max(int(stretch.max()), 1) for stretch in stretches]) / 32768)
    return tuple(int(level) for level in np.clip((decibels + 60) * 100 / 60, 0, 100))


def as_wav(octets: bytes) -> bytes:
    return wav.mono(octets)


def as_csv(series: Iterable[tuple[str, Second]]) -> Iterator[str]:
    """Yield a table of the figures: by leg, way and second."""
    yield "leg,way,second,packets,lost,jitter_ms"
    for leg, one in series:
        yield f"{leg},{one.way},{one.at_s},{one.packets},{one.lost},{one.jitter_ms:g}"
