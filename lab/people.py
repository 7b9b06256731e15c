"""What a running plan asks of people: what to press on a phone that nothing drives, what only they can see.

A request is ticked by observation wherever the switch can witness it; an answer bears a name and a moment. Somebody
attends as long as a page or a program that shows requests has asked for them lately.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pbx.clock import Moment

ATTENDS_S = 15.0
"""How long who asked for the requests counts as being there."""
MOST = 200
ANSWERS = ("yes", "no", "skip")


@dataclass(slots=True)
class Asked:
    """One request."""

    number: int
    text: str
    device: str
    """Whose phone it is about; empty for none."""
    question: str
    """What only a person can say; empty for something to be done, which is ticked by observation."""
    at: Moment
    state: str = "open"
    """`open`, `observed`, `answered`, `withdrawn`."""
    seen: str = ""
    """What was observed instead, so far."""
    answer: str = ""
    """Among ANSWERS."""
    by: str = ""
    answered_at: Moment | None = None


class People:
    """Owns the requests of the newest runs; `changed` is told when one is another."""

    def __init__(self, now: Callable[[], Moment]) -> None:
        self._now = now
        self._asked: list[Asked] = []
        self._number = 0
        self._seen_at = float("-inf")
        self.changed: Callable[[], None] = lambda: None
        self.watched: Callable[[], bool] = lambda: False
        """Tells whether a page is open that shows the requests."""

    @property
    def attended(self) -> bool:
        return self.watched() or self._now().mono - self._seen_at < ATTENDS_S

    def attend(self) -> None:
        """Somebody looks."""
        self._seen_at = self._now().mono

    def requests(self) -> list[Asked]:
        """Those still open first, then the newest."""
        return sorted(self._asked, key=lambda asked: (asked.state != "open", -asked.number))

    def ask(self, text: str, device: str = "", question: str = "") -> Asked:
        self._number += 1
        asked = Asked(self._number, text, device, question, self._now())
        self._asked = [*self._asked[-MOST + 1 :], asked]
        self.changed()
        return asked

    def answer(self, number: int, answer: str, by: str) -> Asked:
        """KeyError when there is no such open request; ValueError when it is no answer, or nobody's."""
        asked = next((one for one in self._asked if one.number == number and one.state == "open"), None)
        if asked is None:
            raise KeyError(number)
        if answer not in ANSWERS or (answer == "yes" and not asked.question):
            raise ValueError(f"answer with {', '.join(ANSWERS if asked.question else ANSWERS[1:])}, not {answer!r}")
        if not by.strip():
            raise ValueError("an answer needs the name of who gives it")
        asked.state, asked.answer, asked.by, asked.answered_at = "answered", answer, by.strip()[:80], self._now()
        self.changed()
        return asked

    def observed(self, asked: Asked) -> None:
        self._close(asked, "observed")

    def withdraw(self, asked: Asked) -> None:
        self._close(asked, "withdrawn")

    def instead(self, asked: Asked, seen: str) -> None:
        """Tell the person what was observed that is not what was asked for."""
        if seen and seen != asked.seen:
            asked.seen = seen
            self.changed()

    def _close(self, asked: Asked, state: str) -> None:
        if asked.state == "open":
            asked.state = state
            self.changed()
