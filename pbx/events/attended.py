"""Auto attendants, call queues and their agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class MenuEntered(Event):
    kind: ClassVar[str] = "attendant.entered"
    call: str
    attendant: str
    menu: str
    time_frame: str


@dataclass(frozen=True, slots=True)
class MenuChosen(Event):
    kind: ClassVar[str] = "attendant.chosen"
    call: str
    attendant: str
    menu: str
    keys: str
    """What was pressed, empty when nothing was."""
    destination: str


@dataclass(frozen=True, slots=True)
class NameSearched(Event):
    """A caller has entered the first letters of a name."""

    kind: ClassVar[str] = "attendant.name"
    call: str
    keys: str
    found: str
    """Extensions of those it may mean, joined by spaces."""


@dataclass(frozen=True, slots=True)
class QueueJoined(Event):
    kind: ClassVar[str] = "queue.joined"
    call: str
    queue: str
    position: int


@dataclass(frozen=True, slots=True)
class AgentOffered(Event):
    kind: ClassVar[str] = "queue.offered"
    call: str
    queue: str
    agent: str
    round: int


@dataclass(frozen=True, slots=True)
class QueueLeft(Event):
    kind: ClassVar[str] = "queue.left"
    call: str
    queue: str
    outcome: str
    """`answered`, `abandoned`, `overflow`, `refused`."""
    agent: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class CallbackAsked(Event):
    """A waiting caller has hung up and keeps its place: it is called back at this number."""

    kind: ClassVar[str] = "queue.callback_asked"
    call: str
    queue: str
    number: str


@dataclass(frozen=True, slots=True)
class CallbackBegun(Event):
    """An agent is there for it: the caller is called back."""

    kind: ClassVar[str] = "queue.callback_begun"
    call: str
    queue: str
    number: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallbackExpired(Event):
    """No agent was there in all the hours it was kept."""

    kind: ClassVar[str] = "queue.callback_expired"
    call: str
    queue: str
    number: str


@dataclass(frozen=True, slots=True)
class AgentFinished(Event):
    """An agent has left a call it took from a queue."""

    kind: ClassVar[str] = "queue.finished"
    call: str
    queue: str
    agent: str
    wrap_up_s: float
    """How long the queue offers it nothing from now on."""


@dataclass(frozen=True, slots=True)
class AgentStatusChanged(Event):
    kind: ClassVar[str] = "queue.agent"
    queue: str
    agent: str
    status: str
    """`available`, `one call`, `logged out`, or why the agent takes no calls: `lunch`, `break`, …"""
