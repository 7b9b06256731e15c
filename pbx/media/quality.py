"""Receiver quality: loss and jitter by RFC 3550, MOS by the E-model (ITU-T G.107)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

IE_G711 = 0.0
BPL_G711 = 4.3
"""Packet-loss robustness of G.711 without concealment (secondary source of G.113): a setting, not a law."""


def mos_g711(loss: float, delay_ms: float = 0.0, burst_ratio: float = 1.0) -> float:
    """Return the estimated MOS for a loss ratio 0…1 and a one-way delay (G.107 §3, annex B)."""
    percent = max(0.0, min(loss, 1.0)) * 100
    impairment = IE_G711 + (95 - IE_G711) * percent / (percent / burst_ratio + BPL_G711)
    delay = 0.0
    if delay_ms > 100:
        x = math.log2(delay_ms / 100)
        delay = 25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
    rating = 93.2 - delay - impairment
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    # The cubic of annex B dips below 1 for ratings under 6.5.
    return round(max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6), 2)


@dataclass(slots=True)
class Receiver:
    """Counts one RTP source; unique packets apart from the standard's figure, which duplicates spoil."""

    clock_hz: int = 8000
    first: int = -1
    highest: int = -1
    """Extended sequence number."""
    received: int = 0
    jitter: float = 0.0
    """In timestamp units (RFC 3550 §6.4.1)."""
    _transit: float = 0.0
    _seen: set[int] = field(default_factory=set)

    def packet(self, sequence: int, timestamp: int, arrived_s: float) -> None:
        """Note a packet: 16-bit sequence, 32-bit timestamp, arrival in seconds."""
        if self.highest < 0:
            self.first = self.highest = extended = sequence
        else:
            extended = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
        if extended in self._seen:
            return
        self._seen.add(extended)
        if len(self._seen) > 4096:
            self._seen = {number for number in self._seen if number > self.highest - 2048}
        self.received += 1
        self.highest = max(self.highest, extended)
        transit = arrived_s * self.clock_hz - timestamp
        if self.received > 1:
            difference = abs(transit - self._transit)
            if difference < self.clock_hz:  # a jump of a second is a new start, not jitter
                self.jitter += (difference - self.jitter) / 16
        self._transit = transit

    @property
    def lost(self) -> int:
        expected = self.highest - self.first + 1 if self.highest >= 0 else 0
        return max(0, expected - self.received)

    @property
    def loss(self) -> float:
        total = self.received + self.lost
        return self.lost / total if total else 0.0

    @property
    def jitter_ms(self) -> float:
        return self.jitter * 1000 / self.clock_hz
