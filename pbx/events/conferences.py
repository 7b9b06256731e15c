"""Conference rooms: who joins, when a conference begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class ConferenceJoined(Event):
    """A caller is admitted: it talks, or waits for the conference to begin."""

    kind: ClassVar[str] = "conference.joined"
    call: str
    conference: str
    """The extension of the room."""
    party: str
    """The device, else the number outside."""
    leader: bool
    participants: int
    """How many there are now."""


@dataclass(frozen=True, slots=True)
class ConferenceBegan(Event):
    """As many as it waited for are there, and a leader where one is required: they hear each other from now on."""

    kind: ClassVar[str] = "conference.began"
    call: str
    """Of whoever it waited for."""
    conference: str
    participants: int


@dataclass(frozen=True, slots=True)
class ConferenceLeft(Event):
    kind: ClassVar[str] = "conference.left"
    call: str
    conference: str
    party: str
    participants: int
    """How many are left."""
    stayed_s: float


@dataclass(frozen=True, slots=True)
class ConferenceAnnounced(Event):
    """The others hear, by name or beep, that somebody has come or gone."""

    kind: ClassVar[str] = "conference.announced"
    call: str
    conference: str
    party: str
    what: str
    """`arrival` or `departure`."""


@dataclass(frozen=True, slots=True)
class ConferenceEnded(Event):
    """The last one has left a conference that had begun."""

    kind: ClassVar[str] = "conference.ended"
    call: str
    conference: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class ConferenceRefused(Event):
    kind: ClassVar[str] = "conference.refused"
    call: str
    conference: str
    reason: str
    """`wrong PIN`, `full`, or what the media engine lacks."""
