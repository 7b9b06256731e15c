"""Media ports to give out: a released one rests, so that late packets of one call never reach the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pbx.media.engine import NoMediaPort

QUARANTINE_S = 2.0


class Ports:
    """Even numbers; the odd one above each goes with it (RFC 3550 §11). Times are monotonic seconds."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._free: deque[tuple[int, float]] = deque((number, 0.0) for number in numbers)
        """With the moment each may be taken again, earliest first."""

    def add(self, numbers: Iterable[int]) -> None:
        self._free.extendleft((number, 0.0) for number in numbers)

    def take(self, now: float) -> int:
        """Return the port that rests longest; NoMediaPort when every one is taken or still resting."""
        if not self._free:
            raise NoMediaPort("every media port is taken")
        if self._free[0][1] > now:
            raise NoMediaPort(f"the free media ports still rest for {self._free[0][1] - now:.1f} s")
        return self._free.popleft()[0]

    def give_back(self, number: int, now: float) -> None:
        self._free.append((number, now + QUARANTINE_S))

    def clear(self) -> None:
        self._free.clear()
