"""Voice that comes out of telephones nobody has lifted: intercom and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class IntercomOpened(Event):
    """A phone has answered by itself, or by hand, and both can talk."""

    kind: ClassVar[str] = "intercom.opened"
    call: str
    leg: str
    device: str
    extension: str


@dataclass(frozen=True, slots=True)
class PageBegan(Event):
    """Somebody speaks through the phones of a group."""

    kind: ClassVar[str] = "page.began"
    call: str
    group: str
    device: str
    """Who speaks; empty from outside."""
    called: int
    """Phones that are called."""


@dataclass(frozen=True, slots=True)
class PageJoined(Event):
    """A phone speaks from now on."""

    kind: ClassVar[str] = "page.joined"
    call: str
    leg: str
    group: str


@dataclass(frozen=True, slots=True)
class PageEnded(Event):
    kind: ClassVar[str] = "page.ended"
    call: str
    group: str
    reached: int
    """Phones that spoke."""
    seconds: float
