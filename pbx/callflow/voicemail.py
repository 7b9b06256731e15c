"""Voicemail: leave a message; log in and listen (domain-features 1.8)."""

from __future__ import annotations

from pbx.callflow.keys import gather, key
from pbx.callflow.ports import Message
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import CALLER, Control, KeyPressed, Played, Recorded
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.events import VoicemailDeleted, VoicemailGreeted, VoicemailHeard, VoicemailOpened, VoicemailRefused
from pbx.media.engine import Prompts, Recording, Tone
from pbx.media.spoken import spoken_digits, spoken_number

MAX_MESSAGE_S = 180.0
SILENCE_S = 4.0
PIN_TRIES = 3
DELETE, SAVE = "7", "9"
"""Keys while a message plays or after it."""


def leave_message(call: Control, box: str) -> Script[Destination | None]:
    """Greet, beep, record; the message is delivered also when the caller just hangs up."""
    call.answer()
    call.publish(VoicemailGreeted(call.id, box))
    call.play(Prompts(("vm-greeting", *spoken_digits(box), "vm-not-available")), "greeting")
    yield until(Played, KeyPressed, where=lambda event: event.leg == CALLER)  # a key skips the greeting
    call.play(Tone("beep"), "beep")
    yield until(Played, where=lambda event: event.leg == CALLER and event.token == "beep")
    call.record_message(box, max_s=MAX_MESSAGE_S, silence_s=SILENCE_S)
    yield until(Recorded)
    yield from _say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def log_in(call: Control, box: str) -> Script[Destination | None]:
    """Ask for box and PIN, then play messages; three wrong PINs end the call (I04)."""
    call.answer()
    for attempt in range(1, PIN_TRIES + 1):
        entered = box
        if not entered:
            call.play(Prompts(("vm-login",)), "question")
            entered = yield from gather(5, first_s=8.0, next_s=3.0)
        call.play(Prompts(("vm-password",)), "question")
        pin = yield from gather(10, first_s=8.0, next_s=3.0)
        user = call.directory.users_by_extension.get(entered)
        if user is not None and user.voicemail and pin and pin == user.voicemail_pin.get_secret_value():
            call.publish(VoicemailOpened(call.id, entered))
            yield from _listen(call, entered)
            return HangUp(cause=Cause.NORMAL)
        call.publish(VoicemailRefused(call.id, entered, attempt))
        yield from _say(call, "vm-wrong-password")
    yield from _say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def _listen(call: Control, box: str) -> Script[None]:
    fresh = [message for message in call.messages(box) if message.folder == "new"]
    if not fresh:
        yield from _say(call, "vm-you-have", "vm-no-messages")
    else:
        yield from _say(call, "vm-you-have", *spoken_number(len(fresh)), "vm-new-messages")
    for message in fresh:
        yield from _play_message(call, box, message)
    yield from _say(call, "vm-end-of-messages", "goodbye")


def _play_message(call: Control, box: str, message: Message) -> Script[None]:
    call.play(Recording(message.recording), "message")
    news = yield until(Played, KeyPressed, where=lambda event: event.leg == CALLER)
    call.publish(VoicemailHeard(call.id, box, message.id))
    call.keep_message(message, "saved")
    if isinstance(news, KeyPressed):
        pressed = news.digit
    else:
        call.play(Prompts(("vm-message-menu",)), "menu")
        pressed = yield from key(6.0)
    if pressed == DELETE:
        call.remove_message(message)
        call.publish(VoicemailDeleted(call.id, box, message.id))
        yield from _say(call, "vm-message-deleted")
    elif pressed == SAVE:
        yield from _say(call, "vm-message-saved")


def _say(call: Control, *names: str) -> Script[None]:
    call.play(Prompts(names), "said")
    yield until(Played, where=lambda event: event.leg == CALLER and event.token == "said")
