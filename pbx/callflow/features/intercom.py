"""Intercom: the extension follows (or 99 before it); its phone answers by itself, after a beep both talk."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring, talk
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import Control, LegGone
from pbx.domain.destinations import ToDevice
from pbx.domain.sounds import BEEP_S, Tone
from pbx.events import IntercomOpened

CODE = "*50"
RING_S = 25.0
"""A phone that does not answer by itself rings."""


def use(call: Control, argument: str) -> Script[Used]:
    phones = [Ringing(ToDevice(device=device), hands_free=True) for device in call.idle_phones(argument)]
    if not phones or argument == call.asked.caller_extension:
        return (yield from said(call, "not-available", done=False))
    rung = yield from ring(call, phones, RING_S)
    if rung.outcome is not Outcome.ANSWERED:
        return (yield from said(call, "not-available", done=False))
    call.tell(rung.leg, Tone("beep"))
    gone = yield until(LegGone, within_s=BEEP_S, where=lambda event: event.leg == rung.leg)
    if isinstance(gone, LegGone):
        return Used(True)
    device = rung.target.device if isinstance(rung.target, ToDevice) else ""
    call.publish(IntercomOpened(call.id, rung.leg, device, argument))
    return Used(True, (yield from talk(call, rung.leg)))
