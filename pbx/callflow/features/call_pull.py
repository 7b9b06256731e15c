"""Pull: the conversation on another phone of the caller's goes on at this one."""

from __future__ import annotations

from pbx.callflow.features import Used, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*44"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from moved(call, call.pull(), "no-call-to-pull"))
