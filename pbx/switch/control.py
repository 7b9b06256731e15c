"""Call control from outside: calls placed, held, transferred and ended by somebody who is at no phone (API, console).

What the owner of a phone could do at it; permissions and caller ID are that user's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pbx.callflow.placing import ring_and_dial
from pbx.callflow.question import Asked
from pbx.callflow.vocabulary import LegRefused
from pbx.domain.destinations import Cause
from pbx.events import CallInvited
from pbx.switch import hold, transfer
from pbx.switch.calls import Call
from pbx.switch.legs import Leg
from pbx.switch.replacing import put_through

if TYPE_CHECKING:
    from pbx.switch.switch import Switch


def every(switch: Switch) -> Iterator[tuple[Call, Leg]]:
    """Return every live leg of the domain's users with its call."""
    return ((call, leg) for call, leg in switch.parties.every() if leg.extension and not leg.gone)


def legs_of(switch: Switch, extension: str, name: str) -> tuple[Call, Leg] | None:
    """Return a user's leg in the call of that id, or of the alias it was placed under."""
    return next(
        (found for found in every(switch) if found[1].extension == extension and name in (found[0].id, found[0].alias)),
        None,
    )


def place(switch: Switch, devices: tuple[str, ...], number: str, alias: str, *, hands_free: bool) -> str:
    """Ring devices of one user; whoever answers calls `number`. Return the call, empty when no device is registered."""
    registered = switch.registered()
    reached = tuple(device for device in devices if device in registered)
    if not reached:
        return ""
    name = switch.next_call_id()
    nobody = Leg(f"{name}.0", "", "", "", switch.engine, switch.negotiation(""))
    owner = switch.directory.devices_by_id[reached[0]].extension
    call = Call(switch, name, nobody, Asked(number, number, "", ""))
    call.alias = alias
    switch.begin_alone(call)
    call.publish(CallInvited(name, nobody.name, owner, "", reached[0], number, ""))
    switch.guarded(call, lambda: call.run(ring_and_dial(call, reached, number, hands_free=hands_free)))
    return name


def send(switch: Switch, call: Call, leg: Leg, target: str) -> str:
    """Transfer whoever a leg talks to, blind; return why not, empty when it is on its way."""
    if not (leg.joined and leg.answered):
        return "nobody is connected who could be transferred"
    return "" if transfer.transfer_by_hand(switch, call, leg, target) else f"{target!r} cannot be called from there"


def join(switch: Switch, call: Call, leg: Leg, other: str) -> str:
    """Transfer attended: whoever a leg talks to here and in the call `other` talk to each other; return why not."""
    there = legs_of(switch, leg.extension, other)
    if there is None or there[0] is call:
        return f"there is no call {other!r} of the same user"
    if not leg.joined:
        return "nobody is connected who could be transferred"
    put_through(switch, call, leg, *there)
    call.end()
    return ""


def set_hold(switch: Switch, call: Call, leg: Leg, on: bool) -> str:
    """Put whoever a leg talks to on hold, or take it back; return why not."""
    if not leg.joined:
        return "nobody is connected who could be held"
    hold.by_hand(switch, call, leg, on)
    return ""


def answer_there(switch: Switch, call: Call, leg: Leg) -> str:
    """Have the phone of a leg answer what rings there; return why not."""
    if leg.session is None or leg.answered or not leg.rang or not leg.session.command("talk", switch.now.mono):
        return "it does not ring there"
    return ""


def end(call: Call) -> None:
    call.refuse(Cause.NORMAL)


def refuse(call: Call, leg: Leg) -> str:
    """Refuse a call that rings at a leg, as busy; return why not."""
    if leg.answered or leg is call.caller:
        return "it does not ring there"
    name = leg.name
    call.drop(name, Cause.BUSY)
    call.feed(LegRefused(name, Cause.BUSY.status))
    return ""
