"""Undisturbed call: the number follows; while the call lasts no other knocks."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*70"


def use(call: Control, argument: str) -> Script[Used]:
    if not argument:
        return (yield from said(call, "not-in-service", done=False))
    call.undisturbed()
    return Used(True, call.dial(argument))
