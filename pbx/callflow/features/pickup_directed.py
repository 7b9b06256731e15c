"""Directed pickup: the extension that rings follows; after a queue's extension, a call that rings its agents."""

from __future__ import annotations

from pbx.callflow.features import Used, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*35"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from moved(call, call.pick_up({argument}), "no-call-rings"))
