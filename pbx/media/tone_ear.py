"""Tones of a network recognised in what arrives: by their frequencies 50 times a second, then by their cadence.

A window of 50 ms is as long as it takes to part 440 from 480 Hz, and no longer, so that bursts of 100 ms are seen
(media.md 5). Loudness, twist, loss and noise are allowed for; speech and music have no cadence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pbx.media import g711
from pbx.media.tone_plan import PATTERNS, Pattern

_RATE_HZ = 8000
_WINDOW, _HOP = 400, 160
_HOP_S = _HOP / _RATE_HZ
_BATCH = 10
"""Windows looked at together: one matrix product for a fifth of a second."""
_SHARE = 0.6
"""Of the energy of a window that the tones are: half a bin beside a frequency, or 5 dB above noise."""
_TWIST = 10 ** (-10 / 10)
"""Power of the weakest of tones that belong together over that of the strongest."""
_LEAST = 10 ** ((-46 - 3.17) / 10)
"""Power of what is a tone at all; 1 is a sine of full scale, +3.17 dBm0."""
_PAUSE = 10 ** (-8 / 10)
"""Of the tone before: line noise may fill a pause."""
_SEAM = 3
"""Windows without a tone that are no pause: where one burst follows another, or a packet is missing."""
_TORN = 6
"""Windows of other sound within a burst: a frame that is said twice turns the phase over."""
_AGREEING = 3
"""Windows of a kind before it is one: where a phase turns over, one tone looks like two."""
_STRANGE = 4
"""Windows of other sound that a pause may have at its edges."""
_KEPT = 8
_LINEAR = (g711.decode(bytes(range(256)), "PCMU") / 32_124).astype(np.float32)

_GROUPS = tuple(dict.fromkeys(hertz for pattern in PATTERNS for hertz, _ in pattern.bursts if hertz))
"""Frequencies that sound together."""
_HERTZ = tuple(sorted({hertz for group in _GROUPS for hertz in group}))
_MEMBERS = np.array([[hertz in group for group in _GROUPS] for hertz in _HERTZ], np.float32)
_PLACES = tuple(tuple(_HERTZ.index(hertz) for hertz in group) for group in _GROUPS)
_SHAPE = np.hanning(_WINDOW + 1)[:-1]
_WAVES = np.concatenate(
    [
        wave(2 * np.pi * np.outer(np.arange(_WINDOW), _HERTZ) / _RATE_HZ) * _SHAPE[:, None] * (2 / _SHAPE.sum())
        for wave in (np.cos, np.sin)
    ],
    axis=1,
).astype(np.float32)
_WHOLE = (_SHAPE**2 * (2 / (_SHAPE**2).sum())).astype(np.float32)
_NEEDED = _WINDOW + (_BATCH - 1) * _HOP
_AT = np.add.outer(np.arange(_BATCH) * _HOP, np.arange(_WINDOW))

Floats = npt.NDArray[np.float32]
_Step = tuple[int, float]
"""(group, or `_QUIET`; seconds)."""
_QUIET, _OTHER = -1, -2


def _steps(pattern: Pattern) -> tuple[_Step, ...]:
    return tuple((_GROUPS.index(hertz) if hertz else _QUIET, seconds) for hertz, seconds in pattern.bursts)


_LASTING = {_steps(pattern)[0][0]: pattern for pattern in PATTERNS if pattern.lasting}
_CADENCES = tuple((_steps(pattern), pattern) for pattern in PATTERNS if not pattern.lasting)


class ToneEar:
    """Feed it µ-law payloads without a gap, it says which tone has begun. A new one for what follows a known sound."""

    def __init__(self) -> None:
        self.current = ""
        """The tone that goes on, its pauses included."""
        self._pause_s = 0.0
        """After so much silence it is over."""
        self._waiting = b""
        self._steps: list[_Step] = []
        """Bursts and pauses that are over."""
        self._group, self._windows = _QUIET, 0.0
        """What sounds, and for how long."""
        self._level = 0.0
        self._gap, self._strange = 0, 0
        """Windows since, and how many of them were no silence."""
        self._candidate, self._agreeing = _OTHER, 0

    def feed(self, payload: bytes) -> str:
        """Take a payload; return the tone that is recognised now, else an empty string."""
        waiting = self._waiting = self._waiting + payload
        if len(waiting) < _NEEDED:
            return ""
        samples = _LINEAR[np.frombuffer(waiting, dtype=np.uint8, count=_NEEDED)]
        self._waiting = waiting[_BATCH * _HOP :]
        found = ""
        for group, level in _groups_of(samples[_AT], self._level):
            found = self._window(group, level) or found
        return found

    def _window(self, group: int, level: float) -> str:
        if group >= 0 and group == self._group and self._gap <= self._bridged:
            self._windows += self._gap + 1
            self._gap, self._strange, self._agreeing, self._level = 0, 0, 0, level
            return self._lasts()
        self._agreeing = self._agreeing + 1 if group == self._candidate else 1
        self._candidate = group
        if group >= 0 and self._agreeing == _AGREEING:
            return self._turn_to(group, level)
        self._gap += 1
        self._strange += group != _QUIET
        if self._group != _QUIET and self._gap > self._bridged:
            return self._ended(self._windows)
        if self.current and (self._gap * _HOP_S > 1.2 * self._pause_s + 0.3 or self._strange > 3 * _STRANGE):
            self.current = ""
        return ""

    @property
    def _bridged(self) -> int:
        """How long a gap may be that is none."""
        return _TORN if self._strange == self._gap else _SEAM

    def _turn_to(self, group: int, level: float) -> str:
        """Another burst has begun, some windows ago."""
        begun = _AGREEING - 1
        gap, strange, found = self._gap - begun, self._strange - begun, ""
        if self._group != _QUIET:  # at once after the one before: what lies between belongs to both
            found = self._ended(self._windows + gap / 2)
        elif strange > _STRANGE:
            self._steps.clear()
        elif self._steps:
            self._steps.append((_QUIET, gap * _HOP_S))
        self._windows = _AGREEING + (gap / 2 if gap <= _SEAM else 0)
        self._group, self._level = group, level
        self._gap = self._strange = self._agreeing = 0
        return found

    def _ended(self, windows: float) -> str:
        self._steps = [*self._steps, (self._group, windows * _HOP_S)][-_KEPT:]
        self._group = _QUIET
        for steps, pattern in _CADENCES:
            if len(steps) <= len(self._steps) and all(
                group == heard and abs(seconds - lasted) <= pattern.off_by(seconds)
                for (group, seconds), (heard, lasted) in zip(steps, self._steps[-len(steps) :], strict=True)
            ):
                return self._recognised(pattern)
        return ""

    def _lasts(self) -> str:
        pattern = _LASTING.get(self._group)
        if pattern is None or self._windows * _HOP_S < pattern.seconds:
            return ""
        return self._recognised(pattern)

    def _recognised(self, pattern: Pattern) -> str:
        if pattern.name == self.current:
            return ""
        self.current, self._pause_s = pattern.name, pattern.pause_s
        return pattern.name


def _groups_of(windows: Floats, before: float) -> list[tuple[int, float]]:
    """Return for each window the group of tones it is and its power; `before` is that of the tone before."""
    parts = windows @ _WAVES
    parts *= parts
    power = parts[:, : len(_HERTZ)] + parts[:, len(_HERTZ) :]
    sums = power @ _MEMBERS
    most = sums.max(axis=1).tolist()
    found: list[tuple[int, float]] = []
    for at, energy in enumerate(((windows * windows) @ _WHOLE).tolist()):
        if energy < _LEAST:
            group = _QUIET
        elif most[at] >= _SHARE * energy and (group := _group_of(sums[at], power[at], energy)) >= 0:
            before = energy
        else:
            group = _QUIET if energy < before * _PAUSE else _OTHER
        found.append((group, energy))
    return found


def _group_of(sums: Floats, power: Floats, energy: float) -> int:
    """Return the group that is most of a window's energy and in balance."""
    for group in np.argsort(sums)[::-1].tolist():
        if sums[group] < _SHARE * energy:
            break
        tones = [float(power[place]) for place in _PLACES[group]]
        if min(tones) >= _TWIST * max(tones):
            return int(group)
    return _OTHER
