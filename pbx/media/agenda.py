"""What the virtual engine is to do later, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from pbx.clock import FOREVER


class Agenda:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, now: float) -> None:
        """It is `now`; time never goes back."""
        self.now = max(self.now, now)

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + seconds, self._count, do))

    def run(self) -> None:
        """Do what is due."""
        while self._heap and self._heap[0][0] <= self.now:
            heapq.heappop(self._heap)[2]()

    @property
    def next_deadline(self) -> float:
        return self._heap[0][0] if self._heap else FOREVER
