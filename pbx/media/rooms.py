"""The rooms of one exchange: who is in which, and when each has its round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from pbx.media.leg import Leg
from pbx.media.room import Room


class Rooms:
    """Owns them; a room ends with its last member."""

    def __init__(self, wake: Callable[[int], None]) -> None:
        """`wake(key)` asks for a `round` of a room every 20 ms, until one returns False; keys are negative."""
        self._wake = wake
        self._rooms: dict[str, Room] = {}
        self._names: dict[int, str] = {}
        self._keys = count(-1, -1)

    def join(self, leg: Leg, name: str) -> None:
        self.leave(leg)
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(next(self._keys))
            self._names[room.key] = name
            self._wake(room.key)
        leg.room, leg.member, leg.fresh = room, room.join(leg.codec), True
        leg.attend()
        self._wake(leg.port)

    def leave(self, leg: Leg) -> None:
        room, member = leg.room, leg.member
        if room is None or member is None:
            return
        leg.room = leg.member = None
        leg.attend()
        room.leave(member)
        if not room.members:
            del self._rooms[self._names.pop(room.key)]

    def announce(self, name: str, frames: Iterator[bytes]) -> None:
        room = self._rooms.get(name)
        if room is not None:
            room.announce(frames)

    def round(self, key: int, now: float) -> bool:
        """20 ms have passed for a room; False when it is no more."""
        name = self._names.get(key)
        if name is None:
            return False
        self._rooms[name].round(now)
        return True
