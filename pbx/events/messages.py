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
class VoicemailRestored(Event):
    """A deleted message is among the saved ones again."""

    kind: ClassVar[str] = "voicemail.restored"
    call: str
    box: str
    message: str


@dataclass(frozen=True, slots=True)
class VoicemailForwarded(Event):
    kind: ClassVar[str] = "voicemail.forwarded"
    call: str
    box: str
    message: str
    to: str
    commented: bool


@dataclass(frozen=True, slots=True)
class VoicemailDropped(Event):
    """A caller recorded something, and nothing of it was kept."""

    kind: ClassVar[str] = "voicemail.dropped"
    call: str
    box: str
    seconds: float
    reason: str
    """`too short`, `recorded again`, `no room`."""


@dataclass(frozen=True, slots=True)
class VoicemailFull(Event):
    """A message could not be left, or copied, for want of room."""

    kind: ClassVar[str] = "voicemail.full"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class VoicemailLocked(Event):
    """Too many wrong PINs: nobody gets into the mailbox for a while."""

    kind: ClassVar[str] = "voicemail.locked"
    call: str
    box: str
    minutes: float


@dataclass(frozen=True, slots=True)
class GreetingChosen(Event):
    kind: ClassVar[str] = "voicemail.greeting"
    call: str
    box: str
    greeting: int
    """0 is the generic one."""


@dataclass(frozen=True, slots=True)
class PinChanged(Event):
    kind: ClassVar[str] = "voicemail.pin_changed"
    call: str
    box: str


@dataclass(frozen=True, slots=True)
class PromptKept(Event):
    """A greeting, a name or a prompt was recorded, uploaded or made from text."""

    kind: ClassVar[str] = "prompt.kept"
    call: str
    """Empty when nobody called for it."""
    owner: str
    """Extension of the mailbox, empty for a prompt of the domain."""
    name: str
    origin: str
    """`call`, `upload` or `speech`."""
    seconds: float


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
