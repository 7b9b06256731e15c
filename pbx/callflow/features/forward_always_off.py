"""Forward all calls, off: the number is kept."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.forwarding import stop_forward
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*73"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from stop_forward(call, "always"))
