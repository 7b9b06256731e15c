"""A call that somebody places who is at no phone yet: the own phones ring first, then the other side is called."""

from __future__ import annotations

from pbx.callflow.itinerary import travel
from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Cause, ToDevice

RING_S = 30.0
"""How long the own phones ring."""


def ring_and_dial(call: Control, devices: tuple[str, ...], number: str, *, hands_free: bool) -> Script[None]:
    """Ring devices of one user; whoever answers is the caller from then on, and dials `number`."""
    targets = [Ringing(ToDevice(device=device), hands_free=hands_free) for device in devices]
    rung = yield from ring(call, targets, RING_S, quiet=True)
    if rung.outcome is not Outcome.ANSWERED:
        call.hang_up(Cause.NO_ANSWER)
        return
    call.seat(rung.leg)
    yield from travel(call, call.dial(number))
