"""Park slots: who waits in them, and how that ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class CallParked(Event):
    kind: ClassVar[str] = "park.parked"
    call: str
    slot: str
    party: str
    """Who waits there: the device, else the number outside."""
    parker: str
    """The device that put the party there, empty when nobody did."""


@dataclass(frozen=True, slots=True)
class ParkRecalled(Event):
    """Nobody has fetched the party in time: whoever parked it is rung."""

    kind: ClassVar[str] = "park.recalled"
    call: str
    slot: str
    parker: str


@dataclass(frozen=True, slots=True)
class CallUnparked(Event):
    """The slot is free again."""

    kind: ClassVar[str] = "park.left"
    call: str
    slot: str
    outcome: str
    """`fetched`, `returned` (to whoever parked the party) or `abandoned`."""
    by: str
    """The device the party talks to now, or empty."""
    waited_s: float
