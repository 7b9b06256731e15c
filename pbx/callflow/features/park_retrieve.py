"""Fetch a parked party: the slot follows; after a queue's extension, whoever waits longest there."""

from __future__ import annotations

from pbx.callflow.features import Used, moved
from pbx.callflow.keys import ask
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*55"
SLOT_DIGITS = 5
FIRST_KEY_S, NEXT_KEY_S = 8.0, 2.0


def use(call: Control, argument: str) -> Script[Used]:
    slot = argument
    if not slot:
        call.answer()
        slot = yield from ask(call, "which-slot", SLOT_DIGITS, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
    return (yield from moved(call, call.fetch(slot) or call.fetch_waiting(slot), "nobody-parked"))
