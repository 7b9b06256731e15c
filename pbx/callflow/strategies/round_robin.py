"""Round robin: the free agent who has waited longest for a call (longest idle)."""

from __future__ import annotations

from collections.abc import Sequence


def choose(free: Sequence[str], tried: Sequence[str], offered_at: dict[str, float]) -> tuple[str, ...]:
    order = {agent: place for place, agent in enumerate(free)}
    return (min(free, key=lambda agent: (offered_at.get(agent, -1.0), order[agent])),)
