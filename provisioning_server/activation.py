"""Activation codes: a person types one into a phone nobody knows, and the phone is a user's from then on.

Sixteen digits, good once and for a while. The makers' services carry them here (`redirect`).
"""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = 16
GOOD_FOR_S = 7 * 86_400.0
MOST = 1000


@dataclass(frozen=True, slots=True)
class Activation:
    code: str
    extension: str
    until: float
    """POSIX seconds."""


class Activations:
    def __init__(self) -> None:
        self._codes: dict[str, Activation] = {}

    def issue(self, extension: str, random: int, now: float) -> Activation:
        """Make a code for a user out of `random` bits; an older code of the user counts no more."""
        self._codes = {code: one for code, one in self._codes.items() if one.extension != extension and one.until > now}
        if len(self._codes) >= MOST:
            del self._codes[next(iter(self._codes))]
        made = Activation(f"{random % 10**DIGITS:0{DIGITS}d}", extension, now + GOOD_FOR_S)
        self._codes[made.code] = made
        return made

    def whose(self, code: str, now: float) -> str:
        """Return whose phone brings this code; empty for a code that is none, or too old."""
        found = self._codes.get(code)
        return found.extension if found is not None and now < found.until else ""

    def used(self, code: str) -> None:
        self._codes.pop(code, None)
