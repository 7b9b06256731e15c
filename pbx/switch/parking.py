"""Live park slots: which call waits where, since when, and who put it there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import Parked
from pbx.events import CallParked, CallUnparked

if TYPE_CHECKING:
    from pbx.domain.directory import Directory
    from pbx.switch.calls import Call

FIRST_WITH_CALL_BACK = 720
_SLOT = re.compile(r"7(?!11)[0-9]{2}")


def is_slot(text: str) -> bool:
    return _SLOT.fullmatch(text) is not None


@dataclass(slots=True)
class _Slot:
    call: Call
    since: float
    parker: str


class Parking:
    """Owns the slots."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}

    def take(self, call: Call, slot: str, now: float) -> Parked | None:
        """Put the caller of a call into a slot, the first free one for `any`; None when somebody is in it."""
        slot = self.free(slot, call.directory)
        if not slot:
            return None
        self._slots[slot] = _Slot(call, now, call.transferor)
        call.publish(CallParked(call.id, slot, call.caller.party, call.transferor))
        return self._parked(slot)

    def free(self, wanted: str, directory: Directory) -> str:
        """Return a slot in which nobody is: the one wanted, or for `any` the first; empty when there is none."""
        if wanted != "any":
            return "" if wanted in self._slots else wanted
        first, last = directory.domain.platform.park_any
        return next((s for n in range(first, last + 1) if is_slot(s := str(n)) and s not in self._slots), "")

    def parked_by(self, call: Call, device: str) -> None:
        """An attended transfer has put another party into the place of the one who had dialled the slot."""
        for number, slot in self._slots.items():
            if slot.call is call:
                slot.parker = device
                call.publish(CallParked(call.id, number, call.caller.party, device))

    def leave(self, call: Call, slot: str, outcome: str, by: str, now: float) -> None:
        """Give a slot back; `by` is the leg the party talks to now."""
        taken = self._slots.pop(slot, None)
        if taken is not None:
            leg = call.legs.get(by)
            device = leg.party if leg is not None else ""
            call.publish(CallUnparked(call.id, slot, outcome, device, round(now - taken.since, 3)))

    def call_in(self, slot: str) -> Call | None:
        taken = self._slots.get(slot)
        return taken.call if taken is not None else None

    def live(self) -> int:
        return len(self._slots)

    def _parked(self, slot: str) -> Parked:
        parker = self._slots[slot].parker
        return Parked(slot, parker, bool(parker) and int(slot) >= FIRST_WITH_CALL_BACK)
