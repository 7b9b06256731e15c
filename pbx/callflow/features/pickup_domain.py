"""Domain pickup: the call that rings longest at anybody's phone."""

from __future__ import annotations

from pbx.callflow.features import Used, colleagues, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*36"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from moved(call, call.pick_up(colleagues(call, call.directory.users)), "no-call-rings"))
