"""Recording a prompt by telephone: speak, hear it, keep it or do it again."""

from __future__ import annotations

from pbx.callflow.keys import key
from pbx.callflow.question import Ringing
from pbx.callflow.recording import recorded
from pbx.callflow.ring import Outcome, ring
from pbx.callflow.script import Script
from pbx.callflow.speech import beep, play_until_key, say
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Cause, ToDevice
from pbx.domain.kept import KeptPrompt
from pbx.domain.sounds import Prompts, Recording
from pbx.events import PromptKept

KEEP, AGAIN = "1", "2"
SILENCE_S = 4.0
SHORTEST_S = 0.5
TRIES = 5
_CHOICE_S = 8.0


LONGEST_S = 300.0
_RING_S = 30.0


def ring_and_record(call: Control, extension: str, owner: str, name: str) -> Script[None]:
    """Ring the phones of an extension, and record with whoever answers."""
    devices = call.directory.devices_by_extension.get(extension, ())
    rung = yield from ring(call, [Ringing(ToDevice(device=device.id)) for device in devices], _RING_S, quiet=True)
    if rung.outcome is Outcome.ANSWERED:
        call.seat(rung.leg)
        yield from record_prompt(call, owner, name, max_s=LONGEST_S)
        yield from say(call, "goodbye")
    call.hang_up(Cause.NORMAL)


def record_prompt(call: Control, owner: str, name: str, *, max_s: float) -> Script[bool]:
    """Record until the caller keeps one; True when that was so. `owner` is a mailbox, or empty for the domain."""
    for _ in range(TRIES):
        yield from say(call, "record-after-tone")
        yield from beep(call)
        call.record_draft(max_s=max_s, silence_s=SILENCE_S)
        ended = yield from recorded(max_s)
        if ended is None:
            return False
        if ended.seconds < SHORTEST_S:
            call.discard(ended.recording)
            yield from say(call, "vm-too-short")
            continue
        pressed = yield from play_until_key(call, Prompts((Recording(ended.recording), "keep-recording")))
        pressed = pressed or (yield from key(_CHOICE_S))
        if pressed == KEEP:
            at = call.wall.timestamp()
            call.keep_prompt(KeptPrompt(owner, name, ended.recording, ended.seconds, "call", at=at))
            call.publish(PromptKept(call.id, owner, name, "call", ended.seconds))
            yield from say(call, "recording-kept")
            return True
        call.discard(ended.recording)
        if pressed != AGAIN:
            return False
    return False
