"""Automatic call distribution: one function re-run after every join, leave, answer or agent change.

Pure: callers × agents → offers. What is remembered between runs is a value handed in and out by its owner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller without an offer; `tried` are the agents that did not answer in this round of the hunt."""

    call: str
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    call: str
    agents: tuple[str, ...]


Choose = Callable[[Sequence[str], Sequence[str], Mapping[str, float]], tuple[str, ...]]
"""(free agents in queue order, agents tried for this caller, when each was last busy for the queue) → whom to ring."""


def assign(
    waiting: Sequence[Waiting], free: Sequence[str], busy_at: Mapping[str, float], choose: Choose
) -> list[Offer]:
    """Offer each waiting caller, longest wait first, the agents `choose` names; an agent is offered one caller."""
    offers = []
    left = list(free)
    for caller in waiting:
        agents = choose(left, caller.tried, busy_at) if left else ()
        if agents:
            offers.append(Offer(caller.call, agents))
            left = [agent for agent in left if agent not in agents]
    return offers
