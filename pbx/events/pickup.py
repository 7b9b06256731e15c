"""A call taken by another phone than the one it rang or was talked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class CallPickedUp(Event):
    """A ringing call was picked up elsewhere."""

    kind: ClassVar[str] = "call.picked_up"
    call: str
    device: str
    """The phone that has the call now."""
    extension: str
    rang: str
    """The extension it rang."""


@dataclass(frozen=True, slots=True)
class CallPulled(Event):
    """A conversation goes on at another phone of the same user."""

    kind: ClassVar[str] = "call.pulled"
    call: str
    device: str
    """The phone that has the call now."""
    source: str
    """The phone that had it."""
