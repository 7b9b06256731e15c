"""The owner in the mailbox: new messages at once, then the menu of folders and options."""

from __future__ import annotations

from collections import Counter

from pbx.callflow.keys import key
from pbx.callflow.script import Script
from pbx.callflow.speech import play_until_key, say
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail.listening import MENU, listen
from pbx.callflow.voicemail.options import set_options
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.history import Message
from pbx.domain.sounds import Prompts, spoken_number
from pbx.domain.tenancy import User

FOLDERS = {"1": "new", "2": "saved", "3": "trash"}
OPTIONS = "4"
TRIES = 3
CHOICE_S = 6.0


def attend_owner(call: Control, user: User) -> Script[Destination | None]:
    """Play the new messages, then do what the owner wants; return where the call goes next."""
    box = user.extension
    counts = Counter(message.folder for message in call.messages(box))
    yield from say(call, *_counted(counts))
    destination = (yield from _folder(call, user, "new")) if counts["new"] else None
    tried = 0
    while destination is None and tried < TRIES:
        pressed = yield from play_until_key(call, Prompts(("vm-main-menu",)))
        pressed = pressed or (yield from key(CHOICE_S))
        tried = 0 if pressed else tried + 1
        if pressed in FOLDERS:
            destination = yield from _folder(call, user, FOLDERS[pressed])
        elif pressed == OPTIONS:
            yield from set_options(call, user)
        elif pressed == "#":
            break
        elif pressed:
            yield from say(call, "invalid-key")
    if destination is None:
        yield from say(call, "goodbye")
    return destination or HangUp(cause=Cause.NORMAL)


def _counted(counts: Counter[str]) -> tuple[str, ...]:
    new = (*spoken_number(counts["new"]), "vm-new-messages") if counts["new"] else ("vm-no-messages",)
    saved = (*spoken_number(counts["saved"]), "vm-saved-messages") if counts["saved"] else ()
    return ("vm-you-have", *new, *saved)


def _folder(call: Control, user: User, folder: str) -> Script[Destination | None]:
    """Play a folder through; return where its owner calls back to, if so."""
    for message in _in_order(call, user, folder):
        came = yield from listen(call, user, message)
        if came == MENU:
            return None
        if came is not None and not isinstance(came, str):
            return came
    yield from say(call, "vm-end-of-messages")
    return None


def _in_order(call: Control, user: User, folder: str) -> list[Message]:
    found = [message for message in call.messages(user.extension) if message.folder == folder]
    return found[::-1] if user.mailbox.newest_first else found
