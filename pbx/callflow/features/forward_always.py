"""Forward all calls: the number follows, or is asked for."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.forwarding import set_forward
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*72"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from set_forward(call, "always", argument))
