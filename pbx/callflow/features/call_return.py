"""Call return: whoever called last is called."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*69"


def use(call: Control, argument: str) -> Script[Used]:
    number = call.last_caller()
    if not number:
        return (yield from said(call, "nobody-called", done=False))
    return Used(True, call.dial(number))
