"""Dial by name: three keys, then the person, or a choice where several have such a name (G05)."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.keys import ask, key
from pbx.callflow.script import Script
from pbx.callflow.speech import play_until_key, say
from pbx.callflow.vocabulary import Control
from pbx.domain.sounds import Prompts, Recording, Spoken, spoken_digits
from pbx.domain.tenancy import User
from pbx.events import NameSearched

LETTERS = 3
TRIES = 3
A_PAGE = 8
MORE = "9"
"""Of more people than fit a page: the next ones."""
FIRST_KEY_S, NEXT_KEY_S, CHOICE_S = 8.0, 3.0, 6.0


def find_by_name(call: Control) -> Script[User | None]:
    """Ask for the first letters of a name and return whom the caller wants; None for nobody."""
    for _ in range(TRIES):
        keys = yield from ask(call, "name-enter", LETTERS, first_s=FIRST_KEY_S, next_s=NEXT_KEY_S)
        if not keys:
            return None
        found = call.directory.people_by_name(keys)
        call.publish(NameSearched(call.id, keys, " ".join(user.extension for user in found)))
        if not found:
            yield from say(call, "name-nobody")
            continue
        if len(found) == 1:
            yield from say(call, "name-calling", *_name(call, found[0]))
            return found[0]
        chosen = yield from _choose(call, found)
        if chosen is not None:
            return chosen
    return None


def _choose(call: Control, found: Sequence[User]) -> Script[User | None]:
    for first in range(0, len(found), A_PAGE):
        page = found[first : first + A_PAGE]
        offered: list[Spoken] = []
        for number, user in enumerate(page, start=1):
            offered += [*_name(call, user), "name-press", f"digit-{number}"]
        if first + A_PAGE < len(found):
            offered += ["name-more", f"digit-{MORE}"]
        pressed = yield from play_until_key(call, Prompts(tuple(offered)))
        pressed = pressed or (yield from key(CHOICE_S))
        if pressed.isdecimal() and 1 <= int(pressed) <= len(page):
            return page[int(pressed) - 1]
        if pressed != MORE:
            return None
    return None


def _name(call: Control, user: User) -> tuple[Spoken, ...]:
    """The name as its owner recorded it, else the extension."""
    own = call.prompts(user.extension).get("name")
    digits = spoken_digits(user.extension)
    return (Recording(own.recording, instead="extension"),) if own else ("extension", *digits)
