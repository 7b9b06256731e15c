"""Linear hunt: always from the top of the list; who did not answer is passed over until the list is through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def choose(free: Sequence[str], tried: Sequence[str], busy_at: Mapping[str, float]) -> tuple[str, ...]:
    fresh = [agent for agent in free if agent not in tried]
    return ((fresh or list(free))[0],)
