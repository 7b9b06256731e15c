"""Who is in which call: the legs in progress, found by their session, their name and their extension."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pbx.sip.session import Session
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call


class Parties:
    """Owned by the switch, which tells it of every leg that begins, moves and ends."""

    def __init__(self) -> None:
        self._by_session: dict[Session, tuple[Call, Leg]] = {}
        self._by_name: dict[str, tuple[Call, Leg]] = {}
        self._by_extension: dict[str, dict[str, Leg]] = {}
        self.busy: Counter[str] = Counter()
        """Legs of each extension that has any."""
        self.outside = 0
        """Legs of parties outside, desks left aside."""

    def __len__(self) -> int:
        """Legs that are in a call, or whose media has not been reported on yet."""
        return len(self._by_name)

    def begin(self, session: Session, call: Call, leg: Leg) -> None:
        self._by_session[session] = self._by_name[leg.name] = (call, leg)
        self.outside += _is_outside(leg)
        if leg.extension:
            self.busy[leg.extension] += 1
            self._by_extension.setdefault(leg.extension, {})[leg.name] = leg

    def rehouse(self, leg: Leg, call: Call) -> None:
        """A leg has moved into another call."""
        self._by_name[leg.name] = (call, leg)
        if leg.session is not None:
            self._by_session[leg.session] = (call, leg)

    def gone(self, leg: Leg) -> None:
        """A leg has ended; one with media is forgotten when its engine has reported."""
        self.outside -= _is_outside(leg)
        if leg.extension:
            self.busy[leg.extension] -= 1
            if self.busy[leg.extension] <= 0:
                del self.busy[leg.extension]
            legs = self._by_extension.get(leg.extension, {})
            legs.pop(leg.name, None)
            if not legs:
                self._by_extension.pop(leg.extension, None)
        if not leg.opened:
            self._by_name.pop(leg.name, None)

    def reported(self, leg: Leg) -> None:
        """The engine has said its last word on a leg."""
        self._by_name.pop(leg.name, None)

    def session_over(self, session: Session) -> None:
        self._by_session.pop(session, None)

    def without_media(self) -> None:
        """Nobody will report on any leg any more."""
        self._by_name.clear()

    def of_session(self, session: Session | None) -> tuple[Call, Leg] | None:
        return self._by_session.get(session) if session is not None else None

    def named(self, name: str) -> tuple[Call, Leg] | None:
        return self._by_name.get(name)

    def every(self) -> Iterator[tuple[Call, Leg]]:
        """Every leg there is with its call, oldest first."""
        return iter(self._by_name.values())

    def of_extension(self, extension: str) -> list[Leg]:
        """Return the legs an extension's devices have, oldest first."""
        return list(self._by_extension.get(extension, {}).values())


def _is_outside(leg: Leg) -> bool:
    """A caller from outside, or a number called there: no device of ours, and no desk, which is called by a name."""
    return not leg.device and not leg.number[:1].isalpha()
