"""One heap of deadlines for everything a stack has running: no timer object per transaction.

A cancelled or re-armed timer leaves a dead entry behind, which is skipped when it comes up. What only rests until no
repetition can come any more is most of what there is, and all of it rests for one of three whiles: it stands in line,
where the oldest is first without being compared with thousands of others.
"""

from __future__ import annotations

import heapq
from collections import deque
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


class Resting(Protocol):
    def rested(self, now: float) -> None: ...


class Timers:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed, str]] = []
        self._resting: dict[float, deque[tuple[float, Resting]]] = {}
        """By how long they rest."""
        self._armed: dict[tuple[int, str], int] = {}
        self._count = 0

    def arm(self, owner: Timed, name: str, at: float) -> None:
        self._count += 1
        self._armed[id(owner), name] = self._count
        heapq.heappush(self._heap, (at, self._count, owner, name))

    def rest(self, owner: Resting, now: float, wait_s: float) -> None:
        """Tell `owner` once when `wait_s` is over. Nobody waits for it: it is no reason to wake up, and goes with what
        comes next."""
        resting = self._resting.get(wait_s)
        if resting is None:
            resting = self._resting[wait_s] = deque()
        resting.append((now + wait_s, owner))

    def cancel(self, owner: Timed, name: str) -> None:
        self._armed.pop((id(owner), name), None)

    def next_deadline(self) -> float:
        due = self._first()
        for resting in self._resting.values():
            if resting and resting[0][0] + REST_S < due:
                due = resting[0][0] + REST_S
        return due

    def fire(self, now: float) -> None:
        """Fire everything due at `now`, in order of deadline."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, count, owner, name = heapq.heappop(heap)
            if self._armed.get((id(owner), name)) == count:
                del self._armed[id(owner), name]
                owner.fired(name, now)
        self.sweep(now)

    def sweep(self, now: float) -> None:
        """Tell what has rested long enough."""
        for resting in self._resting.values():
            while resting and resting[0][0] <= now:
                resting.popleft()[1].rested(now)

    def _first(self) -> float:
        heap = self._heap
        while heap:
            at, count, owner, name = heap[0]
            if self._armed.get((id(owner), name)) == count:
                return at
            heapq.heappop(heap)
        return FOREVER

    def __len__(self) -> int:
        return len(self._armed) + sum(map(len, self._resting.values()))
