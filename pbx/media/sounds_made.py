"""Sounds made in code: the tones of the plan, music on hold, and the signatures of parties."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pbx.media.g711 import encode
from pbx.media.tone_plan import TONES

RATE_HZ = 8000
FRAME = 160
"""Samples of 20 ms."""

Floats = npt.NDArray[np.float64]

_FULL_SCALE = 32_124
"""Largest sample of µ-law: a sine that reaches it has +3.17 dBm0."""
_FULL_SCALE_DBM0 = 3.17


def tone_names() -> tuple[str, ...]:
    return tuple(TONES)


@lru_cache(maxsize=64)
def tone_frames(name: str) -> tuple[bytes, ...]:
    """Return one period of a tone as µ-law frames, its phase running through; ValueError for an unknown one."""
    if name not in TONES:
        raise ValueError(f"there is no tone {name!r}: {', '.join(TONES)}")
    level, bursts = TONES[name]
    peak = _FULL_SCALE * 10 ** ((level - _FULL_SCALE_DBM0) / 20)
    # Each tone starts at a phase of its own: busy and reorder would share every frame otherwise, and ears tell
    # sounds apart by their frames.
    phase = 0.37 * tuple(TONES).index(name)
    parts = []
    for hertz, seconds in bursts:
        time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        parts.append(sum((np.sin(2 * np.pi * f * time + phase) for f in hertz), np.zeros(len(time))) * peak)
    return _frames(np.concatenate(parts))


_STEPS = (0, 2, 4, 7, 9, 12)
"""Semitones of the scale the melodies walk on: any two of them sound well together."""
_BEAT_S = 0.5
_BEATS = 16


@lru_cache(maxsize=32)
def music_frames(name: str) -> tuple[bytes, ...]:
    """Return eight seconds of a quiet melody, each class of music in a key of its own, so that no two share a note."""
    seed = hashlib.sha256(f"music {name}".encode()).digest()
    key_hz = 200 * 2 ** (int.from_bytes(seed[-2:], "big") / 0x10000)
    time = np.arange(int(_BEAT_S * RATE_HZ)) / RATE_HZ
    swell = np.minimum(time / 0.02, 1) * np.minimum((_BEAT_S - time) / 0.05, 1) * np.exp(-3 * time)
    wave = np.zeros(0)
    for beat in range(_BEATS):
        pitch = key_hz * 2 ** (_STEPS[seed[beat] % len(_STEPS)] / 12)
        note = np.sin(2 * np.pi * pitch * time) + 0.4 * np.sin(4 * np.pi * pitch * time)
        wave = np.concatenate([wave, note * swell * 5000])
    return _frames(wave)


@lru_cache(maxsize=512)
def signature_wave(party: str) -> Floats:
    """Return one second of noise that only this party makes, around -18 dBm0."""
    seed = int.from_bytes(hashlib.sha256(f"signature {party}".encode()).digest()[:8], "big")
    noise = np.random.default_rng(seed).standard_normal(RATE_HZ)
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    spectrum[(frequency < 300) | (frequency > 3400)] = 0
    shaped = np.fft.irfft(spectrum, RATE_HZ)
    return np.asarray(shaped / np.max(np.abs(shaped)) * 12000)


@lru_cache(maxsize=512)
def signature_frames(party: str) -> tuple[bytes, ...]:
    return _frames(signature_wave(party))


def _frames(wave: Floats) -> tuple[bytes, ...]:
    data = encode(np.clip(wave, -32768, 32767).astype(np.int16), "PCMU")
    data += b"\xff" * (-len(data) % FRAME)
    return tuple(data[at : at + FRAME] for at in range(0, len(data), FRAME))
