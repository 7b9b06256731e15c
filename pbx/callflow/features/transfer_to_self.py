"""Transfer to oneself: pressed in a conversation; all phones of the user ring."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*99"


def use(call: Control, argument: str) -> Script[Used]:
    """Dialled beside a conversation it has nothing to transfer."""
    return (yield from said(call, "press-in-call", done=False))
