"""Hot desk: extension and PIN are asked for; where it is a hot desk, the telephone is that user's from then on."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.pins import admit
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "5002"


def use(call: Control, argument: str) -> Script[Used]:
    desk = call.directory.devices_by_id.get(call.asked.caller_device)
    if desk is None or not desk.hot_desk:
        return (yield from said(call, "desk-none", done=False))
    call.answer()
    user = yield from admit(call, "")
    if user is None:
        return Used(False)
    call.take_desk(user.extension)
    return (yield from said(call, "desk-yours"))
