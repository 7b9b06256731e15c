"""Voicemail: leave a message; log in and listen (domain-features 1.8)."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.keys import ask, key
from pbx.callflow.script import Script, until
from pbx.callflow.speech import beep, play_until_key, say
from pbx.callflow.vocabulary import Control, Recorded
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.history import Message
from pbx.domain.sounds import Prompts, Recording, spoken_digits, spoken_number
from pbx.events import VoicemailDeleted, VoicemailGreeted, VoicemailHeard, VoicemailOpened, VoicemailRefused

MAX_MESSAGE_S = 180.0
SILENCE_S = 4.0
PIN_TRIES = 3
REPEAT, SAVE, DELETE = "1", "2", "7"
"""Keys while a message plays or after it; any other goes on to the next."""
FIRST_KEY_S, NEXT_KEY_S, CHOICE_S = 8.0, 3.0, 6.0


def leave_message(call: Control, box: str) -> Script[Destination | None]:
    """Greet, beep, record; the message is delivered also when the caller just hangs up. A key skips the greeting."""
    if not call.can_record:
        return (yield from _no_message(call))
    call.answer()
    call.publish(VoicemailGreeted(call.id, box))
    yield from play_until_key(call, Prompts(("vm-greeting", *spoken_digits(box), "vm-not-available")))
    yield from beep(call)
    call.record_message(box, max_s=MAX_MESSAGE_S, silence_s=SILENCE_S)
    yield until(Recorded, within_s=MAX_MESSAGE_S + SILENCE_S)
    yield from say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def _no_message(call: Control) -> Script[Destination | None]:
    """Nothing can be kept: a call that is not answered stays so, one that is hears it."""
    if call.answered:
        yield from say(call, "vm-not-available", "goodbye")
    return HangUp(cause=Cause.UNAVAILABLE)


def log_in(call: Control, box: str) -> Script[Destination | None]:
    """Ask for PIN, and for the box when it is not known, then play messages; three wrong PINs end the call (I04)."""
    call.answer()
    for attempt in range(1, PIN_TRIES + 1):
        entered = box or (yield from ask(call, "vm-login", 5, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S))
        pin = yield from ask(call, "vm-password", 10, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        user = call.directory.users_by_extension.get(entered)
        if user is not None and user.voicemail and pin and pin == user.voicemail_pin.get_secret_value():
            call.publish(VoicemailOpened(call.id, entered))
            yield from _listen(call, entered)
            return HangUp(cause=Cause.NORMAL)
        call.publish(VoicemailRefused(call.id, entered, attempt))
        yield from say(call, "vm-wrong-password")
    yield from say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def _listen(call: Control, box: str) -> Script[None]:
    """Play the new messages, or the saved ones when there are none."""
    kept = call.messages(box)
    fresh = [message for message in kept if message.folder == "new"]
    if fresh:
        yield from say(call, "vm-you-have", *spoken_number(len(fresh)), "vm-new-messages")
    else:
        yield from say(call, "vm-you-have", "vm-no-messages")
    for message in fresh or kept:
        yield from _play_message(call, box, message)
    yield from say(call, "vm-end-of-messages", "goodbye")


def _play_message(call: Control, box: str, message: Message) -> Script[None]:
    """Play one message; it counts as heard, and as saved, from its end or the first key on."""
    pressed = REPEAT
    while pressed == REPEAT:
        pressed = yield from play_until_key(call, Recording(message.recording))
        call.publish(VoicemailHeard(call.id, box, message.id))
        if message.folder == "new":
            message = replace(message, folder="saved")
            call.keep_message(message)
        pressed = pressed or (yield from play_until_key(call, Prompts(("vm-message-menu",))))
        pressed = pressed or (yield from key(CHOICE_S))
    if pressed == DELETE:
        call.remove_message(message)
        call.publish(VoicemailDeleted(call.id, box, message.id))
        yield from say(call, "vm-message-deleted")
    elif pressed == SAVE:
        yield from say(call, "vm-message-saved")
