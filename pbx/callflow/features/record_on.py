"""Record: pressed in a conversation, or dialled from another phone or line of the user who talks."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*80"


def use(call: Control, argument: str) -> Script[Used]:
    done = call.record_own(True)
    return (yield from said(call, "recording-on" if done else "recording-refused", done=done))
