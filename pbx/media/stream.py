"""The RTP a leg sends: one SSRC for the whole call, numbers and timestamps going on whatever the source is.

A source of our own is numbered here; relayed packets keep their gaps and spacing, so that loss on one side shows on
the other (RFC 3550 §5.1).
"""

from __future__ import annotations

from pbx.media import rtp

FRAME = 160
FRAME_S = 0.02
_JUMP = 1000
"""A source whose numbers leap by more is a new one."""


class Stream:
    """Numbers what goes out. Times are monotonic seconds."""

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.sent = 0
        self._sequence = sequence
        """Of the next packet."""
        self._timestamp = timestamp
        """Of the packet sent last."""
        self._at: float | None = None
        self._event_at = 0.0
        self._source: tuple[str, int] | None = None
        """Who speaks: a leg and its SSRC, or our own sound."""
        self._sequence_shift = 0
        self._timestamp_shift = 0
        self._relayed = 0

    def own(self, payload_type: int, payload: bytes, now: float, *, fresh: bool = False) -> bytes:
        """Number 20 ms of our own; `fresh` when it starts a sound."""
        marker = fresh or self._source is not None or self._at is None
        self._source = None
        self._timestamp = self._next_timestamp(now)
        return self._pack(payload_type, self._timestamp, payload, now, marker)

    def event(self, payload_type: int, payload: bytes, now: float, *, first: bool) -> bytes:
        """Number a packet of a key: all of them have the timestamp of its start (RFC 4733 §2.5.1.2)."""
        self._source = None
        if first or self._at is None:
            self._timestamp = self._next_timestamp(now)
            self._event_at = now
        return self._pack(payload_type, self._timestamp, payload, self._event_at, first)

    def relay(
        self, leg: str, packet: rtp.Packet, payload_type: int, payload: bytes, now: float, *, event: bool = False
    ) -> bytes:
        """Renumber a packet of another leg; an `event` has the timestamp of its start, not of now."""
        source = (leg, packet.ssrc)
        leap = (packet.sequence - self._relayed + 0x8000 & 0xFFFF) - 0x8000
        marker = packet.marker
        if source != self._source or abs(leap) > _JUMP:
            self._source = source
            self._sequence_shift = self._sequence - packet.sequence
            self._timestamp_shift = self._next_timestamp(now) - packet.timestamp
            leap, marker = 1, True
        sequence = packet.sequence + self._sequence_shift
        timestamp = packet.timestamp + self._timestamp_shift & 0xFFFFFFFF
        if leap > 0:  # a late packet moves nothing
            self._relayed = packet.sequence
            self._sequence = sequence + 1 & 0xFFFF
            if not event:
                self._timestamp, self._at = timestamp, now
        self.sent += 1
        return rtp.pack(payload_type, sequence, timestamp, self.ssrc, payload, marker=marker)

    def _next_timestamp(self, now: float) -> int:
        if self._at is None:
            return self._timestamp
        frames = max(1, round((now - self._at) / FRAME_S))
        return self._timestamp + frames * FRAME & 0xFFFFFFFF

    def _pack(self, payload_type: int, timestamp: int, payload: bytes, at: float, marker: bool) -> bytes:
        packet = rtp.pack(payload_type, self._sequence, timestamp, self.ssrc, payload, marker=marker)
        self._sequence = self._sequence + 1 & 0xFFFF
        self._at = at
        self.sent += 1
        return packet
