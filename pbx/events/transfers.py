"""Parties that come back: from a transfer that reached nobody, from a hold that lasts too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class TransferRecalled(Event):
    """A transferred party reached nobody: whoever transferred it is rung."""

    kind: ClassVar[str] = "call.recalled"
    call: str
    device: str
    """A phone of whoever transferred."""
    why: str
    """`busy`, `no-answer`, `not-found`, …"""


@dataclass(frozen=True, slots=True)
class HoldRecalled(Event):
    """A party has been on hold for too long: whoever holds it is rung."""

    kind: ClassVar[str] = "call.hold_recalled"
    call: str
    leg: str
    device: str
