"""When mail that could not be sent is tried again: soon, then ever later; nothing is given up."""

from __future__ import annotations

from collections.abc import Iterable

from pbx.clock import FOREVER
from pbx.domain.kept import Notice

PAUSES_S = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""After the first failure, the second, …; the last one from then on."""


class Rounds:
    """Knows which notices are due. After a restart all are: whatever kept them back may be over."""

    def __init__(self) -> None:
        self._not_before: dict[str, float] = {}

    def due(self, notices: Iterable[Notice], now: float) -> Notice | None:
        """Return the oldest notice that may be tried now (monotonic seconds)."""
        waiting = (notice for notice in notices if not notice.refused)
        return next((notice for notice in waiting if self._not_before.get(notice.id, 0.0) <= now), None)

    def failed(self, notice: Notice, now: float) -> None:
        pause_s = PAUSES_S[min(notice.tries, len(PAUSES_S) - 1)]
        self._not_before[notice.id] = now + pause_s

    def done(self, notice: Notice) -> None:
        self._not_before.pop(notice.id, None)

    def next(self, notices: Iterable[Notice]) -> float:
        """Return when the next one is due."""
        waiting = [notice for notice in notices if not notice.refused]
        return min((self._not_before.get(notice.id, 0.0) for notice in waiting), default=FOREVER)
