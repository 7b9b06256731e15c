"""Do not disturb, off: the caller's phones ring again."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*79"


def use(call: Control, argument: str) -> Script[Used]:
    call.set_own(replace(call.own_settings(), do_not_disturb=False))
    return (yield from said(call, "do-not-disturb-off"))
