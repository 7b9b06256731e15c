"""Call screening: the caller says a name, which whoever answers hears before taking or refusing the call."""

from __future__ import annotations

from pbx.callflow.recording import recorded
from pbx.callflow.script import Script
from pbx.callflow.speech import beep, say
from pbx.callflow.vocabulary import Control
from pbx.domain.sounds import Prompts, Recording, Spoken
from pbx.events import CallScreened

NAME_S, SILENCE_S = 6.0, 2.0
SHORTEST_S = 0.3


def ask_for_name(call: Control, extension: str) -> Script[Prompts]:
    """Record the caller's name; return what whoever answers is asked. Who says nothing is announced as nobody."""
    call.answer()
    name: Spoken = "screen-nobody"
    if call.can_record:
        yield from say(call, "screen-name")
        yield from beep(call)
        call.record_draft(max_s=NAME_S, silence_s=SILENCE_S)
        ended = yield from recorded(NAME_S)
        if ended is not None and ended.seconds >= SHORTEST_S:
            name = Recording(ended.recording, instead="screen-nobody")
    call.publish(CallScreened(call.id, extension, isinstance(name, Recording)))
    return Prompts(("screen-call-from", name, "screen-choice"), repeat=True)
