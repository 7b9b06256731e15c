"""What a far end said, laid down by its timestamps in any order; what is missing is a hole until it comes after all.

Who records has time: packets wait here, not in a buffer that paces them, and are read a stretch at a time. Ticks are
octets and 1/8000 s for every codec this is for (RFC 3551 §4.5).
"""

from __future__ import annotations

from pbx.media.playout import FRAME, RATE

_ASTRAY = 2 * RATE
"""Ticks between a timestamp and the moment it came: beyond, the source has started anew."""
_TOO_LATE = 5
"""Packets in their order for what was skipped: the source's clock is slow, or stood still in a pause."""
_IN_ORDER = 3 * FRAME
"""Ticks from one packet to the next."""


class Tape:
    """One recording's. Times are monotonic seconds."""

    __slots__ = ("_anchor", "_begun_at", "_holes", "_late", "_late_at", "_most", "_octets", "_read", "_ssrc", "end")

    def __init__(self, begun_at: float, most: int) -> None:
        """What would lie beyond tick `most` is not kept."""
        self._begun_at = begun_at
        self._most = most
        self._octets = bytearray()
        """From tick `_read` on."""
        self._read = 0
        self.end = 0
        """The tick after the last octet."""
        self._holes: list[tuple[int, int]] = []
        self._ssrc = -1
        self._anchor = 0
        """Timestamp of tick 0."""
        self._late = self._late_at = 0

    def put(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        if ssrc == self._ssrc and timestamp - self._anchor & 0xFFFFFFFF == self.end < self._most:
            self._octets += payload  # nearly every packet
            self.end += len(payload)
            return
        at = self._placed(ssrc, timestamp, now)
        if at + len(payload) > self._most:
            return
        if at < self.end:
            self._fill(at, payload)
            return
        if at > self.end:
            self._holes.append((self.end, at))
        self._octets += bytes(at - self.end) + payload
        self.end = at + len(payload)

    def take(self, upto: int) -> list[bytes | int]:
        """Return what was laid down before a tick, in pieces: octets, and the length of what is missing."""
        upto = min(upto, self.end)
        pieces: list[bytes | int] = []
        while self._read < upto:
            begin, end = self._holes[0] if self._holes else (upto, upto)
            if begin > self._read:
                pieces.append(self._cut(min(begin, upto)))
                continue
            self._cut(min(end, upto))
            pieces.append(min(end, upto) - begin)
            self._holes[0] = (min(end, upto), end)
            if end <= upto:
                self._holes.pop(0)
        return pieces

    def skip(self, upto: int) -> int:
        """Go on to a tick beyond the end, all before it having been taken; return how much is missing until there.

        Nothing is laid down before it any more.
        """
        missing = upto - self.end
        self.end = self._read = upto
        return missing

    def _cut(self, upto: int) -> bytes:
        count = upto - self._read
        octets = bytes(self._octets[:count])
        del self._octets[:count]
        self._read = upto
        return octets

    def _placed(self, ssrc: int, timestamp: int, now: float) -> int:
        """Return where a packet goes that does not follow the one before; a new source begins at its moment."""
        at = (timestamp - self._anchor + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        elapsed = round((now - self._begun_at) * RATE)
        if ssrc == self._ssrc and abs(at - elapsed) <= _ASTRAY and not self._lags(at):
            return at
        self._ssrc, self._late = ssrc, 0
        at = self.end + max(0, elapsed - self.end) // FRAME * FRAME
        self._anchor = timestamp - at
        return at

    def _lags(self, at: int) -> bool:
        """Tell whether the source, not a packet of it, is behind what was read: several have come in their order."""
        if at + FRAME <= self._read:
            self._late = self._late + 1 if 0 < at - self._late_at <= _IN_ORDER else 1
            self._late_at = at
        return self._late >= _TOO_LATE

    def _fill(self, at: int, payload: bytes) -> None:
        """Lay a late packet into the holes it belongs to; what is there already stays."""
        after = at + len(payload)
        kept: list[tuple[int, int]] = []
        for begin, end in self._holes:
            first, last = max(begin, at), min(end, after)
            if first >= last:
                kept.append((begin, end))
                continue
            self._octets[first - self._read : last - self._read] = payload[first - at : last - at]
            kept += [hole for hole in ((begin, first), (last, end)) if hole[0] < hole[1]]
        self._holes = kept
