"""Own pickup: the call that rings at another phone of the caller's."""

from __future__ import annotations

from pbx.callflow.features import Used, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*38"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from moved(call, call.pick_up({call.asked.caller_extension}), "no-call-rings"))
