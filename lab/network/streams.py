"""Paced streams of voice to the mirror and back: loss each way, delay, jitter, marks."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from lab.network.mirror import RTP_HEAD, STAMP
from pbx.media import rtp

PACKET_S = 0.020
_PCMU, _SAMPLES = 0, 160
_STRAGGLERS_S = 1.0


@dataclass(slots=True)
class _Stream:
    ssrc: int
    sent: int = 0
    came_back: int = 0
    arrived: int = 0
    """As the mirror last said."""
    jitter_s: float = 0.0
    last_trip_s: float | None = None


@dataclass(slots=True)
class Streams:
    """`calls` streams of G.711 for `seconds`; `token` is the mirror's."""

    token: bytes
    calls: int
    seconds: float
    began: float
    trips_s: list[float] = field(default_factory=list)
    marks_out: set[int] = field(default_factory=set)
    marks_back: set[int] = field(default_factory=set)
    _streams: list[_Stream] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._streams = [_Stream(0x5300_0000 + number) for number in range(self.calls)]

    @property
    def _packets(self) -> int:
        return round(self.seconds / PACKET_S)

    def done(self, now: float) -> bool:
        return now >= self.began + self.seconds + _STRAGGLERS_S

    def next_deadline(self) -> float:
        due = [self._due(stream) for stream in self._streams if stream.sent < self._packets]
        return min(due, default=self.began + self.seconds + _STRAGGLERS_S)

    def take_due(self, now: float) -> list[bytes]:
        out: list[bytes] = []
        for stream in self._streams:
            while stream.sent < self._packets and self._due(stream) <= now:
                out.append(self._packet(stream, now))
        return out

    def came(self, data: bytes, dscp: int, now: float) -> None:
        """Count what the mirror sent back; anything else is left alone."""
        packet = rtp.read(data)
        if packet is None or len(packet.payload) < STAMP.size:
            return
        token, _, sent_at, arrived, mark = STAMP.unpack_from(packet.payload)
        stream = next((one for one in self._streams if one.ssrc == packet.ssrc), None)
        if stream is None or token != self.token:
            return
        stream.came_back += 1
        stream.arrived = max(stream.arrived, arrived)
        self.marks_out.add(mark)
        self.marks_back.add(dscp)
        trip = now - sent_at
        self.trips_s.append(trip)
        if stream.last_trip_s is not None:
            stream.jitter_s += (abs(trip - stream.last_trip_s) - stream.jitter_s) / 16
        stream.last_trip_s = trip

    @property
    def round_trip_ms(self) -> float | None:
        return round(1000 * statistics.median(self.trips_s), 1) if self.trips_s else None

    @property
    def jitter_ms(self) -> float | None:
        return round(1000 * max(stream.jitter_s for stream in self._streams), 1) if self.trips_s else None

    @property
    def loss_out(self) -> float:
        sent = sum(stream.sent for stream in self._streams)
        return 1 - sum(stream.arrived for stream in self._streams) / sent if sent else 0.0

    @property
    def loss_back(self) -> float | None:
        arrived = sum(stream.arrived for stream in self._streams)
        came_back = sum(min(stream.came_back, stream.arrived) for stream in self._streams)
        return 1 - came_back / arrived if arrived else None

    def _due(self, stream: _Stream) -> float:
        """The streams do not breathe in step: each begins its share of a packet time later."""
        return self.began + PACKET_S * (stream.sent + (stream.ssrc & 0xFF) / max(1, self.calls))

    def _packet(self, stream: _Stream, now: float) -> bytes:
        stamp = STAMP.pack(self.token, stream.sent, now, 0, 0)
        head = rtp.pack(_PCMU, stream.sent & 0xFFFF, stream.sent * _SAMPLES, stream.ssrc, b"")
        assert len(head) == RTP_HEAD
        stream.sent += 1
        return head + stamp + b"\xff" * (_SAMPLES - STAMP.size)
