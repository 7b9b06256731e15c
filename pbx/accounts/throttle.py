"""Wrong logins are counted: who guesses waits, whoever is guessed at can still come in from elsewhere."""

from __future__ import annotations

from collections import deque

WITHIN_S = 900.0
PER_ADDRESS = 30
"""Wrong logins of one address within that time, for whomever."""
PER_LOGIN = 10
"""Of one address for one login."""
MOST_KEYS = 20_000


class Throttle:
    """Owns the failures of late."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], deque[float]] = {}

    def wait_s(self, address: str, login: str, at: float) -> float:
        """Return how long this one waits for the next try, 0 for not at all; `at` in seconds."""
        return max(self._wait_s((address, ""), PER_ADDRESS, at), self._wait_s((address, login), PER_LOGIN, at))

    def failed(self, address: str, login: str, at: float) -> None:
        for key, most in (((address, ""), PER_ADDRESS), ((address, login), PER_LOGIN)):
            failures = self._failures.pop(key, None) or deque(maxlen=most)
            failures.append(at)
            self._failures[key] = failures  # the newest stand last
        while len(self._failures) > MOST_KEYS:
            del self._failures[next(iter(self._failures))]

    def take_back(self, address: str) -> None:
        """Let go of the newest failure of an address: what was counted before it was known was right."""
        if failures := self._failures.get((address, "")):
            failures.pop()

    def succeeded(self, address: str, login: str) -> None:
        self._failures.pop((address, login), None)

    def _wait_s(self, key: tuple[str, str], most: int, at: float) -> float:
        failures = self._failures.get(key)
        return max(0.0, failures[0] + WITHIN_S - at) if failures and len(failures) >= most else 0.0
