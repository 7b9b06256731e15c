"""Getting into a mailbox: its number and PIN, and what becomes of those who guess."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.keys import ask
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail.menu import attend_owner
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.kept import BoxState
from pbx.domain.tenancy import User
from pbx.events import VoicemailLocked, VoicemailOpened, VoicemailRefused

FIRST_KEY_S, NEXT_KEY_S = 8.0, 3.0
MOST_PIN_DIGITS = 10


def log_in(call: Control, box: str) -> Script[Destination | None]:
    """Ask for PIN, and for the box when it is not known, then let the owner in; wrong PINs end the call (I04).

    Too many of them, over all calls, lock the mailbox for a while.
    """
    call.answer()
    longest = max(call.directory.domain.platform.extension_lengths)
    for attempt in range(1, call.directory.domain.platform.pin_tries + 1):
        entered = box or (yield from ask(call, "vm-login", longest, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S))
        pin = yield from ask(call, "vm-password", MOST_PIN_DIGITS, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        user = call.directory.users_by_extension.get(entered)
        owner = user if user is not None and user.voicemail else None
        if owner is not None and call.box(entered).locked_until > call.wall.timestamp():
            call.publish(VoicemailRefused(call.id, entered, attempt))
            yield from say(call, "vm-locked")
            break
        if owner is not None and pin and pin == pin_of(owner, call.box(entered)):
            _forgive(call, entered)
            call.publish(VoicemailOpened(call.id, entered))
            return (yield from attend_owner(call, owner))
        call.publish(VoicemailRefused(call.id, entered, attempt))
        if owner is not None:
            _count(call, entered)
        yield from say(call, "vm-wrong-password")
    yield from say(call, "goodbye")
    return HangUp(cause=Cause.NORMAL)


def pin_of(user: User, state: BoxState) -> str:
    """Return the PIN in force: the one chosen at the telephone, unless another has been configured since."""
    configured = user.voicemail_pin.get_secret_value()
    return state.pin if state.pin and state.instead_of == configured else configured


def _forgive(call: Control, box: str) -> None:
    state = call.box(box)
    if state.failures or state.locked_until:
        call.keep_box(replace(state, failures=0, locked_until=0.0))


def _count(call: Control, box: str) -> None:
    platform, state = call.directory.domain.platform, call.box(box)
    failures = state.failures + 1
    if failures < platform.pin_lock_after:
        call.keep_box(replace(state, failures=failures))
        return
    until = call.wall.timestamp() + 60 * platform.pin_lock_min
    call.keep_box(replace(state, failures=0, locked_until=until))
    call.publish(VoicemailLocked(call.id, box, platform.pin_lock_min))
