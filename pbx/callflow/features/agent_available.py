"""Agent available: the caller is logged in to every queue it serves."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.queues import AgentStatus

CODE = "*88"


def use(call: Control, argument: str) -> Script[Used]:
    call.answer()
    served = call.set_own_status(AgentStatus.AVAILABLE)
    yield from say(call, "agent-available" if served else "agent-of-no-queue")
    return Used(bool(served))
