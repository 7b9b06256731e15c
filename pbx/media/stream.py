"""The RTP a leg sends: one SSRC for the whole call, numbers and timestamps going on whatever the source is.

A source of our own is numbered here; relayed packets keep their gaps and spacing, so that loss on one side shows on
the other (RFC 3550 §5.1).
"""

from __future__ import annotations

from pbx.media.rtp import HEADER

FRAME = 160
FRAME_S = 0.02
_JUMP = 1000
"""A source whose numbers leap by more is a new one."""
_MARKER = 0x80
_pack_header = HEADER.pack


class Stream:
    """Numbers what goes out. Times are monotonic seconds."""

    __slots__ = (
        "_at", "_event_at", "_relayed", "_sequence", "_sequence_shift", "_source", "_speaker", "_timestamp",
        "_timestamp_shift", "octets", "sent", "ssrc", "ticks",
    )  # fmt: skip

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.sent = 0
        self.octets = 0
        """Of payload (RFC 3550 §6.4.1)."""
        self.ticks = 1
        """Of what it carries, to one of 8000 Hz: time is counted in those here."""
        self._sequence = sequence
        """Of the next packet."""
        self._timestamp = timestamp
        """Of the packet sent last."""
        self._at: float | None = None
        self._event_at = 0.0
        self._speaker: object = None
        """Who is relayed; None for our own sound."""
        self._source = -1
        """The SSRC that is relayed."""
        self._sequence_shift = 0
        self._timestamp_shift = 0
        self._relayed = 0

    def own(self, payload_type: int, payload: bytes, now: float, *, fresh: bool = False) -> bytes:
        """Number 20 ms of our own; `fresh` when it starts a sound."""
        marker = fresh or self._speaker is not None or self._at is None
        self._speaker = None
        self._timestamp = self._next_timestamp(now)
        return self._pack(payload_type, self._timestamp, payload, now, marker)

    def event(self, payload_type: int, payload: bytes, now: float, *, first: bool) -> bytes:
        """Number a packet of a key: all of them have the timestamp of its start (RFC 4733 §2.5.1.2)."""
        self._speaker = None
        if first or self._at is None:
            self._timestamp = self._next_timestamp(now)
            self._event_at = now
        return self._pack(payload_type, self._timestamp, payload, self._event_at, first)

    def relay(
        self,
        speaker: object,
        ssrc: int,
        sequence: int,
        timestamp: int,
        marker: int,
        payload_type: int,
        payload: bytes,
        now: float,
    ) -> bytes:
        """Renumber a packet of another leg, `speaker`; `marker` is 0 or 0x80."""
        leap = (sequence - self._relayed + 0x8000 & 0xFFFF) - 0x8000
        if speaker is not self._speaker or ssrc != self._source or not -_JUMP <= leap <= _JUMP:
            self._turn_to(speaker, ssrc, sequence, timestamp, now)
            leap, marker = 1, _MARKER
        timestamp = timestamp + self._timestamp_shift & 0xFFFFFFFF
        out = sequence + self._sequence_shift & 0xFFFF
        if leap > 0:  # a late packet moves nothing
            self._relayed = sequence
            self._sequence = out + 1 & 0xFFFF
            self._timestamp, self._at = timestamp, now
        self.sent += 1
        self.octets += len(payload)
        wire = timestamp * self.ticks & 0xFFFFFFFF
        return _pack_header(0x80, payload_type | marker, out, wire, self.ssrc) + payload

    def relay_event(
        self,
        speaker: object,
        ssrc: int,
        sequence: int,
        timestamp: int,
        marker: int,
        payload_type: int,
        payload: bytes,
        now: float,
    ) -> bytes:
        """Renumber a packet of a key: it has the timestamp of its start, so the clock goes on from the sound before."""
        before, at = self._timestamp, self._at
        data = self.relay(speaker, ssrc, sequence, timestamp, marker, payload_type, payload, now)
        if at is not None:
            self._timestamp, self._at = before, at
        return data

    def timestamp_at(self, now: float) -> int:
        """Return the RTP time of a moment, for sender reports."""
        since = 0 if self._at is None else int((now - self._at) * 8000)
        return (self._timestamp + since) * self.ticks & 0xFFFFFFFF

    def _turn_to(self, speaker: object, ssrc: int, sequence: int, timestamp: int, now: float) -> None:
        self._speaker, self._source = speaker, ssrc
        self._sequence_shift = self._sequence - sequence
        self._timestamp_shift = self._next_timestamp(now) - timestamp

    def _next_timestamp(self, now: float) -> int:
        if self._at is None:
            return self._timestamp
        frames = max(1, round((now - self._at) / FRAME_S))
        return self._timestamp + frames * FRAME & 0xFFFFFFFF

    def _pack(self, payload_type: int, timestamp: int, payload: bytes, at: float, marker: bool) -> bytes:
        second = payload_type | _MARKER if marker else payload_type
        packet = _pack_header(0x80, second, self._sequence, timestamp * self.ticks & 0xFFFFFFFF, self.ssrc) + payload
        self._sequence = self._sequence + 1 & 0xFFFF
        self._at = at
        self.sent += 1
        self.octets += len(payload)
        return packet
