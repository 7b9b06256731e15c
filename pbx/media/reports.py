"""The RTCP side of one leg: when a report is due, what it says, and what the far end's reports mean (RFC 3550 §6).

Times are monotonic seconds, which serve as NTP time as well: elapsed time is enough to measure a round trip (§4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pbx.media import rtcp
from pbx.media.engine import FarEndReported
from pbx.media.quality import Receiver, mos_of, rating

INTERVAL_S = 5.0
"""Mean time between two reports (§6.2); the first comes after half of it."""
_COMPENSATION = math.e - 1.5
"""§6.3.1."""
FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class FarFigures:
    """How the far end receives us, by its own word."""

    lost: float
    """Ratio since its report before."""
    jitter_ms: float
    round_trip_ms: float | None
    """None before two reports have crossed."""
    mos: float

    def event(self, leg: str) -> FarEndReported:
        trip_ms = None if self.round_trip_ms is None else round(self.round_trip_ms, 1)
        return FarEndReported(leg, round(self.lost, 4), round(self.jitter_ms, 3), trip_ms, self.mos)


class Reports:
    def __init__(self, ssrc: int, chance: Callable[[int], int], now: float) -> None:
        self._ssrc = ssrc
        self._chance = chance
        self._cname = f"{chance(96):024x}"  # random, one a session (RFC 7022 §4.2)
        self._last_sr, self._last_sr_at = 0, 0.0
        self._told = (0, 0)
        """Expected and received at the report before."""
        self._sent_before = 0
        self.round_trip_ms: float | None = None
        self.ticks = 1
        """Of the RTP clock, to one of 8000 Hz."""
        self.far: FarFigures | None = None
        self.far_left = False
        """It has said goodbye."""
        self.due_at = now + self._interval(INTERVAL_S / 2)

    def report(self, now: float, sent: Sent, heard: int, receiver: Receiver) -> bytes:
        """Compose the report that is due; `heard` is the SSRC received, -1 when nothing is."""
        self.due_at = now + self._interval(INTERVAL_S)
        return rtcp.pack(self._packets(now, sent, heard, receiver))

    def goodbye(self, now: float, sent: Sent, heard: int, receiver: Receiver) -> bytes:
        """Compose the last packet of a leg that has sent anything (§6.6)."""
        return rtcp.pack([*self._packets(now, sent, heard, receiver), rtcp.Goodbye((self._ssrc,))])

    def take(self, data: bytes, heard: int, now: float) -> FarFigures | None:
        """Take what arrived for RTCP; return how the far end receives us when it says so."""
        news = None
        for packet in rtcp.read(data) or ():
            match packet:
                case rtcp.Report():
                    if packet.ntp is not None:
                        self._last_sr, self._last_sr_at = rtcp.middle(packet.ntp), now
                    for block in packet.blocks:
                        if block.ssrc == self._ssrc:
                            news = self.far = self._figures(block, now)
                case rtcp.Goodbye(ssrcs=ssrcs) if heard in ssrcs:
                    self.far_left = True
                case _:
                    pass
        return news

    def _packets(self, now: float, sent: Sent, heard: int, receiver: Receiver) -> list[rtcp.Control]:
        blocks = (self._block(now, heard, receiver),) if heard >= 0 else ()
        if sent.packets > self._sent_before:
            self._sent_before = sent.packets
            report = rtcp.Report(self._ssrc, blocks, rtcp.ntp_of(now), sent.timestamp, sent.packets, sent.octets)
        else:
            report = rtcp.Report(self._ssrc, blocks)
        packets: list[rtcp.Control] = [report, rtcp.Names(((self._ssrc, self._cname),))]
        if heard >= 0:
            packets.append(rtcp.Extended(self._ssrc, (self._metrics(heard, receiver),)))
        return packets

    def _block(self, now: float, heard: int, receiver: Receiver) -> rtcp.Block:
        expected, received = receiver.expected, receiver.received
        news, arrived = expected - self._told[0], received - self._told[1]
        self._told = (expected, received)
        fraction = max(0, news - arrived) / news if news > 0 else 0.0
        since = int((now - self._last_sr_at) * 65536) if self._last_sr else 0
        return rtcp.Block(
            heard,
            fraction,
            receiver.lost,
            receiver.highest,
            int(receiver.jitter) * self.ticks,
            self._last_sr,
            since & 0xFFFFFFFF,
        )

    def _metrics(self, heard: int, receiver: Receiver) -> rtcp.VoipMetrics:
        burst, gap, burst_length, gap_length = receiver.losses.told(receiver.expected)
        buffer_ms = buffer_ms_for(receiver.jitter_ms)
        trip = self.round_trip_ms or 0.0
        listening = rating(receiver.loss, 0.0, receiver.burst_ratio)
        talking = rating(receiver.loss, trip / 2 + buffer_ms + FRAME_MS, receiver.burst_ratio)
        return rtcp.VoipMetrics(
            heard, receiver.loss, 0.0, burst, gap, int(burst_length * FRAME_MS), int(gap_length * FRAME_MS),
            int(trip), buffer_ms + FRAME_MS, int(talking), mos_of(listening), mos_of(talking), buffer_ms,
        )  # fmt: skip

    def _figures(self, block: rtcp.Block, now: float) -> FarFigures:
        if block.last_sr:
            # RTT = A - LSR - DLSR, in 1/65536 s (§6.4.1); a far end that miscounts may make it negative.
            trip = (
                rtcp.middle(rtcp.ntp_of(now)) - block.last_sr - block.since_sr + 0x80000000 & 0xFFFFFFFF
            ) - 0x80000000
            if 0 <= trip < 60 * 65536:
                self.round_trip_ms = trip * 1000 / 65536
        return far_figures(block.fraction, block.jitter / (8 * self.ticks), self.round_trip_ms)

    def _interval(self, mean_s: float) -> float:
        return mean_s * (0.5 + self._chance(16) / 65536) / _COMPENSATION


@dataclass(frozen=True, slots=True)
class Sent:
    """What a leg has sent so far."""

    packets: int
    octets: int
    timestamp: int
    """RTP time of now."""


def far_figures(lost: float, jitter_ms: float, round_trip_ms: float | None) -> FarFigures:
    """Return what a far end hears that loses this ratio, as the E-model estimates it."""
    delay = (round_trip_ms or 0.0) / 2 + buffer_ms_for(jitter_ms) + FRAME_MS
    return FarFigures(lost, jitter_ms, round_trip_ms, mos_of(rating(lost, delay)))


def buffer_ms_for(jitter_ms: float) -> int:
    """Return the playout delay that jitter asks for: three times it, 20 to 200 ms."""
    return int(min(max(3 * jitter_ms, 20), 200))
