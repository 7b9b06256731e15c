"""Fax: what is known of the far end, which way it goes, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class FaxAnswered(Event):
    """A fax machine of the house has the caller."""

    kind: ClassVar[str] = "fax.answered"
    call: str
    account: str


@dataclass(frozen=True, slots=True)
class FaxHeard(Event):
    """The far end of a leg is a fax machine, by what it sounds like."""

    kind: ClassVar[str] = "fax.heard"
    call: str
    leg: str
    device: str
    signal: str
    """`cng` of one that calls, `preamble` of one that answers."""


@dataclass(frozen=True, slots=True)
class FaxTurned(Event):
    """A party's media is fax over IP from now on, or sound again."""

    kind: ClassVar[str] = "fax.turned"
    call: str
    leg: str
    device: str
    over: str
    """`T.38` or `G.711`."""
    by: str
    """Who asked: `switch`, or the party whose re-INVITE was passed on or taken."""


@dataclass(frozen=True, slots=True)
class FaxStayed(Event):
    """A party would not have T.38: the fax goes on over G.711."""

    kind: ClassVar[str] = "fax.stayed"
    call: str
    leg: str
    device: str
    status: int
    """Its SIP answer."""


@dataclass(frozen=True, slots=True)
class FaxQueued(Event):
    """A fax is to be sent, and on the disk; `tries` have failed."""

    kind: ClassVar[str] = "fax.queued"
    fax: str
    account: str
    number: str
    pages: int
    sender: str
    tries: int
    problem: str


@dataclass(frozen=True, slots=True)
class FaxSent(Event):
    kind: ClassVar[str] = "fax.sent"
    fax: str
    call: str
    account: str
    number: str
    pages: int
    over: str
    bit_rate: int
    error_correction: bool
    station: str
    """What the far end calls itself."""
    seconds: float


@dataclass(frozen=True, slots=True)
class FaxReceived(Event):
    kind: ClassVar[str] = "fax.received"
    fax: str
    call: str
    account: str
    number: str
    pages: int
    over: str
    bit_rate: int
    error_correction: bool
    station: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FaxFailed(Event):
    """For good; what came until then is kept."""

    kind: ClassVar[str] = "fax.failed"
    fax: str
    call: str
    account: str
    direction: str
    """`in` or `out`."""
    number: str
    pages: int
    """Received, or sent and confirmed."""
    problem: str
