"""Fax machines of the house: one answers for an account's numbers, one calls with what is to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.callflow.external import RING_S
from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring
from pbx.callflow.script import Script, Wait, until
from pbx.callflow.vocabulary import Control, FaxOver, LegAnswered, LegRefused
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice, ToExternal, ToUser
from pbx.domain.history import Fax

LONGEST_S = 3600.0
"""A hundred pages at 4,800 bit/s: longer than that nobody sends."""
LINGER_S, PATIENCE_S = 1.0, 6.0
"""The last word of a machine is still on its way when it has said it; who has received lets the sender go first."""


def receive_fax(call: Control, account: str) -> Script[Destination | None]:
    """Answer and take what comes; the account learns what it was."""
    if account not in call.directory.fax_accounts_by_name:
        return HangUp(cause=Cause.NOT_FOUND)
    if not call.can_fax:
        call.fax_refused(account)
        return HangUp(cause=Cause.UNAVAILABLE)
    call.expect_fax()
    call.answer()
    call.receive_fax(account)
    yield until(FaxOver, within_s=LONGEST_S)
    yield _a_moment(PATIENCE_S)
    return HangUp(cause=Cause.NORMAL)


def send_fax(call: Control, fax: Fax) -> Script[None]:
    """Call the far end and send; what became of it is told once, by the machine or, when nobody answers, here."""
    reached = _Reached(problem="the call was ended before anybody answered")
    try:
        reached = yield from _far_end(call, fax)
    finally:
        if not reached.leg:
            call.not_sent(fax, reached.problem, again=reached.again)
    if reached.leg:
        call.seat(reached.leg)
        call.send_fax(fax)
        yield until(FaxOver, within_s=LONGEST_S)
        yield _a_moment(LINGER_S)
    call.hang_up(Cause.NORMAL)


@dataclass(frozen=True, slots=True)
class _Reached:
    """The leg that has answered, or why there is none and whether there may be one later."""

    leg: str = ""
    problem: str = ""
    again: bool = True


_REFUSED = {486: "busy", 600: "busy", 480: "nobody answered", 408: "nobody answered", 503: "no circuit is free"}
_FOR_GOOD = {404: "there is no such number", 410: "the number was changed", 604: "there is no such number"}


def _far_end(call: Control, fax: Fax) -> Script[_Reached]:
    own = fax.number in call.directory.numbers_by_digits
    destination = call.look_up(fax.number) if own else ToExternal(number=fax.number)
    match destination:
        case ToExternal(number=number):
            return (yield from _rung(call, call.dial_number(number)))
        case ToUser(extension=extension):
            devices = [device.id for device in call.directory.devices_by_extension.get(extension, ())]
        case ToDevice(device=device):
            devices = [device]
        case _:
            return _Reached(problem=f"no fax machine is at {destination.label}", again=False)
    rung = yield from ring(call, [Ringing(ToDevice(device=device)) for device in devices], RING_S, quiet=True)
    if rung.outcome is Outcome.ANSWERED:
        return _Reached(rung.leg)
    return _Reached(problem="busy" if rung.outcome is Outcome.BUSY else "nobody answered")


def _rung(call: Control, leg: str | None) -> Script[_Reached]:
    if leg is None:
        return _Reached(problem="there is no way out now")
    news = yield until(LegAnswered, LegRefused, within_s=RING_S, where=lambda event: event.leg == leg)
    match news:
        case LegAnswered():
            return _Reached(leg)
        case LegRefused(status=status) if status in _FOR_GOOD:
            return _Reached(problem=_FOR_GOOD[status], again=False)
        case LegRefused(status=status):
            return _Reached(problem=_REFUSED.get(status, f"the far end refused with {status}"))
        case _:
            call.drop(leg)
            return _Reached(problem="nobody answered")


def _a_moment(seconds: float) -> Wait:
    return Wait(lambda event: False, seconds)
