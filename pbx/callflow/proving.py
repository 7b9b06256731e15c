"""Calls that are made once a PIN was entered (5003, `*48`, `*49`).

That these codes exist, and ask for a PIN or an extension, is documented (docs.threepbx.com/52103 and 52104); which PIN
that is, and that `*49` asks for one as well, is our reading of it.
"""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.keys import END_KEY, key
from pbx.callflow.pins import admit
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.dialplan import is_always_taken
from pbx.domain.sounds import Tone

MOST_DIGITS = 24
FIRST_KEY_S, NEXT_KEY_S = 10.0, 4.0


def dial_on(call: Control, extension: str, number: str) -> Script[Used]:
    """Ask for the PIN of `extension`, or for both, and call `number` in its name; without one a dial tone asks for it.

    Emergency waits for no PIN.
    """
    if number and is_always_taken(number):
        return Used(True, call.dial(number))
    call.answer()
    user = yield from admit(call, extension)
    if user is None:
        return Used(False)
    call.prove(user.extension)
    number = number or (yield from _second_dial_tone(call))
    return Used(True, call.dial(number)) if number else Used(False)


def _second_dial_tone(call: Control) -> Script[str]:
    """Return the keys pressed at a dial tone, up to a pause or the end key; the first silences it."""
    call.play(Tone("dial"))
    entered, pressed = "", (yield from key(FIRST_KEY_S))
    call.stop()
    while pressed and pressed != END_KEY and len(entered) < MOST_DIGITS:
        entered += pressed
        pressed = yield from key(NEXT_KEY_S)
    return entered
