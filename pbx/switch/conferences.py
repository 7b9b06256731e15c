"""Live conferences: who is in them, whether they have begun, what is announced. The media engine mixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from pbx.callflow.vocabulary import ConferenceClosed, ConferenceOpened
from pbx.domain.conferences import Conference
from pbx.events import (
    ConferenceAnnounced,
    ConferenceBegan,
    ConferenceEnded,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceRefused,
)
from pbx.media.engine import Capability, Prompts, Recording, Tone

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

_BEEP = Tone("beep")
_ANNOUNCED = {"arrival": ("conference-joined", 1), "departure": ("conference-left", 2)}
"""The words after a name, and the beeps where there is none."""


@dataclass(slots=True, eq=False)
class _Participant:
    call: Call
    leader: bool
    name: str
    """A recording of it, empty for none."""
    since: float
    talks: bool = False
    """It is in the room, not on music before it."""


@dataclass(slots=True)
class _Live:
    conference: Conference
    """As it was when the first one came."""
    begun_at: float | None = None
    participants: list[_Participant] = field(default_factory=list)

    @property
    def has_leader(self) -> bool:
        return any(participant.leader for participant in self.participants)

    @property
    def is_complete(self) -> bool:
        it = self.conference
        return len(self.participants) >= it.quorum and (self.has_leader or not it.require_leader)

    def participant(self, call: Call) -> _Participant | None:
        return next((it for it in self.participants if it.call is call), None)


def room_of(extension: str) -> str:
    """Return what the media engine calls the room."""
    return f"conference-{extension}"


class Conferences:
    """Owns the conferences in progress. Participants are calls: whoever is the caller of one talks."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._live: dict[str, _Live] = {}

    def join(
        self, call: Call, conference: Conference, *, leader: bool, name: str
    ) -> Literal["full", "waiting", "begun"]:
        extension, now = conference.extension, self._switch.now.mono
        if Capability.CONFERENCES not in self._switch.engine.capabilities:
            call.publish(ConferenceRefused(call.id, extension, "the media engine mixes none"))
            return "full"
        live = self._live.setdefault(extension, _Live(conference))
        if 0 < live.conference.max_participants <= len(live.participants):
            call.publish(ConferenceRefused(call.id, extension, "full"))
            return "full"
        live.participants.append(_Participant(call, leader, name, now))
        count = len(live.participants)
        call.publish(ConferenceJoined(call.id, extension, call.caller.party, leader, count))
        if live.begun_at is None and live.is_complete:
            live.begun_at = now
            call.publish(ConferenceBegan(call.id, extension, count))
            for it in live.participants[:-1]:
                self._switch.later(it.call, partial(it.call.feed, ConferenceOpened()))
        return "waiting" if live.begun_at is None else "begun"

    def enter(self, call: Call, extension: str) -> None:
        """A participant talks from now on; the others hear that it has come."""
        live = self._live[extension]
        participant = live.participant(call)
        assert participant is not None
        others = any(it.talks for it in live.participants)
        participant.talks = True
        call.into_room(room_of(extension))
        if others and live.conference.announce_arrival:
            self._announce(call, extension, participant, "arrival")

    def leave(self, call: Call, extension: str) -> None:
        live = self._live.get(extension)
        participant = live.participant(call) if live is not None else None
        if live is None or participant is None:
            return
        now = self._switch.now.mono
        live.participants.remove(participant)
        call.out_of_room()
        stayed_s = round(now - participant.since, 3)
        left = len(live.participants)
        call.publish(ConferenceLeft(call.id, extension, call.caller.party, left, stayed_s))
        if not live.participants:
            del self._live[extension]
            if live.begun_at is not None:
                call.publish(ConferenceEnded(call.id, extension, round(now - live.begun_at, 3)))
        elif participant.leader and live.conference.ends_with_leader and not live.has_leader:
            for it in live.participants:
                self._switch.later(it.call, partial(it.call.feed, ConferenceClosed()))
        elif participant.talks and live.conference.announce_departure:
            self._announce(call, extension, participant, "departure")

    def _announce(
        self, call: Call, extension: str, participant: _Participant, what: Literal["arrival", "departure"]
    ) -> None:
        """By name, or by beeps where there is none."""
        prompt, beeps = _ANNOUNCED[what]
        named = Prompts((Recording(participant.name, instead="conference-somebody"), prompt))
        call.publish(ConferenceAnnounced(call.id, extension, call.caller.party, what))
        for sound in [named] if participant.name else [_BEEP] * beeps:
            self._switch.engine.announce(room_of(extension), sound)

    def is_in(self, call: Call, extension: str) -> bool:
        room = self._live.get(extension)
        return room is not None and room.participant(call) is not None

    def live(self) -> int:
        """Count of participants."""
        return sum(len(live.participants) for live in self._live.values())
