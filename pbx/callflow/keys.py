"""Collecting keys: one, or several with a pause that ends them."""

from __future__ import annotations

from pbx.callflow.script import Script, until
from pbx.callflow.speech import play_until_key
from pbx.callflow.vocabulary import CALLER, Control, KeyPressed
from pbx.domain.sounds import Prompts, Spoken

END_KEY = "#"


def key(within_s: float) -> Script[str]:
    """Return the caller's next key, empty when none came in time."""
    news = yield until(KeyPressed, within_s=within_s, where=lambda event: event.leg == CALLER)
    return news.digit if isinstance(news, KeyPressed) else ""


def ask(call: Control, prompt: Spoken, most: int, *, first_s: float, next_s: float) -> Script[str]:
    """Ask, and return up to `most` keys; a pause or the end key closes the entry, the first key cuts the question."""
    pressed = yield from play_until_key(call, Prompts((prompt,)))
    pressed = pressed or (yield from key(first_s))
    entered = ""
    while pressed and pressed != END_KEY:
        entered += pressed
        if len(entered) == most:
            break
        pressed = yield from key(next_s)
    return entered
