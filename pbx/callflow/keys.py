"""Collecting keys: one, or several with a pause that ends them."""

from __future__ import annotations

from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import CALLER, KeyPressed


def key(within_s: float) -> Script[str]:
    """Return the caller's next key, empty when none came in time."""
    news = yield until(KeyPressed, within_s=within_s, where=lambda event: event.leg == CALLER)
    return news.digit if isinstance(news, KeyPressed) else ""


def gather(most: int, *, first_s: float, next_s: float, end: str = "#") -> Script[str]:
    """Return up to `most` keys; a pause or the end key closes the entry."""
    entered = ""
    while len(entered) < most:
        pressed = yield from key(next_s if entered else first_s)
        if not pressed or pressed == end:
            break
        entered += pressed
    return entered
