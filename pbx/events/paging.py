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
