"""Round robin: the free agent who has waited longest for a call (longest idle)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def choose(free: Sequence[str], tried: Sequence[str], busy_at: Mapping[str, float]) -> tuple[str, ...]:
    order = {agent: place for place, agent in enumerate(free)}
    return (min(free, key=lambda agent: (busy_at.get(agent, -1.0), order[agent])),)
