"""Waiting for the end of a recording."""

from __future__ import annotations

from pbx.callflow.keys import END_KEY
from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import KeyPressed, Recorded

_MARGIN_S = 5.0
"""A recording whose end is not reported so long after it is due is taken as over."""
_ECHO_S = 0.3
"""The key that ended a recording is told as a key, too."""


def recorded(max_s: float) -> Script[Recorded | None]:
    """Return how a recording of at most `max_s` ended; None when nobody says."""
    ended = yield until(Recorded, within_s=max_s + _MARGIN_S)
    if not isinstance(ended, Recorded):
        return None
    if ended.reason == "key":
        yield until(KeyPressed, within_s=_ECHO_S, where=lambda event: event.digit == END_KEY)
    return ended
