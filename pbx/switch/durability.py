"""What waits for the disk: answers that must not leave before what they promise is durable, and what follows then."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbx.sip.stack import Outgoing


class Durability:
    """Knows up to which ticket everything is on the disk. Tickets only grow: the oldest stands first."""

    def __init__(self) -> None:
        self._held: dict[int, list[Outgoing]] = {}
        self._then: dict[int, list[Callable[[], None]]] = {}
        self._confirmed = 0

    def __len__(self) -> int:
        """Tickets that answers wait for."""
        return len(self._held)

    def confirm(self, ticket: int) -> None:
        """Everything up to this ticket is durable: do what waited for it."""
        self._confirmed = max(self._confirmed, ticket)
        for known in sorted(number for number in self._then if number <= self._confirmed):
            for do in self._then.pop(known):
                do()

    def then(self, ticket: int, do: Callable[[], None]) -> None:
        """Do something once a ticket is confirmed; 0 is durable already."""
        if ticket <= self._confirmed:
            do()
        else:
            self._then.setdefault(ticket, []).append(do)

    def leaving(self, outgoing: Iterable[Outgoing]) -> list[Outgoing]:
        """Return what may leave now, of what was held and of these; the rest stays until it is confirmed."""
        ready: list[Outgoing] = []
        while self._held and next(iter(self._held)) <= self._confirmed:
            ready += self._held.pop(next(iter(self._held)))
        for item in outgoing:
            if item.ticket is not None and item.ticket > self._confirmed:
                self._held.setdefault(item.ticket, []).append(item)
            else:
                ready.append(item)
        return ready
