"""One heap of deadlines for everything a stack has running: no timer object per transaction.

A cancelled or re-armed timer leaves a dead entry behind, which is skipped when it comes up.
"""

from __future__ import annotations

import heapq
from typing import Protocol

from pbx.clock import FOREVER

T1 = 0.5
"""Round trip estimate, seconds (RFC 3261 §17.1.1.1)."""
T2 = 4.0
"""Longest interval between retransmissions of a non-INVITE request or an INVITE response."""
T4 = 5.0
"""Longest a message stays in the network."""
TIMEOUT = 64 * T1
REST_S = 2.0
"""How late what nobody waits for may be, if nothing else happens before."""


class Timed(Protocol):
    def fired(self, name: str, now: float) -> None: ...


class Timers:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed, str]] = []
        self._resting: list[tuple[float, int, Timed, str]] = []
        self._armed: dict[tuple[int, str], int] = {}
        self._count = 0

    def arm(self, owner: Timed, name: str, at: float) -> None:
        self._count += 1
        self._armed[id(owner), name] = self._count
        heapq.heappush(self._heap, (at, self._count, owner, name))

    def rest(self, owner: Timed, name: str, at: float) -> None:
        """Like `arm`, for what nobody waits for: it is no reason to wake up, and fires with what comes next."""
        self._count += 1
        self._armed[id(owner), name] = self._count
        heapq.heappush(self._resting, (at, self._count, owner, name))

    def cancel(self, owner: Timed, name: str) -> None:
        self._armed.pop((id(owner), name), None)

    def next_deadline(self) -> float:
        due = self._first(self._heap)
        rests = self._first(self._resting) + REST_S if self._resting else FOREVER
        return min(due, rests)

    def fire(self, now: float) -> None:
        """Fire everything due at `now`, in order of deadline."""
        self._fire(self._heap, now)
        self.sweep(now)

    def sweep(self, now: float) -> None:
        """Fire what has rested long enough."""
        if self._resting and self._resting[0][0] <= now:
            self._fire(self._resting, now)

    def _first(self, heap: list[tuple[float, int, Timed, str]]) -> float:
        while heap:
            at, count, owner, name = heap[0]
            if self._armed.get((id(owner), name)) == count:
                return at
            heapq.heappop(heap)
        return FOREVER

    def _fire(self, heap: list[tuple[float, int, Timed, str]], now: float) -> None:
        while heap and heap[0][0] <= now:
            _, count, owner, name = heapq.heappop(heap)
            if self._armed.get((id(owner), name)) == count:
                del self._armed[id(owner), name]
                owner.fired(name, now)

    def __len__(self) -> int:
        return len(self._armed)
