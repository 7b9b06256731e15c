"""Playout: what arrives early, late, doubled or out of order comes out in time and in its order; holes are told.

An octet of every codec this is for lasts one tick of the RTP clock, 1/8000 s (RFC 3551 §4.5), so the buffer is a ring
of octets by their timestamp. How long it holds them follows the spread of the arrivals (the jitter of RFC 3550 §6.4.1
is a mean, which says too little about the latest): the 98th of a hundred still comes in time, within the limits.
"""

from __future__ import annotations

from collections import deque

FRAME = 160
RATE = 8000
LEAST_MS, MOST_MS = 20, 200
"""A telephone call feels a longer delay; who records has time."""

_RING = 8192
"""Ticks kept; timestamps wrap with it, 2^32 is a multiple."""
_MASK = _RING - 1
_LONGEST = 480
"""Octets of a packet: 60 ms."""
_FARTHEST = 4800
"""Ticks: a packet further ahead belongs to a source that starts anew, when the next one goes on from it."""
_DEEPEST = 3200
"""Ticks that may wait at most, whatever arrives."""
_FIRST_MS = 40
"""Delay before the spread is known."""
_JUDGED = 25
_REMEMBERED = 150
"""The spread is that of the newest 150 packets, judged every 25."""
_IN_TIME = 0.98
_CORRECTED_EVERY = 10
"""Takes between two corrections of a frame, so that one is not heard as two."""

Frame = bytes | list[bytes | int]
"""20 ms: whole, or pieces of octets and of holes (their length in ticks)."""


class Playout:
    """One source. `take` is called every 20 ms. Times are monotonic seconds."""

    __slots__ = (
        "_earliest", "_end", "_leapt", "_least", "_most", "_next", "_octets", "_since", "_target", "_there",
        "_transits", "_unjudged", "doubled", "late", "skipped",
    )  # fmt: skip

    def __init__(self, least_ms: int = LEAST_MS, most_ms: int = MOST_MS) -> None:
        self._least, self._most = least_ms * RATE // 1000, most_ms * RATE // 1000
        self._octets, self._there = bytearray(_RING), bytearray(_RING)
        self._next = self._end = -1
        """Timestamps, unwrapped: of the next octet to come out, and after the newest there is."""
        self._leapt = -1
        self._since = 0
        self.late = self.doubled = self.skipped = 0
        """Packets that came too late, came twice; octets left out to catch up."""
        self.restart()

    def restart(self) -> None:
        """Another source speaks: its timestamps have nothing to do with those before."""
        self._there[:] = bytes(_RING)
        self._next = self._end = self._leapt = -1
        self._forget()

    @property
    def delay_ms(self) -> float:
        """How long a packet that comes as early as any is held."""
        return self._target * 1000 / RATE

    @property
    def depth(self) -> int:
        """Ticks from the next octet to come out to the end of the newest."""
        return max(0, self._end - self._next)

    # --- in -------------------------------------------------------------------------------------------

    def put(self, timestamp: int, payload: bytes, now: float) -> None:
        """Take a packet: 32-bit timestamp, octets, of which 60 ms count."""
        payload = payload[:_LONGEST]
        count = len(payload)
        if self._end < 0:
            self._start(timestamp)
        at = self._end + ((timestamp - self._end + 0x80000000 & 0xFFFFFFFF) - 0x80000000)
        ahead = at - self._next
        if ahead > _FARTHEST or ahead + count <= -self._most:
            if at != self._leapt:
                self._leapt = at + count
                self.late += 1
                return
            self.restart()
            self._start(timestamp)
            at = self._end
        self._leapt = -1
        self._measure(now * RATE - at)
        if at + count <= self._next:
            if at < self._end or self._end > self._next:
                self.late += 1
                return
            self._next = at  # the whole stream is late: what is played waits for it
        elif at < self._next:
            payload = payload[self._next - at :]
            at, count = self._next, len(payload)
        self._lay(at, count, payload)
        if self._end - self._next > _DEEPEST:
            self._skip_to(self._end - self._target)

    def _start(self, timestamp: int) -> None:
        self._end = timestamp + (1 << 32)  # far from zero: nothing before it is negative
        self._next = self._end - self._target

    def _lay(self, at: int, count: int, payload: bytes) -> None:
        if at < self._end and self._there[at & _MASK]:
            self.doubled += 1
        first = at & _MASK
        past = first + count - _RING
        if past <= 0:
            self._octets[first : first + count] = payload
            self._there[first : first + count] = _ALL[:count]
        else:
            fits = count - past
            self._octets[first:], self._octets[:past] = payload[:fits], payload[fits:]
            self._there[first:], self._there[:past] = _ALL[:fits], _ALL[:past]
        if at + count > self._end:
            self._end = at + count

    # --- out ------------------------------------------------------------------------------------------

    def take(self) -> Frame:
        """Return the next 20 ms."""
        self._since += 1
        first = self._next & _MASK
        self._next += FRAME
        if self._end <= self._next - FRAME:
            return [FRAME]
        if first + FRAME <= _RING:
            octets, there = bytes(self._octets[first : first + FRAME]), self._there[first : first + FRAME]
            self._there[first : first + FRAME] = _NONE
        else:
            fits, past = _RING - first, first + FRAME - _RING
            octets, there = bytes(self._octets[first:] + self._octets[:past]), self._there[first:] + self._there[:past]
            self._there[first:], self._there[:past] = _NONE[:fits], _NONE[:past]
        return octets if there == _WHOLE else _pieces(octets, there)

    def is_behind(self, now: float) -> bool:
        """What comes out is a frame later than it need be: one may be left out (its time has come, too)."""
        return self._drift(now) >= 2 * FRAME and self._may_correct()

    def is_ahead(self, now: float) -> bool:
        """What comes out does so sooner than the spread of the arrivals allows: something may be put in between."""
        return self._drift(now) <= -FRAME and self._may_correct()

    def _drift(self, now: float) -> float:
        """Ticks by which what comes out is later than intended."""
        if self._end < 0 or not self._transits:
            return 0.0
        return now * RATE - self._earliest - self._target - self._next

    def _may_correct(self) -> bool:
        if self._since < _CORRECTED_EVERY:
            return False
        self._since = 0
        return True

    def _skip_to(self, at: int) -> None:
        self.skipped += at - self._next
        for place in range(self._next, at):
            self._there[place & _MASK] = 0
        self._next = at

    # --- how long to wait -----------------------------------------------------------------------------

    def _forget(self) -> None:
        self._transits: deque[float] = deque(maxlen=_REMEMBERED)
        self._earliest = 0.0
        self._target = min(max(_FIRST_MS * RATE // 1000, self._least), self._most)
        self._since = 0
        self._unjudged = 0

    def _measure(self, transit: float) -> None:
        transits = self._transits
        if not transits or transit < self._earliest:
            self._earliest = transit
        transits.append(transit)
        self._unjudged += 1
        if self._unjudged >= _JUDGED:
            self._unjudged = 0
            ordered = sorted(transits)
            self._earliest = ordered[0]
            spread = int(ordered[int(_IN_TIME * (len(ordered) - 1))] - ordered[0])
            self._target = min(max(spread + FRAME, self._least), self._most)


_ALL, _NONE, _WHOLE = bytes([1]) * _LONGEST, bytes(FRAME), bytes([1]) * FRAME


def _pieces(octets: bytes, there: bytearray) -> list[bytes | int]:
    found: list[bytes | int] = []
    at = 0
    while at < FRAME:
        end = there.find(0 if there[at] else 1, at)
        end = FRAME if end < 0 else end
        found.append(octets[at:end] if there[at] else end - at)
        at = end
    return found
