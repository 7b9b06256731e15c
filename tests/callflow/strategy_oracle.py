"""What each queue strategy must choose, written from domain-features 1.7 alone: imports nothing of `callflow`.

Everything is done the slow way: walk the list, cross people off, compare by hand.
"""

from __future__ import annotations

from typing import NamedTuple


class Scene(NamedTuple):
    """One moment at a queue: its list (name, tier) in order, and who is free, was tried, was busy when."""

    agents: list[tuple[str, int]]
    free: set[str]
    tried: set[str]
    busy_at: dict[str, float]
    round: int
    initial: int
    increment: int


def expected(strategy: str, scene: Scene) -> list[str]:
    """Return whom to ring, in the order they are named."""
    standing_by = [name for name, _ in scene.agents if name in scene.free]
    if strategy == "call_park":
        return []
    if strategy == "ring_all":
        if scene.initial == 0:
            return standing_by
        return _take(_longest_idle_first(standing_by, scene), scene.initial, scene)
    if strategy == "linear_cascade":
        return _take(standing_by, scene.initial if scene.initial > 0 else 1, scene)
    if strategy == "round_robin":
        return [_longest_idle_first(standing_by, scene)[0]]
    untried = [name for name in standing_by if name not in scene.tried]
    if not untried:
        untried = standing_by
    if strategy == "linear_hunt":
        return [untried[0]]
    if strategy == "tiered_round_robin":
        for tier in range(100):
            here = [name for name, of in scene.agents if of == tier and name in untried]
            if here:
                return [_longest_idle_first(here, scene)[0]]
    raise AssertionError(f"no oracle for {strategy}")


def _take(names: list[str], first: int, scene: Scene) -> list[str]:
    many = first
    for _ in range(scene.round - 1):
        many += scene.increment
    return names[:many]


def _longest_idle_first(names: list[str], scene: Scene) -> list[str]:
    """Selection by hand: who never was busy goes first, then the earliest; the list decides between equals."""
    left, sorted_ = list(names), []
    while left:
        best = left[0]
        for name in left[1:]:
            if best in scene.busy_at and (name not in scene.busy_at or scene.busy_at[name] < scene.busy_at[best]):
                best = name
        left.remove(best)
        sorted_.append(best)
    return sorted_
