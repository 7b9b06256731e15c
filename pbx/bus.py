"""The one ordered event stream: publish, and everybody who observes is told at once, in order.

Who observes cannot disturb what is observed: a subscriber's fault is told as a `ServerFault` and stops with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from pbx.clock import Moment
from pbx.events import Event, ServerFault, Stamped

KEPT = 20_000

Subscriber = Callable[[Stamped], None]


class Bus:
    """Numbers events from 1 without gaps and keeps the newest."""

    def __init__(self) -> None:
        self._seq = 0
        self._ring: deque[Stamped] = deque(maxlen=KEPT)
        self._subscribers: list[tuple[Subscriber, frozenset[type[Event]] | None]] = []

    @property
    def seq(self) -> int:
        """Number of the newest event."""
        return self._seq

    def publish(self, event: Event, at: Moment) -> Stamped:
        self._seq += 1
        stamped = Stamped(self._seq, at, event)
        self._ring.append(stamped)
        faults: list[Exception] = []
        for subscriber, kinds in tuple(self._subscribers):
            if kinds is None or type(event) in kinds:
                try:
                    subscriber(stamped)
                except Exception as fault:  # noqa: BLE001 - a call must not end because of who watches it
                    faults.append(fault)
        if not isinstance(event, ServerFault):  # a subscriber that fails at that, too, is not told of it again
            for raised in faults:
                told = f"{type(raised).__name__}: {raised} ({event.kind}, {_where(raised)})"
                self.publish(ServerFault("subscriber", getattr(event, "call", ""), told), at)
        return stamped

    def subscribe(self, subscriber: Subscriber, kinds: Iterable[type[Event]] | None = None) -> Callable[[], None]:
        """Call `subscriber` for each later event; return what ends it."""
        entry = (subscriber, frozenset(kinds) if kinds is not None else None)
        self._subscribers.append(entry)

        def end() -> None:
            if entry in self._subscribers:
                self._subscribers.remove(entry)

        return end

    def since(self, seq: int) -> list[Stamped]:
        """Return the kept events after `seq`."""
        if seq >= self._seq:
            return []
        return [stamped for stamped in self._ring if stamped.seq > seq]


def _where(fault: Exception) -> str:
    """Return file and line where it happened, for the log."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else "?"
