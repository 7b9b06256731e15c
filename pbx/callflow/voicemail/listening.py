"""One message and its keys: again, envelope, send on, back, pause, ahead, delete, call back, save."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.keys import END_KEY, ask, key
from pbx.callflow.recording import recorded
from pbx.callflow.script import Script
from pbx.callflow.speech import beep, play_until_key, say
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail.spoken import announced, envelope
from pbx.domain.destinations import Destination, HangUp, ToUser
from pbx.domain.history import Message
from pbx.domain.sounds import Prompts, Recording
from pbx.domain.tenancy import User
from pbx.events import VoicemailDeleted, VoicemailForwarded, VoicemailHeard, VoicemailRestored

AGAIN, ENVELOPE, SEND_ON, BACK, PAUSE, AHEAD, DELETE, CALL_BACK, SAVE = "1", "2", "3", "4", "5", "6", "7", "8", "9"
MENU = "*"
"""Leaves the folder; any other key goes on to the next message."""
HELP = "0"
SKIP_S = 5.0
CHOICE_S = 6.0
PAUSED_S = 300.0
COMMENT_S = 60.0
COMMENT_SILENCE_S = 4.0
_GO_ON = "go on"


def listen(call: Control, user: User, message: Message) -> Script[Destination | str | None]:
    """Play a message and do what is wanted with it; return where to call back to, MENU, or nothing for the next."""
    pressed, at_s = "", 0.0
    if intro := announced(call, user, message):
        pressed = yield from play_until_key(call, Prompts(intro))
    pressed = pressed or AGAIN
    while True:
        match pressed:
            case "1" | "4" | "6" | "go on":
                pressed, at_s = yield from _play(call, message, _from_where(pressed, at_s, message))
                message = _heard(call, message)
            case "2":
                pressed = yield from play_until_key(call, Prompts(envelope(call, user, message)))
            case "3":
                yield from _send_on(call, message)
                pressed = ""
            case "5":
                pressed = (yield from key(PAUSED_S)) or PAUSE
                pressed = _GO_ON if pressed == PAUSE else pressed
            case "7":
                yield from _delete(call, message)
                return None
            case "8":
                destination = _caller(call, message)
                if destination is not None:
                    return destination
                yield from say(call, "vm-no-call-back")
                pressed = ""
            case "9":
                yield from _save(call, message)
                return None
            case "*":
                return MENU
            case "0":
                pressed = ""
            case _:
                return None
        if not pressed:
            pressed = yield from play_until_key(call, Prompts(("vm-message-menu",)))
            pressed = pressed or (yield from key(CHOICE_S)) or END_KEY


def _from_where(pressed: str, at_s: float, message: Message) -> float:
    match pressed:
        case "4":
            return max(0.0, at_s - SKIP_S)
        case "6":
            return min(message.seconds, at_s + SKIP_S)
        case "1":
            return 0.0
    return at_s


def _play(call: Control, message: Message, from_s: float) -> Script[tuple[str, float]]:
    """Return the key that was pressed, if any, and how far the message was heard."""
    began = call.now
    pressed = yield from play_until_key(call, Recording(message.recording, from_s))
    return pressed, min(message.seconds, from_s + call.now - began)


def _heard(call: Control, message: Message) -> Message:
    """A message counts as heard, and as saved, from its end or the first key on."""
    call.publish(VoicemailHeard(call.id, message.box, message.id))
    if message.folder != "new":
        return message
    message = replace(message, folder="saved")
    call.keep_message(message)
    return message


def _delete(call: Control, message: Message) -> Script[None]:
    """Into the trash; from there for good."""
    if message.folder == "trash":
        call.remove_message(message)
    else:
        call.keep_message(replace(message, folder="trash"))
    call.publish(VoicemailDeleted(call.id, message.box, message.id))
    yield from say(call, "vm-message-deleted")


def _save(call: Control, message: Message) -> Script[None]:
    """Keep it among the saved ones; out of the trash that brings it back."""
    if message.folder != "saved":
        call.keep_message(replace(message, folder="saved"))
    if message.folder == "trash":
        call.publish(VoicemailRestored(call.id, message.box, message.id))
    yield from say(call, "vm-message-restored" if message.folder == "trash" else "vm-message-saved")


def _send_on(call: Control, message: Message) -> Script[None]:
    """Ask for a mailbox and a comment, and send the message there."""
    box = yield from ask(call, "vm-send-to", 5, first_s=CHOICE_S, next_s=3.0)
    user = call.directory.users_by_extension.get(box)
    if user is None or not user.voicemail:
        if box:
            yield from say(call, "vm-no-such-box")
        return
    comment = ""
    if (yield from ask(call, "vm-comment", 1, first_s=CHOICE_S, next_s=3.0)) == "1":
        yield from beep(call)
        call.record_draft(max_s=COMMENT_S, silence_s=COMMENT_SILENCE_S)
        ended = yield from recorded(COMMENT_S)
        comment = ended.recording if ended is not None and ended.seconds else ""
    call.send_on(message, box, comment)
    call.publish(VoicemailForwarded(call.id, message.box, message.id, box, bool(comment)))
    yield from say(call, "vm-sent-on")


def _caller(call: Control, message: Message) -> Destination | None:
    """Return where the caller is reached, None when that is nowhere this caller may come to.

    Inside anybody is; outside only what could be dialled: whoever has the PIN of a mailbox must not call out through
    it from outside (toll fraud).
    """
    number = message.caller_number
    if number in call.directory.users_by_extension:
        return ToUser(extension=number)
    if not number or isinstance(call.look_up(number), HangUp):
        return None
    return call.dial(number)
