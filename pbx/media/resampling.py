"""From 8 to 16 kHz and back: one half-band filter (windowed sinc, 31 taps, 1 ms), going on from frame to frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

_TAPS = 31
_CUTOFF = 0.225
"""Of the rate of 16 kHz: 3.6 kHz, so that nothing of a telephone's band is lost and little folds back into it."""


def _taps() -> Floats:
    at = np.arange(_TAPS) - _TAPS // 2
    taps = 2 * _CUTOFF * np.sinc(2 * _CUTOFF * at) * np.kaiser(_TAPS, 6.0)
    return np.asarray(taps / taps.sum())


_LOW_PASS = _taps()


class Halver:
    """16 kHz to 8; None is silence, and remains it once the last sound has passed."""

    def __init__(self) -> None:
        self._past: Floats = np.zeros(_TAPS - 1)

    def halved(self, sound: Sound | None, count: int = 160) -> Sound | None:
        if sound is None and not self._past.any():
            return None
        whole: Floats = np.concatenate((self._past, np.zeros(2 * count) if sound is None else sound.astype(np.float64)))
        self._past = whole[-(_TAPS - 1) :]
        return np.rint(np.convolve(whole, _LOW_PASS, "valid")[::2]).astype(np.int32)


class Doubler:
    """8 kHz to 16."""

    def __init__(self) -> None:
        self._past: Floats = np.zeros(_TAPS - 1)

    def doubled(self, sound: Sound | None, count: int = 160) -> Sound | None:
        if sound is None and not self._past.any():
            return None
        spread = np.zeros(2 * count)
        if sound is not None:
            spread[::2] = 2 * sound
        whole: Floats = np.concatenate((self._past, spread))
        self._past = whole[-(_TAPS - 1) :]
        return np.rint(np.convolve(whole, _LOW_PASS, "valid")).astype(np.int32)
