"""What routing is asked, what it may see of the live state, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pbx.callflow.decisions import DecisionRecord
from pbx.domain.attendants import Attendant, Menu
from pbx.domain.conferences import Conference
from pbx.domain.destinations import Destination, ToDevice, ToExternal
from pbx.domain.own_settings import OwnSettings
from pbx.domain.queues import AgentStatus, Queue

MAX_HOPS = 10
"""Destinations a call may pass before it is ended as a loop (482)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call to be routed. From outside device and extension are empty, `caller_number` is what the carrier gave."""

    dialled: str
    caller_number: str = ""
    caller_device: str = ""
    """Authenticated device id."""
    caller_extension: str = ""
    """Taken from the directory when empty and the device is known."""
    caller_name: str = ""
    """Display name from outside; it is shown to the callee and never enters a record."""

    private: bool = False
    """The caller's number is kept from the callee (RFC 3323); then `caller_number` is empty."""
    proved: bool = False
    """The caller has entered the PIN of `caller_extension`."""
    asserted: str = ""
    """The number of a private caller, which only another trusted network is told (RFC 3325)."""

    @property
    def outside(self) -> bool:
        return not (self.caller_device or self.caller_extension)


@dataclass(frozen=True, slots=True)
class Presence:
    """The live state routing may see, *without the call being routed*: else `why` and the call would differ."""

    registered: frozenset[str] = frozenset()
    """Device ids."""
    busy: frozenset[str] = frozenset()
    """Extensions in another call."""
    do_not_disturb: frozenset[str] = frozenset()
    """Extensions, set by feature or phone."""
    full: frozenset[str] = frozenset()
    """Extensions with as many calls as their user may have."""
    settings: Mapping[str, OwnSettings] = field(default_factory=dict)
    """What users have set at their telephones, by extension."""
    undisturbed: frozenset[str] = frozenset()
    """Extensions in a call that no other is to knock at."""
    statuses: Mapping[tuple[str, str], AgentStatus] = field(default_factory=dict)
    """Of (queue, agent), where it is not the one configured."""


@dataclass(frozen=True, slots=True)
class CallerId:
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """One target of a ring plan."""

    target: ToDevice | ToExternal
    delay_s: float = 0.0
    confirm: bool = False
    """Whoever answers has to press 1 before it counts: a mailbox at the far end must not take the call."""
    hands_free: bool = False
    """The phone is asked to answer by itself."""


@dataclass(frozen=True, slots=True)
class RingPlan:
    """Ring `targets`, each after its delay, for `ring_s` in all; then one of the three outcomes."""

    targets: tuple[Ringing, ...]
    """Never empty; devices are registered."""
    ring_s: float
    on_busy: Destination
    on_no_answer: Destination
    on_offline: Destination
    """When every target turns out to be unreachable."""
    screening: bool = False
    """The caller is asked for a name first, which whoever answers hears."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Go on at once, nobody rings."""

    destination: Destination
    why: str
    """`blocked`, `do not disturb`, `always`, `on active`, `offline`, `busy`, `no answer`, `no such user`, …"""


@dataclass(frozen=True, slots=True)
class UserRoute:
    extension: str
    result: Forward | RingPlan
    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class AttendantRoute:
    """Which menu a caller enters, and the time frame that decided (empty: none, or the attendant has no hours)."""

    attendant: Attendant
    menu: Menu
    time_frame: str
    record: DecisionRecord
    intro: str = ""
    """Prompt that is heard first, empty for none."""


@dataclass(frozen=True, slots=True)
class QueueRoute:
    """Whether a caller may join; `refused` names the overflow when not. `agents` are logged in and registered."""

    queue: Queue
    agents: tuple[str, ...]
    refused: Destination | None
    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class ConferenceRoute:
    conference: Conference
    leader: bool
    """The caller is its owner, at an own phone: a leader who is asked for no PIN."""
    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class Route:
    """The first destination of what was dialled."""

    destination: Destination
    caller_id: CallerId
    """What the callee is shown."""
    record: DecisionRecord
    """Follows the call as far as it can be known before anybody rings or presses a key."""
    ring: RingPlan | None = None
    """The plan it comes to, forwards followed, when it rings somebody."""
    menu: str = ""
    """Menu in force, when it comes to an attendant."""


@dataclass(frozen=True, slots=True)
class EmergencyLocation:
    """What an emergency desk is told."""

    callback: str
    caller_name: str
    line: str
    """Dispatchable location in one line, or `ECRC` when none is on file: the national call centre must ask."""
    level: str
    """Who owns the address: `device`, `user`, `site`, `domain`, or empty."""
