"""What an owner sets at the telephone: greetings, the one in force, the name, the PIN."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from pbx.callflow.keys import ask, key
from pbx.callflow.script import Script
from pbx.callflow.speech import play_until_key, say
from pbx.callflow.studio import record_prompt
from pbx.callflow.vocabulary import Control
from pbx.domain.sounds import Prompts, spoken_number
from pbx.domain.tenancy import User
from pbx.events import GreetingChosen, PinChanged

RECORD_GREETING, CHOOSE_GREETING, RECORD_NAME, CHANGE_PIN = "1", "2", "3", "4"
LONGEST_GREETING_S, LONGEST_NAME_S = 120.0, 10.0
TRIES = 3
CHOICE_S = 6.0
FIRST_KEY_S, NEXT_KEY_S = 8.0, 3.0


def set_options(call: Control, user: User) -> Script[None]:
    """Offer the options until the owner wants none of them."""
    for _ in range(TRIES * 3):
        pressed = yield from play_until_key(call, Prompts(("vm-options-menu",)))
        pressed = pressed or (yield from key(CHOICE_S))
        match pressed:
            case "1":
                number = yield from _number(call, "vm-which-greeting")
                if number and (yield from record_prompt(call, user.extension, number, max_s=LONGEST_GREETING_S)):
                    yield from _choose(call, user.extension, int(number))
            case "2":
                number = yield from _number(call, "vm-choose-greeting")
                if number == "0" or number in call.prompts(user.extension):
                    yield from _choose(call, user.extension, int(number))
                elif number:
                    yield from say(call, "vm-no-such-greeting")
            case "3":
                yield from record_prompt(call, user.extension, "name", max_s=LONGEST_NAME_S)
            case "4":
                yield from _change_pin(call, user)
            case _:
                return


def _number(call: Control, prompt: str) -> Script[str]:
    """Ask for a greeting's number; empty for none."""
    number = yield from ask(call, prompt, 1, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
    return number if number.isdecimal() else ""


def _choose(call: Control, box: str, greeting: int) -> Script[None]:
    call.keep_box(replace(call.box(box), greeting=greeting))
    call.publish(GreetingChosen(call.id, box, greeting))
    yield from say(call, "vm-greeting-chosen", *spoken_number(greeting))


def _change_pin(call: Control, user: User) -> Script[None]:
    """Ask for the new PIN twice; one that is too short, plain, or the extension's own digits is refused."""
    shortest = call.directory.domain.platform.pin_shortest
    for _ in range(TRIES):
        wanted = yield from ask(call, "vm-new-pin", 10, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        if not wanted:
            return
        if not acceptable_pin(wanted, user.extension, shortest):
            yield from say(call, "vm-pin-too-plain")
            continue
        again = yield from ask(call, "vm-pin-again", 10, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        if again != wanted:
            yield from say(call, "vm-pins-differ")
            continue
        configured = user.voicemail_pin.get_secret_value()
        call.keep_box(replace(call.box(user.extension), pin=wanted, instead_of=configured))
        call.publish(PinChanged(call.id, user.extension))
        yield from say(call, "vm-pin-changed")
        return


def acceptable_pin(pin: str, extension: str, shortest: int) -> bool:
    """Tell whether a PIN may be chosen: digits enough, not all alike, not counting up or down, not the extension."""
    if not pin.isdecimal() or len(pin) < shortest or pin.lstrip("0") == extension or pin in (extension, extension * 2):
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return steps not in ({0}, {1}, {9})
