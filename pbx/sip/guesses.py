"""Who has guessed wrong, and how slowly it may go on: by address, and by the user it guesses at.

Ten wrong answers are free; after them one attempt each 200 ms, until nothing wrong has come for a minute. A phone that
is registered is not held up by what strangers guess at its name: from its own flow it is always heard, from its own
address it is counted apart. What comes too soon is not looked at, so a right guess among many teaches nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

FREE = 10
SPACING_S = 0.2
FORGIVEN_S = 60.0
MOST_KEPT = 10_000
"""Addresses and names kept, the longest quiet leave first."""

Key = tuple[str, str]


@dataclass(slots=True)
class _Guesser:
    wrong: int
    forgiven_at: float
    next_at: float = 0.0


class Guesses:
    """Owns the counts; times are monotonic seconds."""

    def __init__(self) -> None:
        self._guessers: OrderedDict[Key, _Guesser] = OrderedDict()

    def may_try(self, keys: Iterable[Key], now: float) -> bool:
        """Return whether an attempt may be looked at now; a key is (`address`, host), (`user`, name) and the like."""
        slow = [guesser for key in keys if (guesser := self._known(key, now)) is not None and guesser.wrong >= FREE]
        if any(now < guesser.next_at for guesser in slow):
            return False
        for guesser in slow:
            guesser.next_at = now + SPACING_S
        return True

    def wrong(self, keys: Iterable[Key], now: float) -> list[Key]:
        """Count a wrong answer; return the keys that are slowed down from now on."""
        slowed = []
        for key in keys:
            guesser = self._known(key, now) or _Guesser(0, 0.0)
            guesser.wrong += 1
            guesser.forgiven_at = now + FORGIVEN_S
            self._guessers[key] = guesser
            self._guessers.move_to_end(key)
            if guesser.wrong == FREE:
                slowed.append(key)
        while len(self._guessers) > MOST_KEPT:
            self._guessers.popitem(last=False)
        return slowed

    def _known(self, key: Key, now: float) -> _Guesser | None:
        guesser = self._guessers.get(key)
        if guesser is not None and guesser.forgiven_at <= now:
            del self._guessers[key]
            return None
        return guesser
