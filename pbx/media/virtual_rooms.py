"""Rooms of the virtual world: each member sounds like what all the others are heard to say."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pbx.media.agenda import Agenda
from pbx.media.engine import Sound
from pbx.media.virtual_leg import Parts, VirtualLeg
from pbx.media.virtual_speaking import Speaking

_SIGNATURE = "signature:"


@dataclass(slots=True)
class _Room:
    members: list[VirtualLeg] = field(default_factory=list)
    waiting: deque[Parts] = field(default_factory=deque)
    """What is still to be announced."""
    saying: str = ""
    """What is being announced."""


class VirtualRooms:
    """Owns the rooms of one engine."""

    def __init__(self, agenda: Agenda, speaking: Speaking, parts: Callable[[Sound], Parts]) -> None:
        self._agenda, self._speaking, self._parts = agenda, speaking, parts
        self._rooms: dict[str, _Room] = {}

    def join(self, it: VirtualLeg, name: str) -> None:
        self.leave(it)
        it.room = name
        self._rooms.setdefault(name, _Room()).members.append(it)
        self._tell(name)

    def leave(self, it: VirtualLeg) -> None:
        room = self._rooms.get(it.room)
        if room is None:
            return
        name, it.room, it.around = it.room, "", ""
        room.members.remove(it)
        self._speaking.announce(it)
        if room.members:
            self._tell(name)
        else:
            del self._rooms[name]

    def heard(self, it: VirtualLeg) -> None:
        """What a member says is another sound now."""
        if it.room:
            self._tell(it.room)

    def announce(self, name: str, sound: Sound) -> None:
        room = self._rooms.get(name)
        if room is None:
            return
        room.waiting.append(self._parts(sound))
        if not room.saying:
            self._go_on(name, room)

    def _go_on(self, name: str, room: _Room) -> None:
        """Announce the next part, or fall silent."""
        if self._rooms.get(name) is not room:
            return
        room.saying = ""
        while room.waiting:
            part = next(room.waiting[0], None)
            if part is not None:
                room.saying, seconds = part
                self._agenda.later(seconds, lambda: self._go_on(name, room))
                break
            room.waiting.popleft()
        self._tell(name)

    def _tell(self, name: str) -> None:
        """Let every member sound like what is around it."""
        room = self._rooms[name]
        for it in room.members:
            around = mixed([*(other.heard for other in room.members if other is not it), room.saying])
            if around != it.around:
                it.around = around
                self._speaking.announce(it)


def mixed(labels: Iterable[str]) -> str:
    """Return what ears make of sounds that come together: the voices among them, as `Knowledge.voice_in` says."""
    sounds = [label for label in labels if label not in ("", "silence")]
    if len(sounds) <= 1:
        return sounds[0] if sounds else "silence"
    parties = {party for it in sounds if it.startswith(_SIGNATURE) for party in it[len(_SIGNATURE) :].split("+")}
    return _SIGNATURE + "+".join(sorted(parties)) if parties else "unknown"
