"""What fills a hole in speech: its last pitch periods, repeated and fading (after ITU-T G.711 appendix I).

The first 10 ms repeat the last period, the next 10 the last two, what follows the last three, so that it does not buzz;
from 10 ms on it fades, a fifth every 10 ms, to silence after 60. Where the appendix holds the line back by 3.75 ms to
bend what was already heard into the first period, a ramp carries the step between the two instead: no delay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pbx.media.g711 import Samples

Floats = npt.NDArray[np.float64]

_SHORTEST, _LONGEST = 40, 120
"""Samples of a pitch period at 8 kHz: 200 to 66 Hz."""
_COMPARED = 160
_NEEDED = 3 * _LONGEST + _LONGEST // 4
"""Samples of the past that are looked at."""
_STEP = 80
"""10 ms."""
_STEPS = 6
_FADE_PER_STEP = 0.2
_MEND_FIRST, _MEND_STEP = 32, 32
"""Samples over which what is made up turns into what is said: 4 ms, and 4 more for each further 10 ms of hole."""


class Concealment:
    """One hole, from its first missing sample on."""

    __slots__ = ("_at", "_made", "_times")

    def __init__(self, past: Samples, rate_hz: int) -> None:
        """`past` is what was heard last; 50 ms are enough."""
        self._times = rate_hz // 8000
        self._made = _made_up(past.astype(np.float64), self._times)
        self._at = 0

    @property
    def is_over(self) -> bool:
        """It has faded to silence."""
        return self._at >= len(self._made)

    def next(self, count: int) -> Samples:
        """Return so many samples more."""
        made = self._made[self._at : self._at + count]
        self._at += count
        return np.concatenate((made, np.zeros(count - len(made), np.int16)))

    def mended(self, good: Samples) -> Samples:
        """Return the first samples after the hole, led into from what was made up."""
        steps = self._at // (_STEP * self._times)
        count = min((_MEND_FIRST + _MEND_STEP * max(0, steps - 1)) * self._times, _STEP * self._times, len(good))
        up = np.arange(1, count + 1) / (count + 1)
        mended = good.copy()
        mended[:count] = np.rint(good[:count] * up + self.next(count) * (1 - up))
        return mended


def _made_up(past: Floats, times: int) -> Samples:
    """Return 60 ms that go on from `past`."""
    past = np.concatenate((np.zeros(max(0, _NEEDED * times - len(past))), past))
    period = _pitch(past, times)
    quarter, step = period // 4, _STEP * times
    made = np.zeros(_STEPS * step)
    phase = 0
    # (periods repeated, from, to): each goes on where the one before stopped, by the phase of the last period.
    for periods, begin, end in ((1, 0, step), (2, step, 2 * step), (3, 2 * step, _STEPS * step)):
        loop = _loop(past, periods * period, quarter)
        at = phase + np.arange(end - begin + quarter)
        piece = loop[at % len(loop)]
        lead = min(quarter, len(made) - begin) if begin else 0
        up = np.arange(1, lead + 1) / (lead + 1)
        piece[:lead] = piece[:lead] * up + made[begin : begin + lead] * (1 - up)
        made[begin : end + quarter] = piece[: len(made) - begin]
        phase = (phase + end - begin) % period
    ramp = np.arange(quarter, 0, -1) / (quarter + 1)
    made[:quarter] += (past[-1] - past[-period - 1]) * ramp
    fade = 1 - np.clip(np.arange(len(made)) - step, 0, None) / step * _FADE_PER_STEP
    return np.clip(np.rint(made * np.clip(fade, 0, 1)), -32768, 32767).astype(np.int16)


def _pitch(past: Floats, times: int) -> int:
    """Return the lag in samples at which the last 20 ms are most like what went before."""
    compared, shortest, longest = _COMPARED * times, _SHORTEST * times, _LONGEST * times
    earlier = past[-compared - longest : -shortest]
    alike = np.correlate(earlier, past[-compared:], "valid")
    sums = np.concatenate(([0.0], np.cumsum(earlier**2)))
    energy = np.maximum(sums[compared:] - sums[:-compared], 0.0)
    return longest - int(np.argmax(alike / (np.sqrt(energy) + 1.0)))


def _loop(past: Floats, length: int, quarter: int) -> Floats:
    """Return the last `length` samples, their end bent so that it leads into their beginning."""
    loop = past[-length:].copy()
    up = np.arange(1, quarter + 1) / (quarter + 1)
    loop[-quarter:] = loop[-quarter:] * (1 - up) + past[-length - quarter : -length] * up
    return loop
