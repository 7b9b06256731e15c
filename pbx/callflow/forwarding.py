"""Forwards set at the telephone: on with a target that was dialled, asked for or set before; off, the target kept."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.keys import ask
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Destination, ToAttendant, ToExternal, ToMailbox, ToPark, ToQueue, ToUser
from pbx.domain.own_settings import Kind

MOST_DIGITS = 16
FIRST_KEY_S, NEXT_KEY_S = 8.0, 3.0
_MAY_TAKE = (ToUser, ToQueue, ToAttendant, ToMailbox, ToPark, ToExternal)


def set_forward(call: Control, kind: Kind, argument: str) -> Script[Used]:
    """Forward to what was dialled after the code, or is entered now."""
    digits = argument
    if not digits:
        call.answer()
        digits = yield from ask(call, "forward-to", MOST_DIGITS, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
    destination = call.look_up(digits) if digits else None
    if destination is None or not _may_take(call, destination):
        return (yield from said(call, "forwarding-unknown", done=False))
    call.set_own(call.own_settings().forwarding(kind, destination.label.replace(":", " ", 1), on=True))
    return (yield from said(call, "forwarding-on"))


def resume_forward(call: Control, kind: Kind, argument: str) -> Script[Used]:
    """Forward to what was dialled, else to where it led last, else to what is entered now."""
    known = call.own_settings().target(kind)
    if argument or not known:
        return (yield from set_forward(call, kind, argument))
    call.set_own(call.own_settings().forwarding(kind, known, on=True))
    return (yield from said(call, "forwarding-on"))


def stop_forward(call: Control, kind: Kind) -> Script[Used]:
    own = call.own_settings()
    call.set_own(own.forwarding(kind, own.target(kind), on=False))
    return (yield from said(call, "forwarding-off"))


def _may_take(call: Control, destination: Destination) -> bool:
    return isinstance(destination, _MAY_TAKE) and destination != ToUser(extension=call.asked.caller_extension)
