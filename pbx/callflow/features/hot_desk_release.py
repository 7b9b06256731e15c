"""Hot desk, log out: the PIN of whoever is logged in here is asked for."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.pins import admit
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*46"


def use(call: Control, argument: str) -> Script[Used]:
    desk = call.directory.devices_by_id.get(call.asked.caller_device)
    if desk is None or desk.extension == desk.home:
        return (yield from said(call, "desk-nobody", done=False))
    call.answer()
    if (yield from admit(call, desk.extension)) is None:
        return Used(False)
    call.take_desk(desk.home)
    return (yield from said(call, "desk-free"))
