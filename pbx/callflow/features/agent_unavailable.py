"""Agent unavailable: the caller is logged out of every queue it serves; calls it has go on."""

from __future__ import annotations

from pbx.callflow.features import Used
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.queues import AgentStatus

CODE = "*89"


def use(call: Control, argument: str) -> Script[Used]:
    call.answer()
    served = call.set_own_status(AgentStatus.LOGGED_OUT)
    yield from say(call, "agent-unavailable" if served else "agent-of-no-queue")
    return Used(bool(served))
