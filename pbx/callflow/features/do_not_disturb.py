"""Do not disturb: nobody rings the caller's phones; callers go where its rules send them."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*78"


def use(call: Control, argument: str) -> Script[Used]:
    call.set_own(replace(call.own_settings(), do_not_disturb=True))
    return (yield from said(call, "do-not-disturb-on"))
