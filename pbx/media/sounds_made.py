"""Sounds made in code: the precise tone plan (media.md 5), music on hold, and the signatures of parties."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pbx.media.g711 import encode

RATE_HZ = 8000
FRAME = 160
"""Samples of 20 ms."""

Floats = npt.NDArray[np.float64]

_TONES: dict[str, tuple[tuple[float, ...], float, tuple[float, ...]]] = {
    "dial": ((350, 440), -13, ()),
    "ringback": ((440, 480), -19, (2.0, 4.0)),
    "busy": ((480, 620), -24, (0.5, 0.5)),
    "reorder": ((480, 620), -24, (0.25, 0.25)),
    "beep": ((1000,), -13, ()),
    "milliwatt": ((1004,), 0, ()),
}
"""Name → (hertz, dBm0 a tone, cadence on/off seconds)."""
BEEP_S = 0.4
_FULL_SCALE_DBM0 = 3.17


def tone_names() -> tuple[str, ...]:
    return tuple(_TONES)


@lru_cache(maxsize=64)
def tone_frames(name: str) -> tuple[bytes, ...]:
    """Return one period of a tone as µ-law frames; ValueError for an unknown one."""
    if name not in _TONES:
        raise ValueError(f"there is no tone {name!r}: {', '.join(_TONES)}")
    hertz, level, cadence = _TONES[name]
    seconds = BEEP_S if name == "beep" else (sum(cadence) or 1.0)
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    peak = 32767 * 10 ** ((level - _FULL_SCALE_DBM0) / 20)
    wave = np.sum([np.sin(2 * np.pi * f * time) for f in hertz], axis=0) * peak
    if cadence:
        wave[int(cadence[0] * RATE_HZ) :] = 0
    return _frames(wave)


@lru_cache(maxsize=32)
def music_frames(name: str) -> tuple[bytes, ...]:
    """Return eight seconds of a quiet melody, a different one for each class of music."""
    seed = hashlib.sha256(f"music {name}".encode()).digest()
    scale = (262.0, 294.0, 330.0, 392.0, 440.0, 523.0)
    wave = np.zeros(8 * RATE_HZ)
    for beat in range(16):
        pitch = scale[seed[beat] % len(scale)]
        time = np.arange(RATE_HZ // 2) / RATE_HZ
        note = np.sin(2 * np.pi * pitch * time) + 0.4 * np.sin(4 * np.pi * pitch * time)
        wave[beat * RATE_HZ // 2 :][: RATE_HZ // 2] = note * np.exp(-3 * time) * 5000
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
