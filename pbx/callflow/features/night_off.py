"""Night mode off: the domain's night frame covers no moment from now on."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.night import switch_night
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*75"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from switch_night(call, "off"))
