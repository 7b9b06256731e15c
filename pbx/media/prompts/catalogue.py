"""The shipped prompts by name: how long each is, and its µ-law frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pbx.media.wav import read_wav

FOLDER = Path(__file__).parent / "en"
_FRAME = 160


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.wav")))


@lru_cache(maxsize=512)
def frames(name: str) -> tuple[bytes, ...]:
    """Return the prompt as frames of 20 ms; ValueError when there is none of that name."""
    path = FOLDER / f"{name}.wav"
    if name not in names():
        raise ValueError(f"there is no prompt {name!r}")
    payload = read_wav(path)
    payload += b"\xff" * (-len(payload) % _FRAME)
    return tuple(payload[at : at + _FRAME] for at in range(0, len(payload), _FRAME))


def seconds_of(name: str) -> float:
    """Return the length of a prompt in seconds."""
    return len(frames(name)) * 0.02
