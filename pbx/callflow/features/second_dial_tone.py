"""Second dial tone: the PIN of the telephone's user is asked for, then the number; for telephones anybody passes."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.proving import dial_on
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "5003"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from dial_on(call, call.asked.caller_extension, ""))
