"""Saying something to the caller, and waiting until it has been said."""

from __future__ import annotations

from pbx.callflow.script import Script, until
from pbx.callflow.vocabulary import CALLER, Control, KeyPressed, Played
from pbx.domain.sounds import Prompts, Sound, Spoken, Tone

LONGEST_S = 300.0
"""A sound whose end is not reported by then is taken as over: a call must not wait for ever."""


def say(call: Control, *names: Spoken) -> Script[None]:
    """Say prompts to the end; keys meanwhile are typed ahead."""
    yield from _to_the_end(call, Prompts(names))


def beep(call: Control) -> Script[None]:
    yield from _to_the_end(call, Tone("beep"))


def play_until_key(call: Control, sound: Sound) -> Script[str]:
    """Play to the end, or until a key is pressed, which silences it; return the key, empty when there was none."""
    token = call.play(sound)
    news = yield until(
        Played,
        KeyPressed,
        within_s=LONGEST_S,
        where=lambda event: event.leg == CALLER and (isinstance(event, KeyPressed) or event.token == token),
    )
    if not isinstance(news, KeyPressed):
        return ""
    call.stop()
    return news.digit


def _to_the_end(call: Control, sound: Sound) -> Script[None]:
    token = call.play(sound)
    yield until(Played, within_s=LONGEST_S, where=lambda event: event.leg == CALLER and event.token == token)
