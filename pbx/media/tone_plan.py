"""The tones of telephone networks, as data: what they sound like, and how much of one is enough to be sure of it.

North America's precise tone plan and its special information tones (media.md 5), with the two further codings of them
that were in use; ITU-T E.180 (425 Hz, and the information tone of 950, 1400 and 1800 Hz), BT SIN 350, T.30.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

Burst = tuple[tuple[float, ...], float]
"""(hertz of the tones that sound together, seconds); without hertz a pause."""

_SHORT, _LONG = 0.274, 0.38


def _information(first: Burst, second: Burst) -> tuple[Burst, ...]:
    """The first two of three segments tell what kind it is."""
    return (first, second, ((1776.7,), _LONG), ((), 1.0))


TONES: dict[str, tuple[float, tuple[Burst, ...]]] = {
    "dial": (-13, (((350, 440), 1.0),)),
    "stutter": (-13, (*(((350, 440), 0.1), ((), 0.1)) * 10, ((350, 440), 2.0))),
    "ringback": (-19, (((440, 480), 2.0), ((), 4.0))),
    "busy": (-24, (((480, 620), 0.5), ((), 0.5))),
    "reorder": (-24, (((480, 620), 0.25), ((), 0.25))),
    "call-waiting": (-13, (((440,), 0.3), ((), 9.7))),
    "howler": (-9, (((1400, 2060, 2450, 2600), 0.1), ((), 0.1))),
    "beep": (-13, (((1000,), 0.4),)),
    "milliwatt": (0, (((1004,), 1.0),)),
    "sit-intercept": (-24, _information(((913.8,), _SHORT), ((1370.6,), _SHORT))),
    "sit-vacant": (-24, _information(((985.2,), _LONG), ((1370.6,), _SHORT))),
    "sit-reorder": (-24, _information(((913.8,), _SHORT), ((1428.5,), _LONG))),
    "sit-no-circuit": (-24, _information(((985.2,), _LONG), ((1428.5,), _LONG))),
    "sit": (-24, (((950,), 0.33), ((1400,), 0.33), ((1800,), 0.33), ((), 1.0))),
    "uk-ringback": (-19, (((400, 450), 0.4), ((), 0.2), ((400, 450), 0.4), ((), 2.0))),
    "uk-busy": (-24, (((400,), 0.375), ((), 0.375))),
    "uk-congestion": (-24, (((400,), 0.4), ((), 0.35), ((400,), 0.225), ((), 0.525))),
    "eu-dial": (-13, (((425,), 1.0),)),
    "eu-ringback": (-19, (((425,), 1.0), ((), 4.0))),
    "eu-busy": (-19, (((425,), 0.5), ((), 0.5))),
    "eu-congestion": (-19, (((425,), 0.25), ((), 0.25))),
    "fax-calling": (-13, (((1100,), 0.5), ((), 3.0))),
    "fax-answer": (-13, (((2100,), 3.0), ((), 3.0))),
}
"""Name → (dBm0 of each of its tones, one period of bursts and pauses)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What has to be heard before a tone is one: bursts in their order, the last of them over, or one that lasts."""

    name: str
    bursts: tuple[Burst, ...]
    lasting: bool = False
    """The one burst need not be over."""
    slack_s: float = 0.0
    """How far a burst or pause may be off; 0 is a fifth of it and 40 ms."""

    def off_by(self, seconds: float) -> float:
        return self.slack_s or 0.2 * seconds + 0.04

    @property
    def seconds(self) -> float:
        return sum(seconds for _, seconds in self.bursts)

    @property
    def pause_s(self) -> float:
        """The longest silence of the tone, after which it is over."""
        return max((seconds for hertz, seconds in TONES[self.name][1] if not hertz), default=0.0)


def _repeated(name: str, sounds: int) -> Pattern:
    """So many bursts with the pauses between them."""
    taken: list[Burst] = []
    for burst in cycle(TONES[name][1]):
        taken.append(burst)
        sounds -= bool(burst[0])
        if not sounds:
            return Pattern(name, tuple(taken))
    raise AssertionError(name)


def _lasting(name: str, seconds: float) -> Pattern:
    return Pattern(name, ((TONES[name][1][0][0], seconds),), lasting=True)


def _segments(name: str, bursts: tuple[Burst, ...], slack_s: float) -> Pattern:
    return Pattern(name, tuple(burst for burst in bursts if burst[0]), slack_s=slack_s)


_BETWEEN_SHORT_AND_LONG_S = (_LONG - _SHORT) / 2 - 0.003

PATTERNS: tuple[Pattern, ...] = (
    _lasting("dial", 1.0),
    _repeated("stutter", 3),
    _repeated("ringback", 1),
    _repeated("busy", 2),
    _repeated("reorder", 2),
    _repeated("howler", 3),
    _lasting("milliwatt", 2.0),
    *(
        _segments(name, TONES[name][1], _BETWEEN_SHORT_AND_LONG_S)
        for name in ("sit-intercept", "sit-vacant", "sit-reorder", "sit-no-circuit")
    ),
    _segments("sit-reorder", _information(((985.2,), _SHORT), ((1370.6,), _LONG)), _BETWEEN_SHORT_AND_LONG_S),
    _segments("sit-no-circuit", _information(((913.8,), _LONG), ((1370.6,), _LONG)), _BETWEEN_SHORT_AND_LONG_S),
    _segments("sit", TONES["sit"][1], 0.07),
    _repeated("uk-ringback", 2),
    _repeated("uk-busy", 3),
    _repeated("uk-congestion", 3),
    _lasting("eu-dial", 2.0),
    _repeated("eu-ringback", 2),
    _repeated("eu-busy", 3),
    _repeated("eu-congestion", 3),
    _repeated("fax-calling", 2),
    _lasting("fax-answer", 2.0),
)
"""What is recognised, and when. One frequency alone is whistled easily: it takes more bursts than a pair does.

The beep and the call waiting tone are none: they say nothing of how a call goes, and 300 ms of 440 Hz may be anything.
"""


def sure_after_s(name: str) -> float | None:
    """Return how long a tone sounds before it is recognised; None for one that never is."""
    return next((pattern.seconds for pattern in PATTERNS if pattern.name == name), None)
