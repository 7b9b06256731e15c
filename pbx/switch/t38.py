"""T.38 by re-INVITE: we offer it where a fax machine of ours has heard another; between two parties it is passed on.

Who asks for it, or for sound again, waits for what the other says: both turn, or neither does (the answer is 488, and
the fax goes on over G.711).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.events import FaxStayed, FaxTurned
from pbx.media.engine import Capability, NoMediaPort
from pbx.media.fax.sdp import FaxDescription, read_fax
from pbx.media.sdp import BadSdp
from pbx.sip.dialog import Phase
from pbx.sip.session import Session
from pbx.switch.legs import Leg, Turn

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

_GLARE_S = {"uac": 3.0, "uas": 1.0}
"""After a 491 (RFC 3261 §14.1)."""
_BUSY_S = 0.5
"""Another offer is open, or our 200 is not confirmed yet."""
_OUR_LIMIT = 6
NOT_ACCEPTABLE, PENDING = 488, 491


def offer(switch: Switch, call: Call, leg: Leg) -> None:
    """Ask a leg's far end for T.38, where a machine of ours has it; later, while that cannot be."""
    session = leg.session
    if leg.gone or not leg.wants_t38 or session is None or leg.is_fax:
        return
    if leg.turning is not None or not _is_free(session):
        switch.timers.arm(call, "fax", switch.now.mono + _BUSY_S)
        return
    leg.t38_offers += 1
    if leg.t38_offers > _OUR_LIMIT:
        return
    leg.turning = Turn()
    session.reoffer(leg.offer_fax(), switch.now.mono)


def reoffered(switch: Switch, call: Call, leg: Leg, session: Session, sdp: bytes) -> bool:
    """Serve a re-INVITE that is about fax: one that asks for T.38, or for sound after it. False for any other."""
    try:
        fax = read_fax(sdp)
    except BadSdp as error:
        session.reject_reoffer(error.status, switch.now.mono)
        return True
    if fax is None and not leg.is_fax:
        return False
    other = call.legs.get(leg.joined)
    if fax is not None and (leg.is_fax or (leg.has_machine and not leg.joined)):
        _answer(switch, call, leg, session, fax)
    elif fax is None and (leg.has_machine or other is None):
        return False
    elif Capability.FAX not in leg.engine.capabilities or other is None or other.session is None:
        session.reject_reoffer(NOT_ACCEPTABLE, switch.now.mono)
    elif not other.answered or other.turning is not None or not _is_free(other.session):
        session.reject_reoffer(PENDING, switch.now.mono)
    else:
        _pass_on(switch, leg, session, other, other.session, fax)
    return True


def answered(switch: Switch, call: Call, leg: Leg, sdp: bytes | None) -> None:
    """Take the answer to an offer of T.38, or of sound after it."""
    turn, leg.turning = leg.turning, None
    asker = call.legs.get(turn.asker) if turn is not None else None
    if leg.gone or turn is None:
        return
    try:
        if sdp is None:
            raise BadSdp(NOT_ACCEPTABLE, "a 200 without the answer that was due")
        leg.settle(sdp)
    except BadSdp:
        _not_turned(switch, call, leg, asker, NOT_ACCEPTABLE)
        _back_to_sound(switch, leg)
        return
    leg.bearer.peer = ""
    _tell(call, leg, asker.party if asker is not None else "switch")
    if asker is not None and asker.session is not None and not asker.gone:
        _answer_asker(switch, call, asker, asker.session, leg)
    call.review(leg)


def rejected(switch: Switch, call: Call, leg: Leg, status: int) -> None:
    """An offer of T.38, or of sound after it, was refused; one of ours that crossed another is made again."""
    turn, leg.turning = leg.turning, None
    if leg.gone or turn is None or leg.session is None:
        return
    if status == PENDING and not turn.asker:
        switch.timers.arm(call, "fax", switch.now.mono + _GLARE_S[leg.session.role])
        return
    _not_turned(switch, call, leg, call.legs.get(turn.asker), status)


def _answer(switch: Switch, call: Call, leg: Leg, session: Session, fax: FaxDescription) -> None:
    """Take T.38 by ourselves: for a machine of ours, or from who has it already."""
    was_fax = leg.is_fax
    try:
        session.accept_reoffer(leg.answer_fax(fax), switch.now.mono)
    except (BadSdp, NoMediaPort) as error:
        session.reject_reoffer(error.status if isinstance(error, BadSdp) else 500, switch.now.mono)
        return
    if not was_fax:
        _tell(call, leg, leg.party)


def _pass_on(switch: Switch, leg: Leg, session: Session, other: Leg, its: Session, fax: FaxDescription | None) -> None:
    try:
        if fax is not None and not fax.port:
            raise BadSdp(NOT_ACCEPTABLE, "no stream is left")
        offered = other.offer_fax(fax.t38) if fax is not None else other.offer(leg)
    except (BadSdp, NoMediaPort):
        session.reject_reoffer(NOT_ACCEPTABLE, switch.now.mono)
        return
    other.turning = Turn(leg.name)
    its.reoffer(offered, switch.now.mono)


def _answer_asker(switch: Switch, call: Call, asker: Leg, session: Session, like: Leg) -> None:
    """The other party has turned: so does who asked."""
    offered = session.remote_sdp
    now = switch.now.mono
    try:
        fax = read_fax(offered) if offered is not None else None
        limits = like.remote.fax if like.remote is not None else None
        if fax is not None and limits is not None:
            text = asker.answer_fax(fax, limits)
        elif fax is None and limits is None and offered is not None:
            text = asker.answer(offered, like)
        else:
            raise BadSdp(NOT_ACCEPTABLE, "only one of both turned")
    except (BadSdp, NoMediaPort):
        session.reject_reoffer(NOT_ACCEPTABLE, now)
        _back_to_sound(switch, like)
        return
    asker.bearer.peer = ""
    session.accept_reoffer(text, now)
    _tell(call, asker, asker.party)


def _not_turned(switch: Switch, call: Call, leg: Leg, asker: Leg | None, status: int) -> None:
    call.publish(FaxStayed(call.id, leg.name, leg.party, status))
    if asker is not None and asker.session is not None and not asker.gone:
        asker.session.reject_reoffer(PENDING if status == PENDING else NOT_ACCEPTABLE, switch.now.mono)


def _back_to_sound(switch: Switch, leg: Leg) -> None:
    """It took the re-INVITE and not the fax: its stream is gone, so it is offered sound again."""
    if leg.session is not None and leg.session.phase is Phase.UP:
        leg.turning = Turn()
        leg.wants_t38 = False
        leg.session.reoffer(leg.offer(), switch.now.mono)


def _tell(call: Call, leg: Leg, by: str) -> None:
    over = "T.38" if leg.is_fax else "G.711"
    call.publish(FaxTurned(call.id, leg.name, leg.party, over, by))


def _is_free(session: Session) -> bool:
    """No other offer is open in its dialog."""
    return not (
        session.phase is not Phase.UP
        or session.reoffering
        or session.reoffer_received is not None
        or session.awaits_ack
    )
