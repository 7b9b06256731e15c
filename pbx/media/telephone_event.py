"""Keys as RTP events (RFC 4733): what to send every 20 ms, and what received packets mean."""

from __future__ import annotations

from collections.abc import Iterator

KEYS = "0123456789*#ABCD"
STEP = 160
"""Timestamp units of 20 ms at 8 kHz."""
LENGTH_PACKETS = 5
"""100 ms."""
GAP_PACKETS = 3
"""60 ms between keys."""
END_REPEATS = 3
_VOLUME = 10
COMMIT_AFTER_S = 0.12
LONGEST = 0xFFFF
"""A key held longer than 8.19 s goes on under a timestamp that much later (RFC 4733 §2.5.1.3)."""


def packets(key: str) -> Iterator[tuple[bool, bytes]]:
    """Yield (marker, payload) for each 20 ms of a key; all share the timestamp of its start (§2.5.1.2)."""
    event = KEYS.index(key)
    for number in range(1, LENGTH_PACKETS + 1):
        yield number == 1, bytes((event, _VOLUME)) + (number * STEP).to_bytes(2, "big")
    for _ in range(END_REPEATS):
        yield False, bytes((event, 0x80 | _VOLUME)) + (LENGTH_PACKETS * STEP).to_bytes(2, "big")


def rescaled(payload: bytes, up: int, down: int) -> bytes:
    """Return an event's payload by another clock: its duration times `up` over `down`."""
    if up == down or len(payload) < 4:
        return payload
    duration = int.from_bytes(payload[2:4], "big") * up // down
    return payload[:2] + min(duration, LONGEST).to_bytes(2, "big") + payload[4:]


class KeyReceiver:
    """Turns event packets into keys: one a (SSRC, timestamp), even when the ends or the marker are lost."""

    def __init__(self) -> None:
        self._open: tuple[int, int, int] | None = None
        self._seen_at = 0.0
        self._last: tuple[int, int] | None = None

    def packet(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> list[str]:
        """Take a packet; return the keys it completes."""
        if len(payload) < 4 or payload[0] >= len(KEYS):
            return []
        mark = (ssrc, timestamp)
        if mark == self._last:
            return []
        if self._open == (ssrc, timestamp - LONGEST & 0xFFFFFFFF, payload[0]):
            self._open = (*mark, payload[0])
        done = self.due(now) if self._open is not None and self._open[:2] != mark else []
        if self._open is not None and self._open[:2] != mark:
            done += self._commit()
        self._open, self._seen_at = (ssrc, timestamp, payload[0]), now
        return done + self._commit() if payload[1] & 0x80 else done

    def due(self, now: float) -> list[str]:
        """Return a key whose packets stopped without an end."""
        if self._open is not None and now - self._seen_at >= COMMIT_AFTER_S:
            return self._commit()
        return []

    @property
    def waiting(self) -> bool:
        return self._open is not None

    def _commit(self) -> list[str]:
        if self._open is None:
            return []
        ssrc, timestamp, event = self._open
        self._open, self._last = None, (ssrc, timestamp)
        return [KEYS[event]]
