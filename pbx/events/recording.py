"""Conversations that are recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class RecordingBegan(Event):
    kind: ClassVar[str] = "recording.began"
    call: str
    leg: str
    device: str
    extension: str
    """Whose recording it is."""
    recording: str
    why: str
    """`always`, `code`, or `queue 500`."""


@dataclass(frozen=True, slots=True)
class RecordingEnded(Event):
    """The recording is kept."""

    kind: ClassVar[str] = "recording.ended"
    call: str
    extension: str
    recording: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordingRefused(Event):
    """A user asked for a recording it may not make."""

    kind: ClassVar[str] = "recording.refused"
    call: str
    leg: str
    device: str
    extension: str
    why: str
