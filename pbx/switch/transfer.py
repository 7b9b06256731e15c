"""Transfer: REFER → 202, the transferor is told and leaves, the other party goes on (RFC 3515, F03).

Blind here; a target that names a call to join is an attended one (`replacing`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pbx.callflow import routing
from pbx.callflow.question import Asked
from pbx.callflow.vocabulary import TransferAsked
from pbx.domain.destinations import Cause, HangUp, ToDevice, ToFeature, ToPark
from pbx.domain.sounds import Prompts
from pbx.events import CallTransferred
from pbx.sip.referral import Referrer
from pbx.sip.replaces import parse_replaces, replaces_in
from pbx.sip.uri import BadUri, parse_uri
from pbx.switch.legs import Leg
from pbx.switch.replacing import transfer_attended

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

_TYPED = re.compile(r"\*98([0-9]{3,16})#$")


def referred(switch: Switch, call: Call, leg: Leg, referrer: Referrer, target: str) -> None:
    """Take a REFER of a party that talks to another; where it leads is decided by what the transferor may call."""
    now = switch.now.mono
    try:
        uri = parse_uri(target)
    except BadUri:
        referrer.reject_refer(400, now)
        return
    replaces = replaces_in(uri.headers)
    if replaces is not None:
        wanted = parse_replaces(replaces)
        if wanted is None:
            referrer.reject_refer(400, now)
        else:
            transfer_attended(switch, call, leg, referrer, wanted)
        return
    if not (leg.joined and leg.answered and uri.user):
        referrer.reject_refer(603, now)
        return
    asked = Asked(uri.user, leg.extension or leg.number, leg.device, leg.extension)
    route = routing.route(switch.directory, asked, switch.presence(call), switch.hour)
    if isinstance(route.destination, ToFeature):  # it would be used in the name of whoever is transferred
        referrer.reject_refer(603, now)
        return
    referrer.accept_refer(now)
    if isinstance(route.destination, ToPark) and not switch.parking.free(route.destination.slot, switch.directory):
        referrer.notify_refer("SIP/2.0 486 Busy Here", True, now)
        return
    referrer.notify_refer("SIP/2.0 100 Trying", False, now)
    leg.referrer = referrer
    call.routed(route.destination.label, route.record.to_json())
    call.come_home()
    call.feed(TransferAsked(call.name_of(leg), route.destination, uri.user))


def typed_target(leg: Leg) -> str | None:
    """Return whom the newest keys of a leg transfer the other party to: `*98`, a number and `#`, or `*99`, oneself."""
    if found := _TYPED.search(leg.typed):
        return found[1]
    return leg.extension if leg.extension and leg.typed.endswith("*99") else None


def transfer_by_keys(switch: Switch, call: Call, leg: Leg, target: str) -> None:
    """A blind transfer without a REFER; who may not call there, or nobody, stays with its caller and is told."""
    if not transfer_by_hand(switch, call, leg, target):
        call.play_to(leg, Prompts(("transfer-failed",)))


def transfer_by_hand(switch: Switch, call: Call, leg: Leg, target: str) -> bool:
    """A blind transfer without a REFER; False when its owner may not call there, or nobody is there."""
    asked = Asked(target, leg.extension or leg.number, leg.device, leg.extension)
    route = routing.route(switch.directory, asked, switch.presence(call), switch.hour)
    destination = route.destination
    taken = isinstance(destination, ToPark) and not switch.parking.free(destination.slot, switch.directory)
    if not leg.extension or taken or isinstance(destination, ToFeature | HangUp):
        return False
    call.routed(destination.label, route.record.to_json())
    call.come_home()
    call.feed(TransferAsked(call.name_of(leg), destination, target))
    return True


def hand_over(switch: Switch, call: Call, leaving: Leg, target: str) -> None:
    """Let the transferor go; whoever it talked to is the caller from now on, with an own identity and permissions."""
    staying = call.legs[leaving.joined]
    call.part(leaving)
    staying.engine.stop(staying.name)
    if leaving is call.caller:
        call.caller = staying
        call.diversions.clear()
        call.asked = Asked("", staying.extension or staying.number, staying.device, staying.extension)
        call.shown = routing.caller_id_for(switch.directory, call.asked, ToDevice(device=staying.device))
    if leaving.referrer is not None:
        leaving.referrer.notify_refer("SIP/2.0 200 OK", True, switch.now.mono)
    call.transferor = leaving.device
    call.publish(CallTransferred(call.id, leaving.name, leaving.device, target, "blind"))
    call.release(leaving, Cause.NORMAL.status, Cause.NORMAL.q850)
