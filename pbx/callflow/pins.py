"""Asking who somebody is: an extension and its PIN, and what becomes of those who guess (I04).

The PIN is that of the mailbox, wherever it is asked for: guesses are counted together, and lock it together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pbx.callflow.keys import ask
from pbx.callflow.script import Script
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import Control
from pbx.domain.kept import BoxState
from pbx.domain.tenancy import User
from pbx.events import Event, PinRefused, VoicemailLocked

FIRST_KEY_S, NEXT_KEY_S = 8.0, 3.0
MOST_PIN_DIGITS = 10


def admit(
    call: Control,
    extension: str,
    *,
    asking: str = "desk-extension",
    may: Callable[[User], bool] = lambda user: True,
    refused: Callable[[str, str, int], Event] = PinRefused,
) -> Script[User | None]:
    """Ask for a PIN, and for the extension when it is not known; None for whoever does not know them.

    Wrong PINs end it, and too many of them, over all calls, lock the PIN for a while. `may` says who can be admitted:
    anybody else is told the same as who enters a wrong PIN.
    """
    platform = call.directory.domain.platform
    for attempt in range(1, platform.pin_tries + 1):
        longest = max(platform.extension_lengths)
        entered = extension or (yield from ask(call, asking, longest, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S))
        pin = yield from ask(call, "vm-password", MOST_PIN_DIGITS, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        known = call.directory.users_by_extension.get(entered)
        user = known if known is not None and may(known) else None
        if user is not None and call.box(entered).locked_until > call.wall.timestamp():
            call.publish(refused(call.id, entered, attempt))
            yield from say(call, "vm-locked")
            break
        if user is not None and pin and pin == pin_of(user, call.box(entered)):
            _forgive(call, entered)
            return user
        call.publish(refused(call.id, entered, attempt))
        if user is not None:
            _count(call, entered)
        yield from say(call, "vm-wrong-password")
    yield from say(call, "goodbye")
    return None


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
