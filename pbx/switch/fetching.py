"""A caller goes into another call: to fetch who is parked, to pick up what rings, to pull a conversation over.

The caller's leg moves; the call it dialled the code with is over then and has its own record.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import LegJoined
from pbx.events import CallPickedUp, CallPulled, CallUp
from pbx.switch.legs import Leg
from pbx.switch.replacing import move, take_place

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch


def fetch(switch: Switch, call: Call, slot: str) -> bool:
    """Go to whoever is parked in a slot; False when nobody is."""
    there = switch.parking.call_in(slot)
    if there is None:
        return False
    # While the slot calls back, whoever fetches takes the place of a phone that rings for it.
    ringing = next((leg for leg in there.legs.values() if _rings(leg)), None)
    return _go(switch, call, there, ringing)


def fetch_waiting(switch: Switch, call: Call, queue: str) -> bool:
    """Go to whoever waits longest in a queue that rings nobody."""
    known = switch.directory.queues_by_extension.get(queue)
    if known is None or known.strategy != "call_park":
        return False
    there = switch.call(switch.queues.longest_waiting(queue))
    return there is not None and _go(switch, call, there, None)


def pick_up(switch: Switch, call: Call, extensions: Collection[str]) -> bool:
    """Go to the call that rings longest at one of the extensions, or rings agents of one that is a queue."""
    for there, leg in switch.parties.every():
        if not _rings(leg) or there.caller.extension == call.asked.caller_extension or there is call:
            continue
        if leg.extension in extensions or any(switch.queues.place(queue, there.id) for queue in extensions):
            if not _go(switch, call, there, leg):
                return False
            there.publish(CallPickedUp(there.id, call.caller.device, call.caller.extension, leg.extension))
            return True
    return False


def pull(switch: Switch, call: Call) -> bool:
    """Go where another phone of the same user talks or is talked to; False when none does."""
    own = [
        leg
        for leg in switch.parties.of_extension(call.asked.caller_extension)
        if leg.answered and leg is not call.caller
    ]
    for leg in reversed(own):  # the newest first
        found = switch.parties.named(leg.name)
        if found is not None and found[0] is not call:
            there = found[0]
            if not _go(switch, call, there, leg):
                return False
            there.publish(CallPulled(there.id, call.caller.device, leg.device))
            return True
    return False


def record_own(switch: Switch, call: Call, on: bool) -> bool:
    """Begin or stop recording what the user of the caller talks elsewhere; False when it may not, or does not talk."""
    recordings = switch.call_recordings
    for leg in reversed(switch.parties.of_extension(call.asked.caller_extension)):
        found = switch.parties.named(leg.name)
        if found is None or found[0] is call or not leg.joined:
            continue
        if recordings.begin(found[0], leg, "code") if on else recordings.end(leg):
            return True
    return False


def _go(switch: Switch, call: Call, there: Call, old: Leg | None) -> bool:
    """Take the caller to another call, in the place of `old`, or to who waits there; False when it has no media."""
    coming = call.caller
    call.answer_like(there.legs.get(old.joined) if old is not None else there.caller)
    if coming.gone:
        return False
    move(switch, coming, call, there)
    number = there.asked.caller_number
    there.publish(CallUp(there.id, coming.name, coming.device, coming.extension, number, "called"))
    if old is not None:
        take_place(switch, there, old, coming)
    else:
        there.feed(LegJoined(coming.name))
    return True


def _rings(leg: Leg) -> bool:
    """A phone of ours that is being called."""
    session = leg.session
    return bool(leg.device) and not (leg.answered or leg.gone) and session is not None and session.role == "uac"
