"""What a call is at a moment: its legs, who the caller is now, what is known of it; and its facts for the record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pbx.callflow.question import Asked, CallerId
from pbx.domain.destinations import Cause
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord
from pbx.events import CallRouted, Event
from pbx.records import CallFacts
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


class CallState:
    """What every side of a call shares."""

    def __init__(self, switch: Switch, call: str, caller: Leg, asked: Asked) -> None:
        self.id = call
        self.asked = asked
        """The party that is the caller now, and what it dialled."""
        self.caller = caller
        self.legs: dict[str, Leg] = {caller.name: caller} if caller.session is not None else {}
        self.shown = CallerId(asked.caller_number, asked.caller_name)
        """What a ringing device is shown."""
        self.over = False
        self._switch = switch
        self._origin = caller
        self._dialled = asked.dialled
        self._made = 0
        self._played = 0
        self._congested = False
        self._alone = False
        """It goes on when its caller hangs up."""
        self._abroad = False
        """In the provider's support domain."""
        self._cause = Cause.NORMAL.q850
        self.alias = ""
        """The name of whoever placed it from outside, who asks for it by that."""
        self.diversions: list[tuple[str, str]] = []
        """Users whose rules sent the call on, with why, in order."""
        self.carried: list[tuple[str, str]] = []
        """Headers whoever is rung is told beside all else."""
        self.transferor = ""
        """The device that handed over whoever is the caller now."""
        self._facts = CallFacts(call)
        self.agents: dict[str, tuple[str, str]] = {}
        """Leg of an agent who answered through a queue → that queue and the agent; its wrap-up follows."""

    @property
    def directory(self) -> Directory:
        return self._switch.settings.support if self._abroad else self._switch.directory

    @property
    def now(self) -> float:
        return self._switch.now.mono

    @property
    def wall(self) -> datetime:
        return self._switch.now.wall

    @property
    def hour(self) -> datetime:
        return self._switch.hour.wall

    @property
    def answered(self) -> bool:
        return self.caller.answered

    @property
    def record(self) -> CallRecord:
        """What is known of it so far."""
        return self._facts.record()

    def extension_of(self, leg: str) -> str:
        found = self.legs.get(leg)
        return found.extension if found else ""

    def publish(self, event: Event) -> None:
        self._facts.take(event, self._switch.now)
        self._switch.publish(event)

    def routed(self, label: str, record: str, *, first: bool = False) -> None:
        self.publish(CallRouted(self.id, self._dialled, label, record, first))
