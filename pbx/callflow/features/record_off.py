"""Record, off: pressed in the conversation, or dialled as for on."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*81"


def use(call: Control, argument: str) -> Script[Used]:
    done = call.record_own(False)
    return (yield from said(call, "recording-off" if done else "recording-refused", done=done))
