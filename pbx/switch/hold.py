"""Hold: a re-INVITE that stops media puts the other side on music, one that starts it again takes the music away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.callflow.question import Asked
from pbx.callflow.routing import caller_id_for
from pbx.domain.destinations import ToDevice
from pbx.events import CallHeld, CallResumed, HoldRecalled
from pbx.media.engine import NoMediaPort, Silence
from pbx.media.sdp import BadSdp, is_hold
from pbx.sip.session import Session
from pbx.switch import t38
from pbx.switch.dialling import dial_device
from pbx.switch.direct import far_end
from pbx.switch.legs import Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch


def reoffered(switch: Switch, call: Call, leg: Leg, session: Session, sdp: bytes | None) -> None:
    """Answer a re-INVITE: hold, resume or a new address; without an offer we make ours (RFC 3261 §14.2)."""
    now = switch.now.mono
    if sdp is not None and t38.reoffered(switch, call, leg, session, sdp):
        return
    try:
        hold = sdp is not None and is_hold(sdp)
        text = leg.offer() if sdp is None else _answer(call, leg, sdp)
    except BadSdp as error:
        session.reject_reoffer(error.status, now)
        return
    except NoMediaPort:
        session.reject_reoffer(500, now)
        return
    session.accept_reoffer(text, now)
    if sdp is not None:
        _hold(switch, call, leg, hold)
    else:
        leg.bearer.peer = ""
    call.review(leg)


def _answer(call: Call, leg: Leg, sdp: bytes) -> bytes:
    """Answer with our own media; to whom its media went past us, that is news."""
    far = far_end(call, leg, sdp)
    if far is not None:
        return leg.answer_elsewhere(sdp, far)
    text = leg.answer(sdp)
    leg.bearer.peer = ""
    return text


def confirmed(switch: Switch, call: Call, leg: Leg, sdp: bytes | None) -> None:
    """Take the answer an ACK carried; one that is missing or fits no offer ends the call."""
    if leg.gone or (sdp is None and leg.remote is not None):
        call.review(leg)
        return
    try:
        if sdp is None:
            raise BadSdp(488, "an ACK without the answer that was due")
        leg.settle(sdp)
        hold = is_hold(sdp)
    except BadSdp:
        if leg.session is not None:
            leg.session.bye(switch.now.mono, "Q.850;cause=88")
        call.leg_over(leg, 88, "error")
        return
    _hold(switch, call, leg, hold)
    call.review(leg)


def _hold(switch: Switch, call: Call, leg: Leg, hold: bool) -> None:
    """The held party hears the music of whoever holds it: that user's site, else the domain's (F01, F02)."""
    if hold == leg.held:
        return
    leg.held = hold
    other = call.legs.get(leg.joined)
    if hold:
        switch.publish(CallHeld(call.id, leg.name, leg.device))
        if other is not None:
            call.play_to(other, call.music(leg.extension))
            _remind_later(switch, call)
        return
    _stop_recall(call, leg)
    switch.publish(CallResumed(call.id, leg.name, leg.device))
    if other is not None:
        other.sound = None
        other.engine.stop(other.name)


def by_hand(switch: Switch, call: Call, leg: Leg, on: bool) -> None:
    """Hold or resume for a party who does not do it at its phone: that party hears silence meanwhile."""
    if on == leg.held:
        return
    _hold(switch, call, leg, on)
    if on:
        call.play_to(leg, Silence())
    else:
        leg.sound = None
        leg.engine.stop(leg.name)


def overdue(switch: Switch, call: Call) -> None:
    """Ring whoever holds for too long, at the phone it holds with; one that rings for it already has rung in vain."""
    for leg in list(call.legs.values()):
        other = call.legs.get(leg.joined)
        if not leg.held or other is None or not leg.device:
            continue
        if not _stop_recall(call, leg):
            _recall(switch, call, leg, other)
        _remind_later(switch, call)


def _recall(switch: Switch, call: Call, leg: Leg, other: Leg) -> None:
    """The held party calls: it is shown, and who answers has it back."""
    held = Asked("", other.extension or other.number, other.device, other.extension)
    shown = caller_id_for(switch.directory, held, ToDevice(device=leg.device))
    name = dial_device(switch, call, leg.device, shown=shown)
    if name is not None:
        call.legs[name].instead_of = leg.name
        call.publish(HoldRecalled(call.id, leg.name, leg.device))


def _stop_recall(call: Call, leg: Leg) -> bool:
    """Stop ringing for a held party; False when nothing rang."""
    ringing = [other for other in call.legs.values() if other.instead_of == leg.name and not other.gone]
    for other in ringing:
        call.drop(other.name)
    return bool(ringing)


def _remind_later(switch: Switch, call: Call) -> None:
    after_s = switch.directory.domain.platform.hold_recall_s
    if after_s:
        switch.timers.arm(call, "hold", switch.now.mono + after_s)
