"""One party takes another's place in a call: attended transfer (REFER with Replaces) and pickup (INVITE with Replaces).

RFC 3891, RFC 5589 §7. The newcomer inherits what the old one had: the other end of its conversation, the menu, queue or
mailbox it was in, or the ringing it heard; the old one is let go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.callflow import routing
from pbx.callflow.question import Asked
from pbx.callflow.vocabulary import LegReplaced
from pbx.domain.destinations import Cause, ToDevice
from pbx.domain.devices import Device
from pbx.events import CallTransferred, CallUp
from pbx.media.engine import NoMediaPort
from pbx.media.sdp import BadSdp
from pbx.sip.dialog import Phase
from pbx.sip.referral import Referrer
from pbx.sip.replaces import Replaces
from pbx.sip.session import Session
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch


def transfer_attended(switch: Switch, call: Call, leaving: Leg, referrer: Referrer, wanted: Replaces) -> None:
    """Join whom `leaving` talks to here with whom it consults there; both calls of the transferor end.

    What cannot be joined is told as the INVITE's fate would be (RFC 3515 §2.4.4): a 481 to the REFER itself would mean
    that *this* call is gone.
    """
    now = switch.now.mono
    referrer.accept_refer(now)
    found = _leg_of(switch, wanted)
    if found is None:
        referrer.notify_refer("SIP/2.0 481 Call/Transaction Does Not Exist", True, now)
        return
    there, consulting = found
    if there is call or consulting.device != leaving.device or not leaving.joined:
        referrer.notify_refer("SIP/2.0 603 Decline", True, now)
        return
    put_through(switch, call, leaving, there, consulting)
    referrer.notify_refer("SIP/2.0 200 OK", True, now)
    call.end()


def put_through(switch: Switch, call: Call, leaving: Leg, there: Call, consulting: Leg) -> None:
    """Put whoever `leaving` talks to where `consulting`, of the same owner, is in another call; `call` is to end."""
    staying = call.legs[leaving.joined]
    target = there.dialled if consulting is there.caller else there.asked.caller_number
    call.part(leaving)
    move(switch, staying, call, there)
    take_place(switch, there, consulting, staying)
    call.publish(CallTransferred(call.id, leaving.name, leaving.device, target, "attended"))


def replaced_leg(switch: Switch, wanted: Replaces) -> tuple[Call, Leg] | int:
    """Return the leg an INVITE wants to take over, or the status it is owed (RFC 3891 §3)."""
    found = _leg_of(switch, wanted)
    if found is None:
        return 481
    leg = found[1]
    assert leg.session is not None
    early = leg.session.phase is not Phase.UP
    if early and leg.session.role == "uas":
        return 481  # an early dialog the other end began
    if wanted.early_only and not early:
        return 486
    return found


def pick_up(switch: Switch, call: Call, old: Leg, session: Session, device: Device) -> None:
    """Answer a device's INVITE and put it where `old` is."""
    now = switch.now.mono
    new = call.new_leg(device.id, device.extension, "")
    new.session = session
    try:
        other = call.legs.get(old.joined)
        sdp = new.answer(session.remote_sdp, other) if session.remote_sdp else new.offer(other)
    except (BadSdp, NoMediaPort) as error:
        del call.legs[new.name]
        new.close()
        session.reject(488 if isinstance(error, BadSdp) else 503, "", now)
        return
    switch.own(session, call, new)
    session.answer(sdp, now)
    new.answered = True
    new.engine.listen(new.name)
    call.publish(CallUp(call.id, new.name, new.device, new.extension, call.asked.caller_number, "called"))
    take_place(switch, call, old, new)


def take_place(switch: Switch, call: Call, old: Leg, new: Leg) -> None:
    """Put `new`, a leg of this call already, where `old` is; `old` is let go."""
    other = call.legs.get(old.joined)
    call.part(old)
    if old is call.caller:
        call.transferor = old.device
        call.caller = new
        call.diversions.clear()
        call.asked = Asked("", new.extension or new.number, new.device, new.extension)
        call.shown = routing.caller_id_for(switch.directory, call.asked, ToDevice(device=new.device))
        switch.parking.parked_by(call, old.device)
        if other is None:
            call.resound(old, new)
    if old.answered:
        call.release(old, Cause.NORMAL.status, Cause.NORMAL.q850)
    else:
        call.answered_elsewhere(old.name)
    if other is not None:
        other.engine.stop(other.name)
        call.join(new, other)
    call.review(new)
    if old.name in call.legs and new is not call.caller:
        call.feed(LegReplaced(old.name, new.name))


def move(switch: Switch, leg: Leg, call: Call, to: Call) -> None:
    """Take a leg out of a call into another."""
    del call.legs[leg.name]
    to.legs[leg.name] = leg
    if (serving := call.agents.pop(leg.name, None)) is not None:
        to.agents[leg.name] = serving
    switch.parties.rehouse(leg, to)
    leg.engine.stop(leg.name)


def _leg_of(switch: Switch, wanted: Replaces) -> tuple[Call, Leg] | None:
    session = switch.stack.replaced_session(wanted)
    found = switch.parties.of_session(session)
    return found if found is not None and not found[1].gone else None
