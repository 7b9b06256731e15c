"""The one ordered event stream: publish, and everybody who observes is told at once, in order.

Who observes cannot disturb what is observed: a subscriber's fault is told as a `ServerFault` and stops with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from heapq import merge

from pbx.clock import Moment
from pbx.events import Event, ServerFault, SipRequest, SipResponse, Stamped

KEPT = 20_000
KEPT_MESSAGES = 4_000
"""SIP messages are most of the events and nearly all of their size: whose call they are of, the book of calls keeps."""
_MESSAGES = (SipRequest, SipResponse)

Subscriber = Callable[[Stamped], object]


class Bus:
    """Numbers events from 1 without gaps and keeps the newest; of the SIP messages fewer."""

    def __init__(self) -> None:
        self._seq = 0
        self._events: deque[Stamped] = deque(maxlen=KEPT)
        self._messages: deque[Stamped] = deque(maxlen=KEPT_MESSAGES)
        self._subscriptions: list[_Subscription] = []
        self._told_of: dict[type[Event], tuple[deque[Stamped], tuple[Subscriber, ...]]] = {}
        """Where a kind is kept and who wants to know of it, found when the first of that kind comes."""

    @property
    def seq(self) -> int:
        """Number of the newest event."""
        return self._seq

    def publish(self, event: Event, at: Moment) -> Stamped:
        self._seq += 1
        stamped = Stamped(self._seq, at, event)
        kind = type(event)
        kept, told = self._told_of.get(kind) or self._first_of(kind)
        kept.append(stamped)
        faults: list[Exception] = []
        for tell in told:
            try:
                tell(stamped)
            except Exception as fault:  # noqa: BLE001 - a call must not end because of who watches it
                faults.append(fault)
        if faults and not isinstance(event, ServerFault):  # who fails at that, too, is not told of it again
            for raised in faults:
                text = f"{type(raised).__name__}: {raised} ({event.kind}, {_where(raised)})"
                self.publish(ServerFault("subscriber", getattr(event, "call", ""), text), at)
        return stamped

    def _first_of(self, kind: type[Event]) -> tuple[deque[Stamped], tuple[Subscriber, ...]]:
        kept = self._messages if issubclass(kind, _MESSAGES) else self._events
        found = self._told_of[kind] = kept, tuple(s.tell for s in self._subscriptions if s.wants(kind))
        return found

    def subscribe(
        self, subscriber: Subscriber, kinds: Collection[type[Event]] | None = None, *, but: Collection[type[Event]] = ()
    ) -> Callable[[], None]:
        """Call `subscriber` for each later event of these kinds (of all `but` some); return what ends it."""
        subscription = _Subscription(subscriber, frozenset(kinds) if kinds is not None else None, frozenset(but))
        self._subscriptions.append(subscription)
        self._told_of.clear()

        def end() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._told_of.clear()

        return end

    def since(self, seq: int) -> list[Stamped]:
        """Return the kept events after `seq`."""
        if seq >= self._seq:
            return []
        kept = merge(self._events, self._messages)  # the number comes first, and no two have the same
        return [stamped for stamped in kept if stamped.seq > seq]


class _Subscription:
    """One who observes, and what."""

    __slots__ = ("_but", "_kinds", "tell")

    def __init__(self, tell: Subscriber, kinds: frozenset[type[Event]] | None, but: frozenset[type[Event]]) -> None:
        self.tell = tell
        self._kinds = kinds
        self._but = but

    def wants(self, kind: type[Event]) -> bool:
        return kind not in self._but and (self._kinds is None or kind in self._kinds)


def _where(fault: Exception) -> str:
    """Return file and line where it happened, for the log."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else "?"
