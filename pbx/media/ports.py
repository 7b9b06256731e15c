"""Media ports to give out: a released one rests, so that late packets of one call never reach the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from pbx.media.engine import NoMediaPort

QUARANTINE_S = 2.0


class Ports:
    """Even numbers; the odd one above each goes with it (RFC 3550 §11). Times are monotonic seconds."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._fresh: Iterator[int] = iter(numbers)
        """Never taken: a virtual world has a hundred engines with eight thousand ports each, and takes a few."""
        self._resting: deque[tuple[int, float]] = deque()
        """With the moment each may be taken again, earliest first."""

    def add(self, numbers: Iterable[int]) -> None:
        self._fresh = chain(numbers, self._fresh)

    def take(self, now: float) -> int:
        """Return the port that rests longest; NoMediaPort when every one is taken or still resting."""
        for number in self._fresh:
            return number
        if not self._resting:
            raise NoMediaPort("every media port is taken")
        if self._resting[0][1] > now:
            raise NoMediaPort(f"the free media ports still rest for {self._resting[0][1] - now:.1f} s")
        return self._resting.popleft()[0]

    def give_back(self, number: int, now: float) -> None:
        self._resting.append((number, now + QUARANTINE_S))

    def clear(self) -> None:
        self._fresh = iter(())
        self._resting.clear()
