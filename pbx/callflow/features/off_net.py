"""Off-net: the number follows; out through the carrier even where the domain has it itself."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*66"


def use(call: Control, argument: str) -> Script[Used]:
    if not argument:
        return (yield from said(call, "not-in-service", done=False))
    return Used(True, call.dial_off_net(argument))
