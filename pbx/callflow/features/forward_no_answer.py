"""Forward when unanswered, on: to the number set last, unless another follows."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.forwarding import resume_forward
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*92"


def use(call: Control, argument: str) -> Script[Used]:
    return (yield from resume_forward(call, "no answer", argument))
