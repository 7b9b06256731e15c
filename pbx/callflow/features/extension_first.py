"""Extension first: the number follows; an extension and its PIN are asked for, in whose name it is then called."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.proving import dial_on
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*49"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from dial_on(call, "", argument))
