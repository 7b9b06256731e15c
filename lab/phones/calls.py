"""Calls as a phone sees them, whatever kind of phone it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from lab.phones.speech import Speech
from pbx.clock import FOREVER
from pbx.media.engine import FaxTask
from pbx.sip.session import Session

KEPT_CALLS = 20
KEPT_SOUNDS = 500
MOST_CALLS = 2
"""One talked to, one waiting; a third caller hears busy."""


class CallState(Enum):
    CALLING = "calling"
    """Dialled; nothing heard of the other side yet."""
    RINGING = "ringing"
    """Dialled, and the other side rings."""
    INCOMING = "incoming"
    UP = "up"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Sensed:
    """What the ears of a call recognised, and when (monotonic seconds)."""

    at: float
    sound: str


@dataclass(frozen=True, slots=True)
class FaxMachine:
    """What is plugged into a line instead of a telephone."""

    takes_t38: bool = True
    """Its adapter does; else T.38 is refused (488)."""


@dataclass(frozen=True, slots=True)
class FaxSeen:
    """One fax that a machine has sent or received."""

    at: float
    sent: bool
    document: str
    pages: int
    problem: str
    over: str
    station: str


@dataclass(slots=True, eq=False)
class CallSeen:
    """One call as a phone sees it; the newest are kept after their end."""

    state: CallState
    number: str
    """Dialled, or the caller's as shown."""
    name: str
    outgoing: bool
    begun_at: float
    up_at: float | None = None
    ended_at: float | None = None
    on_hold: bool = False
    """We hold the other side."""
    mixed: bool = False
    """It is part of a conference that the phone itself mixes."""
    held_by_peer: bool = False
    status: int = 0
    """Final SIP status of a call that failed, 200 of one that was up."""
    reason: str = ""
    hung_up_by: str = ""
    """`us` or `peer`."""
    transfer: str = ""
    """What became of our blind transfer: `asked`, then the last status line."""
    heard: list[Sensed] = field(default_factory=list)
    keys: list[Sensed] = field(default_factory=list)
    keys_to_send: str = ""
    """Pressed before the call was up."""

    @property
    def over(self) -> bool:
        return self.state is CallState.ENDED

    @property
    def hears(self) -> str:
        """The newest sound, or empty."""
        return self.heard[-1].sound if self.heard else ""


@dataclass(slots=True, eq=False, kw_only=True)
class PhoneCall(CallSeen):
    """A call of a simulated line: what is seen of it, its session and its audio."""

    session: Session
    speech: Speech
    fax: FaxTask | None = None
    """What the fax machine at the line does in it."""
    fax_over: bool = False
    hang_up_at: float = FOREVER
    """The machine is done and lets go."""

    @property
    def settled(self) -> bool:
        """It is over, and so is its fax: its machine has its say after the end."""
        return self.over and (self.fax is None or self.fax_over or self.up_at is None)
