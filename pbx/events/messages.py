"""Voicemail, text messages, lamps and what else a phone watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class VoicemailGreeted(Event):
    kind: ClassVar[str] = "voicemail.greeted"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class VoicemailLeft(Event):
    kind: ClassVar[str] = "voicemail.left"
    call: str
    box: str
    message: str
    seconds: float
    caller_number: str
    heard: str
    """What was recognised in the recording, e.g. `signature:101`, or `unknown`."""


@dataclass(frozen=True, slots=True)
class VoicemailOpened(Event):
    kind: ClassVar[str] = "voicemail.opened"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class VoicemailRefused(Event):
    """A log-in to a mailbox failed."""

    kind: ClassVar[str] = "voicemail.refused"
    call: str
    box: str
    attempt: int


@dataclass(frozen=True, slots=True)
class VoicemailHeard(Event):
    kind: ClassVar[str] = "voicemail.heard"
    call: str
    box: str
    message: str


@dataclass(frozen=True, slots=True)
class VoicemailDeleted(Event):
    kind: ClassVar[str] = "voicemail.deleted"
    call: str
    box: str
    message: str


@dataclass(frozen=True, slots=True)
class LampSent(Event):
    kind: ClassVar[str] = "mwi.sent"
    device: str
    box: str
    new: int
    saved: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class MessageRelayed(Event):
    """A text went from one extension to another, or did not; what it says is nobody else's business."""

    kind: ClassVar[str] = "message.relayed"
    device: str
    """Who sent it."""
    extension: str
    to: str
    taken_by: str
    """The first device that took it, empty when none did."""
    status: int
    """What the sender was told."""
    octets: int


@dataclass(frozen=True, slots=True)
class BusyLampSent(Event):
    """A device was told what another extension is doing."""

    kind: ClassVar[str] = "blf.sent"
    device: str
    """Who is told."""
    extension: str
    """Of whom."""
    state: str
    """`idle`, `calling`, `ringing` or `in-use`."""


@dataclass(frozen=True, slots=True)
class SubscriptionChanged(Event):
    kind: ClassVar[str] = "subscription.changed"
    device: str
    package: str
    state: str
    """`active` or `terminated`."""
