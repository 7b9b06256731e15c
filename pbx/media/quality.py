"""Receiver quality: loss and jitter by RFC 3550, bursts by RFC 3611, MOS by the E-model (ITU-T G.107)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

IE_G711 = 0.0
BPL_G711 = 4.3
"""Packet-loss robustness of G.711 without concealment (secondary source of G.113): a setting, not a law."""
_RO = 93.2
"""Rating of a line without loss and delay, every other factor at its default (G.107 table 3)."""
_LEAP = 3000
"""MAX_DROPOUT of RFC 3550 §A.1: numbers that leap further are a source that starts again."""
_REMEMBERED = 512
"""Missing packets still waited for."""
_GMIN = 16
"""Packets received in a row that end a burst of losses (RFC 3611 §4.7.2)."""


def rating(loss: float, delay_ms: float = 0.0, burst_ratio: float = 1.0) -> float:
    """Return the R factor for a loss ratio 0…1 and a one-way delay (G.107 §7, echo assumed cancelled)."""
    percent = max(0.0, min(loss, 1.0)) * 100
    impairment = IE_G711 + (95 - IE_G711) * percent / (percent / burst_ratio + BPL_G711)
    delay = 0.0
    if delay_ms > 100:
        x = math.log2(delay_ms / 100)
        delay = 25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
    return max(0.0, _RO - delay - impairment)


def mos_of(r: float) -> float:
    """Return the MOS of an R factor (G.107 annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    # The cubic of annex B dips below 1 for ratings under 6.5.
    return round(max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6), 2)


def mos_g711(loss: float, delay_ms: float = 0.0, burst_ratio: float = 1.0) -> float:
    """Return the estimated MOS for a loss ratio 0…1 and a one-way delay."""
    return mos_of(rating(loss, delay_ms, burst_ratio))


@dataclass(slots=True)
class Receiver:
    """Counts one RTP source; unique packets apart from the standard's figure, which duplicates spoil."""

    clock_hz: int = 8000
    first: int = -1
    highest: int = -1
    """Extended sequence number."""
    received: int = 0
    gaps: int = 0
    """Runs of missing packets."""
    jitter: float = 0.0
    """In timestamp units (RFC 3550 §6.4.1)."""
    losses: Losses = field(default_factory=lambda: Losses())
    _transit: float = 0.0
    _missing: set[int] = field(default_factory=set)
    _leapt: int = -1
    """The number after one that leapt: a second packet in its order is a new start (§A.1)."""

    def packet(self, sequence: int, timestamp: int, arrived_s: float) -> bool:
        """Note a packet: 16-bit sequence, 32-bit timestamp, arrival in seconds; False when it is a double."""
        step = sequence - self.highest & 0xFFFF
        if step == 1 and self.highest >= 0:
            self.highest += 1
            self.received += 1
        elif not self._out_of_order(sequence, step):
            return False
        transit = arrived_s * self.clock_hz - timestamp
        difference = transit - self._transit
        if difference < 0.0:
            difference = -difference
        # A jump of a second is a new start, not jitter.
        if difference < self.clock_hz and self.received > 1:
            self.jitter += (difference - self.jitter) / 16
        self._transit = transit
        return True

    def number(self, sequence: int) -> bool:
        """Note a packet whose timestamp says nothing of its sending: a key; False when it is a double."""
        step = sequence - self.highest & 0xFFFF
        if step == 1 and self.highest >= 0:
            self.highest += 1
            self.received += 1
            return True
        return self._out_of_order(sequence, step)

    def _out_of_order(self, sequence: int, step: int) -> bool:
        if self.highest < 0:
            self.first = self.highest = sequence
        elif 0 < step < _LEAP:
            self._gap(step)
            self.highest += step
        elif step == 0 or step > 0x10000 - _LEAP:
            late = self.highest - (-step & 0xFFFF)
            if late not in self._missing:
                return False
            self._missing.discard(late)
        elif sequence == self._leapt:
            # Renumbered: what went before stays lost or received.
            self.first += sequence + 0x10000 - self.highest - 1
            self.highest = sequence + 0x10000
            self._missing.clear()
            self._leapt = -1
        else:
            self._leapt = sequence + 1 & 0xFFFF
            return False
        self.received += 1
        return True

    def _gap(self, step: int) -> None:
        self.gaps += 1
        self.losses.lost(self.highest, step - 1)
        if len(self._missing) > _REMEMBERED:
            self._missing = {number for number in self._missing if number > self.highest - _REMEMBERED}
        self._missing.update(range(self.highest + 1, self.highest + step))

    @property
    def expected(self) -> int:
        return self.highest - self.first + 1 if self.highest >= 0 else 0

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    @property
    def loss(self) -> float:
        return self.lost / self.expected if self.expected else 0.0

    @property
    def jitter_ms(self) -> float:
        return self.jitter * 1000 / self.clock_hz

    @property
    def burst_ratio(self) -> float:
        """Mean length of the runs of loss over that of random loss (G.107 §7.3); 1 for random loss."""
        if not self.gaps or not self.lost:
            return 1.0
        return max(1.0, self.lost / self.gaps * (1 - self.loss))


@dataclass(slots=True)
class Losses:
    """Bursts and gaps of a stream (RFC 3611 §4.7.2): a burst begins and ends with a loss, and no 16 packets in it
    arrive in a row. Counted when a loss shows; what comes late was lost to the ear all the same."""

    burst_lost: int = 0
    burst_packets: int = 0
    bursts: int = 0
    lonely: int = 0
    """Losses in gaps."""
    _last: int = -1
    """Number of the loss before."""
    _open: int = -1
    """First loss of what may be a burst."""
    _open_lost: int = 0

    def lost(self, after: int, count: int) -> None:
        """Packets `after`+1 … `after`+count are missing."""
        if self._open >= 0 and after - self._last >= _GMIN:
            self._close()
        if self._open < 0:
            self._open, self._open_lost = after + 1, 0
        self._open_lost += count
        self._last = after + count

    def told(self, expected: int) -> tuple[float, float, float, float]:
        """Return the loss ratio in bursts and in gaps, and their mean lengths in packets."""
        burst_lost, packets, bursts, lonely = self.burst_lost, self.burst_packets, self.bursts, self.lonely
        if self._open_lost > 1:
            burst_lost, packets, bursts = burst_lost + self._open_lost, packets + self._length, bursts + 1
        else:
            lonely += self._open_lost
        rest = max(0, expected - packets)
        return (
            burst_lost / packets if packets else 0.0,
            lonely / rest if rest else 0.0,
            packets / bursts if bursts else 0.0,
            rest / (bursts + 1),
        )

    @property
    def _length(self) -> int:
        return self._last - self._open + 1

    def _close(self) -> None:
        if self._open_lost > 1:
            self.bursts += 1
            self.burst_lost += self._open_lost
            self.burst_packets += self._length
        else:
            self.lonely += self._open_lost
        self._open, self._open_lost = -1, 0
