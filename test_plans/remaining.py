"""How long a run may still take: by what its cases took before, and by how fast this run goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

UNKNOWN_S = 10.0
"""What a case is taken to last while nobody knows."""


class Remaining:
    """Owns what is known of one run; `known` are seconds of its cases in an earlier one."""

    def __init__(self, cases: Iterable[str], known: Mapping[str, float]) -> None:
        self._open = dict.fromkeys(cases)
        self._known = dict(known)
        self._done_s = 0.0
        """What the cases that are over were expected to take."""
        self._took: list[float] = []

    def over(self, case: str, seconds: float) -> None:
        """A case has ended after so many seconds; one that was left out took none."""
        if case in self._open:
            del self._open[case]
            self._took.append(seconds)
            self._done_s += self._expected(case)

    @property
    def cases(self) -> int:
        """How many are not over."""
        return len(self._open)

    def left_s(self, elapsed_s: float) -> float:
        """Return the seconds still to go after so many; cases side by side show in how fast it went so far."""
        work_s = sum(map(self._expected, self._open))
        return work_s * elapsed_s / self._done_s if self._done_s else work_s

    def _expected(self, case: str) -> float:
        return self._known.get(case) or (sum(self._took) / len(self._took) if any(self._took) else UNKNOWN_S)


def in_words(left_s: float) -> str:
    """`about 12 min left`; by the minute above one, for nobody knows it better."""
    return f"about {round(left_s / 60)} min left" if left_s >= 90 else f"about {max(round(left_s / 5) * 5, 5)} s left"
