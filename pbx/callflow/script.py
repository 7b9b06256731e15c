"""Scripts: generator functions that read top to bottom and pause only at `yield`.

A script yields a `Wait`; it is resumed with the event it waits for, or with TIMED_OUT. `yield from` composes.
Hanging up is `close()`, so cleanup is an ordinary `finally`. Nothing here knows calls: plan steps are scripts too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from pbx.clock import FOREVER

R = TypeVar("R")

MOST_AHEAD = 64
"""Events kept for later questions; more are dropped, so that a flood of keys costs nothing."""


class TimedOut(Enum):
    TIMED_OUT = "timed out"


TIMED_OUT = TimedOut.TIMED_OUT


@dataclass(frozen=True, slots=True)
class Wait:
    """Pause until an event is accepted or the time is over."""

    accepts: Callable[[object], bool]
    within_s: float = FOREVER


def until(*kinds: type, within_s: float = FOREVER, where: Callable[[Any], bool] | None = None) -> Wait:
    """Wait for an event of these classes (that `where` holds for)."""
    if where is None:
        return Wait(lambda event: isinstance(event, kinds), within_s)
    return Wait(lambda event: isinstance(event, kinds) and where(event), within_s)


Script = Generator[Wait, Any, R]

E = TypeVar("E")


def beside(
    script: Script[R], kind: type[E] | tuple[type[E], ...], react: Callable[[E], None], now: Callable[[], float]
) -> Script[R]:
    """Run `script`, and `react` to events of a kind (or several) that come while it waits for something else."""
    news: Any = None
    try:
        while True:
            wait = script.send(news)
            end = now() + wait.within_s
            while True:
                news = yield Wait(_or(wait.accepts, kind), max(0.0, end - now()))
                if news is TIMED_OUT or wait.accepts(news):
                    break
                react(news)
    except StopIteration as stop:
        result: R = stop.value
        return result
    finally:
        script.close()


def _or(accepts: Callable[[object], bool], kind: type | tuple[type, ...]) -> Callable[[object], bool]:
    return lambda event: accepts(event) or isinstance(event, kind)


class Running(Generic[R]):
    """A script in progress; owned by whoever feeds it."""

    def __init__(self, script: Script[R], *, keeps: Callable[[object], bool] = lambda event: False) -> None:
        """`keeps` tells which unexpected events wait for a later question (keys typed ahead)."""
        self._script = script
        self._keeps = keeps
        self._ahead: deque[object] = deque()
        self._wait: Wait | None = None
        self._deadline = FOREVER
        self.dropped: deque[object] = deque(maxlen=32)
        """The newest events nobody waited for, to find out why a script did not go on."""
        self.done = False
        self.result: R | None = None

    @property
    def deadline(self) -> float:
        return FOREVER if self.done else self._deadline

    def start(self, now: float) -> None:
        """Run to the first pause; a script may return before it has any."""
        self._resume(None, now)

    def feed(self, event: object, now: float) -> bool:
        """Give the script an event; False when nobody waited for it and it was dropped."""
        if not self.done and self._wait is not None:
            if self._wait.accepts(event):
                self._resume(event, now)
                return True
            if len(self._ahead) < MOST_AHEAD and self._keeps(event):
                self._ahead.append(event)
                return True
        self.dropped.append(event)
        return False

    def tick(self, now: float) -> None:
        while not self.done and self._deadline <= now:
            self._resume(TIMED_OUT, now)

    def close(self) -> None:
        """End it where it stands; its `finally` blocks run."""
        if not self.done:
            self.done = True
            self._script.close()

    def _resume(self, value: object, now: float) -> None:
        while True:
            try:
                self._wait = self._script.send(value)
            except StopIteration as stop:
                self.done, self.result, self._wait = True, stop.value, None
                return
            except BaseException:
                self.done, self._wait = True, None
                raise
            self._deadline = now + self._wait.within_s
            early = next((event for event in self._ahead if self._wait.accepts(event)), None)
            if early is None:
                return
            self._ahead.remove(early)
            value = early
