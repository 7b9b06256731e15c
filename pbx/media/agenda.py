"""What the virtual engine is to do later, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from pbx.clock import FOREVER


class Appointment:
    """Something to be done at a moment."""

    __slots__ = ("do",)

    def __init__(self, do: Callable[[], None]) -> None:
        self.do: Callable[[], None] | None = do

    def cancel(self) -> None:
        """It need not be done any more: nobody is woken for it."""
        self.do = None


class Agenda:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Appointment]] = []
        self._count = 0

    def at(self, now: float) -> None:
        """It is `now`; time never goes back."""
        if now > self.now:
            self.now = now

    def later(self, seconds: float, do: Callable[[], None]) -> Appointment:
        self._count += 1
        made = Appointment(do)
        heapq.heappush(self._heap, (self.now + seconds, self._count, made))
        return made

    def run(self) -> None:
        """Do what is due."""
        while self._heap and self._heap[0][0] <= self.now:
            do = heapq.heappop(self._heap)[2].do
            if do is not None:
                do()

    @property
    def next_deadline(self) -> float:
        while self._heap:
            if self._heap[0][2].do is not None:
                return self._heap[0][0]
            heapq.heappop(self._heap)
        return FOREVER
