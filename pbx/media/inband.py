"""Keys heard as the tones they are (ITU-T Q.23, Q.24), for far ends that agreed on no telephone-event.

A block of 102 samples every 51: eight frequencies as one matrix product. Three blocks that agree are a key, five
without it end it (media.md 4, where these numbers were tried on tones, noise, loss and speech).
"""

from __future__ import annotations

import numpy as np

from pbx.media import g711
from pbx.media.telephone_event import KEYS

_RATE_HZ = 8000
_BLOCK, _HOP = 102, 51
_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_KEYPAD = "123A456B789C*0#D"
_ACCEPT, _RELEASE = 3, 5
_HIGHER_AT_MOST = 10 ** (5 / 10)
"""Power of the high tone over that of the low one: line loss makes it weaker, hardly ever stronger."""
_LOWER_AT_MOST = 10 ** (-8 / 10)
_PEAK = 10 ** (6 / 10)
"""Of a tone over the next in its group."""
_SHARE = 0.7
"""Of the energy of a block that the two tones are: speech has less."""
_FULL_SCALE = 32_124.0
_LEAST = 10 ** (-36 / 10)
"""Power of each tone, full scale a sine that reaches the largest sample."""
_WAVES = np.exp(-2j * np.pi * np.outer((*_LOW, *_HIGH), np.arange(_BLOCK)) / _RATE_HZ)

assert set(_KEYPAD) == set(KEYS)


class KeyEar:
    """Feed it µ-law payloads, it says which keys have begun."""

    def __init__(self) -> None:
        self._rest = np.zeros(0)
        self._candidate, self._agreeing = "", 0
        self._key, self._without = "", 0
        """What sounds, and for how many blocks it has not."""

    def feed(self, payload: bytes) -> list[str]:
        samples = np.concatenate([self._rest, g711.decode(payload, "PCMU") / _FULL_SCALE])
        count = max(0, (len(samples) - _BLOCK) // _HOP + 1)
        self._rest = samples[count * _HOP :]
        if not count:
            return []
        blocks = np.lib.stride_tricks.sliding_window_view(samples, _BLOCK)[::_HOP][:count]
        power = np.abs(blocks @ _WAVES.T) ** 2 * (2 / _BLOCK) ** 2
        energy = 2 * np.mean(blocks**2, axis=1)
        pressed = []
        for tones, whole in zip(power, energy, strict=True):
            key = self._heard(_key_of(tones, float(whole)))
            if key:
                pressed.append(key)
        return pressed

    def _heard(self, key: str) -> str:
        """Take what a block says; return a key that has begun."""
        self._agreeing = self._agreeing + 1 if key == self._candidate else 1
        self._candidate = key
        if self._key:
            self._without = 0 if key == self._key else self._without + 1
            if self._without >= _RELEASE:
                self._key = ""
        if key and key != self._key and self._agreeing >= _ACCEPT:
            self._key, self._without = key, 0
            return key
        return ""


def _key_of(power: np.ndarray, whole: float) -> str:
    """Return the key whose two tones a block is, empty when it is none."""
    low, high = power[:4], power[4:]
    at_low, at_high = int(low.argmax()), int(high.argmax())
    a, b = float(low[at_low]), float(high[at_high])
    if min(a, b) < _LEAST or b > a * _HIGHER_AT_MOST or b < a * _LOWER_AT_MOST:
        return ""
    if a + b < _SHARE * whole:
        return ""
    if np.partition(low, 2)[2] * _PEAK > a or np.partition(high, 2)[2] * _PEAK > b:
        return ""
    return _KEYPAD[4 * at_low + at_high]
