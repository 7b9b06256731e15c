"""Leaving a message: greeting, beep, the recording, and what the caller makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.callflow.keys import key
from pbx.callflow.recording import recorded
from pbx.callflow.script import Script
from pbx.callflow.speech import beep, play_until_key, say
from pbx.callflow.vocabulary import Control, Recorded
from pbx.callflow.voicemail.room import room_s
from pbx.domain.destinations import Cause, Destination, HangUp, ToMailboxLogin
from pbx.domain.mailboxes import Mailbox
from pbx.domain.sounds import Prompts, Recording, spoken_digits
from pbx.events import VoicemailDropped, VoicemailGreeted

OWNER_KEY = "*"
"""While the greeting plays: whoever has the PIN is let in to listen."""
HEAR, AGAIN = "2", "3"
TRIES = 3
_REVIEW_S = 5.0


def leave_message(call: Control, box: str) -> Script[Destination | None]:
    """Greet, beep, record; the message is delivered also when the caller just hangs up. A key skips the greeting.

    One who ends it with # may hear it, or record again. What is too short is not kept.
    """
    if not call.can_record:
        return (yield from _no_message(call))
    call.answer()
    call.publish(VoicemailGreeted(call.id, box))
    limits = _limits(call, box)
    if limits.room_s < max(1.0, limits.shortest_s):
        call.box_full(box)
        yield from say(call, "vm-full", "goodbye")
        return HangUp(cause=Cause.NORMAL)
    pressed = yield from play_until_key(call, greeting(call, box))
    if pressed == OWNER_KEY:
        return ToMailboxLogin(extension=box)
    for _ in range(TRIES):
        if not (yield from _record(call, box, limits)):
            break
    yield from say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def greeting(call: Control, box: str) -> Prompts:
    """Return what callers hear: the greeting the owner chose, else the generic one, with the recorded name if any."""
    own = call.prompts(box)
    chosen = own.get(str(call.box(box).greeting))
    if chosen is not None:
        return Prompts((Recording(chosen.recording, instead="vm-leave-message"),))
    if name := own.get("name"):
        return Prompts((Recording(name.recording, instead="vm-the-person"), "vm-not-available"))
    return Prompts(("vm-greeting", *spoken_digits(box), "vm-not-available"))


@dataclass(frozen=True, slots=True)
class _Limits:
    longest_s: float
    shortest_s: float
    silence_s: float
    room_s: float


def _limits(call: Control, box: str) -> _Limits:
    user = call.directory.users_by_extension.get(box)
    it = user.mailbox if user is not None else Mailbox()
    room = room_s(it, call.messages(box), call.prompts(box).values())
    longest_s = min(it.max_message_s, room)
    return _Limits(longest_s, it.min_message_s, it.silence_s or longest_s, room)


def _record(call: Control, box: str, limits: _Limits) -> Script[bool]:
    """Beep and record once; True when it is to be done again."""
    yield from beep(call)
    call.record_message(box, max_s=limits.longest_s, silence_s=limits.silence_s)
    ended = yield from recorded(limits.longest_s)
    if ended is None:
        return False
    if ended.problem:
        yield from say(call, "vm-no-room")
        return False
    if ended.seconds < limits.shortest_s:
        return (yield from _too_short(call, box, ended))
    if ended.reason == "key" and (yield from _again(call, ended.recording)):
        _drop(call, box, ended, "recorded again")
        return True
    call.deliver(ended.recording)
    yield from say(call, *(("vm-limit",) if ended.reason == "limit" else ()), "vm-message-left")
    return False


def _too_short(call: Control, box: str, ended: Recorded) -> Script[bool]:
    _drop(call, box, ended, "too short")
    if ended.reason != "key":
        return False
    yield from say(call, "vm-too-short")
    return True


def _drop(call: Control, box: str, ended: Recorded, reason: str) -> None:
    call.discard(ended.recording)
    call.publish(VoicemailDropped(call.id, box, ended.seconds, reason))


def _again(call: Control, recording: str) -> Script[bool]:
    """Offer to hear the message or to record it again; anything else leaves it as it is."""
    for _ in range(TRIES):
        pressed = yield from play_until_key(call, Prompts(("vm-review",)))
        pressed = pressed or (yield from key(_REVIEW_S))
        if pressed == HEAR:
            yield from play_until_key(call, Recording(recording))
        else:
            return pressed == AGAIN
    return False


def _no_message(call: Control) -> Script[Destination | None]:
    """Nothing can be kept: a call that is not answered stays so, one that is hears it."""
    if call.answered:
        yield from say(call, "vm-no-room", "goodbye")
    return HangUp(cause=Cause.UNAVAILABLE)
