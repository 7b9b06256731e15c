"""The shipped prompts: which there are, how long they last, and their frames."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pbx.media import wav
from pbx.media.g711 import FRAMES_PER_S, SILENCE, frames_of
from pbx.media.prompts.texts import TEXTS

FOLDER = Path(__file__).parent / "files"
UNKNOWN_S = 1.0
"""A prompt that nobody has recorded is this long a silence, so that a call goes on and the fault is heard."""


def names() -> tuple[str, ...]:
    return tuple(TEXTS)


def text_of(name: str) -> str:
    """Return what a prompt says, empty when it does not ship."""
    return TEXTS.get(name, "")


def seconds_of(name: str) -> float:
    """Return how long a prompt lasts: whole frames, so that both worlds agree to the packet."""
    return len(frames(name)) / FRAMES_PER_S


@cache
def frames(name: str) -> list[bytes]:
    """Return a prompt as frames of 20 ms, µ-law."""
    if name not in TEXTS:
        return [SILENCE] * int(UNKNOWN_S * FRAMES_PER_S)
    return frames_of(wav.unwrap((FOLDER / f"{name}.wav").read_bytes()))
