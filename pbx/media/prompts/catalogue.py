"""The shipped prompts by name: what they say, how long they last, and their µ-law frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pbx.media.prompts.texts import TEXTS
from pbx.media.wav import read_wav

FOLDER = Path(__file__).parent / "en"
UNKNOWN_S = 1.0
"""A prompt nobody has recorded is this long a silence: the call goes on and the fault is heard."""
_FRAME = 160
_FRAMES_PER_S = 50
_SILENCE = b"\xff" * _FRAME


def names() -> tuple[str, ...]:
    return tuple(sorted(TEXTS))


def text_of(name: str) -> str:
    """Return what a prompt says, empty when it does not ship."""
    return TEXTS.get(name, "")


@lru_cache(maxsize=512)
def frames(name: str) -> tuple[bytes, ...]:
    """Return the prompt as frames of 20 ms; a second of silence when there is none of that name."""
    if name not in TEXTS:
        return (_SILENCE,) * round(UNKNOWN_S * _FRAMES_PER_S)
    payload = read_wav(FOLDER / f"{name}.wav")
    payload += _SILENCE[: -len(payload) % _FRAME]
    return tuple(payload[at : at + _FRAME] for at in range(0, len(payload), _FRAME))


def seconds_of(name: str) -> float:
    """Return the length of a prompt in seconds: whole frames, so that both worlds agree to the packet."""
    return len(frames(name)) / _FRAMES_PER_S
