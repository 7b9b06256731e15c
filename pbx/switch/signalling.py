"""What SIP says inside a call, as call events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import LegAnswered, LegEarlyMedia, LegRang, LegRefused
from pbx.events import CallEarly, CallRinging, CallUp, LegFailed
from pbx.media.info import info_digit
from pbx.media.sdp import BadSdp
from pbx.sip.message import Response
from pbx.sip.session import Session
from pbx.sip.sip_events import (
    Answered,
    Cancelled,
    CommandAnswered,
    Confirmed,
    Ended,
    InfoReceived,
    Progress,
    ReferReceived,
    Rejected,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
    SipEvent,
)
from pbx.sip.uri import BadUri, parse_name_addr
from pbx.switch import direct, t38
from pbx.switch.calls import Call
from pbx.switch.hold import confirmed, reoffered
from pbx.switch.keys import pressed
from pbx.switch.legs import Leg
from pbx.switch.replacing import take_place
from pbx.switch.transfer import referred

if TYPE_CHECKING:
    from pbx.switch.switch import Switch

CALLER_GAVE_UP = 16


def session_event(switch: Switch, call: Call, leg: Leg, session: Session, event: SipEvent) -> None:
    match event:
        case Progress(status=status, sdp=sdp):
            _progress(switch, call, leg, session, status, sdp)
        case Answered(sdp=sdp):
            _answered(switch, call, leg, session, sdp)
        case Rejected(status=status) if switch.trunks.goes_on(call, leg, status):
            pass
        case Rejected(status=status, reason=reason, response=response):
            _failed(call, leg, status, reason, _moved_to(response) if 300 <= status < 400 else "")
        case Confirmed(sdp=sdp):
            confirmed(switch, call, leg, sdp)
        case Cancelled():
            call.leg_over(leg, CALLER_GAVE_UP, "peer")
        case Ended(by=by, cause=cause):
            call.leg_over(leg, cause, "peer" if by == "peer" else "error")
        case ReofferReceived(sdp=sdp):
            reoffered(switch, call, leg, session, sdp)
        case ReofferAnswered(sdp=sdp) if leg.turning is not None:
            t38.answered(switch, call, leg, sdp)
        case ReofferRejected(status=status) if leg.turning is not None:
            t38.rejected(switch, call, leg, status)
        case ReofferAnswered(sdp=sdp):
            direct.answered(switch, call, leg, sdp)
        case ReofferRejected(status=status):
            direct.rejected(switch, call, leg, status)
        case InfoReceived(content_type=kind, body=body):
            digit = info_digit(kind, body)
            if digit:
                pressed(call, leg, digit, "info")
        case CommandAnswered(command=command, status=status):
            switch.phones.commanded(leg.device, command, status)
        case ReferReceived(target_uri=target):
            referred(switch, call, leg, session, target)
        case _:
            pass


def _progress(switch: Switch, call: Call, leg: Leg, session: Session, status: int, sdp: bytes | None) -> None:
    if leg.gone:
        return
    switch.trunks.heard(leg)
    if status in (180, 183) and not leg.rang:
        leg.rang = True
        shown = session.local
        call.publish(CallRinging(call.id, leg.name, leg.device, leg.extension, shown.user.lstrip("+"), shown.display))
    if sdp is None or leg.remote is not None:
        call.feed(LegRang(leg.name))
        return
    try:
        leg.settle(sdp)
    except BadSdp:
        return  # its 200 will tell
    leg.engine.listen(leg.name)  # what a network says of a call that does not come up, it says as a tone
    call.publish(CallEarly(call.id, leg.name, leg.device))
    call.feed(LegEarlyMedia(leg.name))


def _answered(switch: Switch, call: Call, leg: Leg, session: Session, sdp: bytes | None) -> None:
    now = switch.now.mono
    if leg.gone:
        session.bye(now)
        return
    try:
        if sdp is not None:
            leg.settle(sdp)
        elif leg.remote is None:
            raise BadSdp(488, "a 200 without an answer")
    except BadSdp as error:
        session.bye(now, "Q.850;cause=88")
        _failed(call, leg, 488, str(error)[:60])
        return
    switch.trunks.heard(leg)
    leg.answered = True
    shown = session.local.user.lstrip("+")
    call.publish(CallUp(call.id, leg.name, leg.device, leg.extension, shown, "called"))
    old = call.legs.get(leg.instead_of)
    if old is not None and not old.gone:
        take_place(switch, call, old, leg)
    call.feed(LegAnswered(leg.name))


def _moved_to(response: Response | None) -> str:
    """Return the user part of the first Contact of a 3xx (RFC 3261 §8.1.3.4), empty when there is none to call."""
    for contact in response.tokens("Contact") if response is not None else ():
        try:
            return parse_name_addr(contact).user
        except BadUri:
            continue
    return ""


def _failed(call: Call, leg: Leg, status: int, reason: str, moved_to: str = "") -> None:
    if leg.gone:
        return
    call.publish(LegFailed(call.id, leg.name, leg.device, leg.extension, status, reason))
    call.leg_failed(leg)
    call.feed(LegRefused(leg.name, status, moved_to))
