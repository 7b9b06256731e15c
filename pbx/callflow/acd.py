"""Automatic call distribution: one function re-run after every join, leave, answer or agent change.

Pure: callers × agents → offers. What is remembered between runs is a value handed in and out by its owner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller without an offer; `tried` are the agents that did not answer in this round of the hunt."""

    call: str
    tried: tuple[str, ...] = ()
    round: int = 1
    """Which offer the next one is for this caller."""


@dataclass(frozen=True, slots=True)
class Offer:
    call: str
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a strategy may know when it chooses whom to ring for one caller."""

    free: tuple[str, ...]
    """In the queue's order, never empty."""
    tried: tuple[str, ...] = ()
    round: int = 1
    busy_at: Mapping[str, float] = field(default_factory=dict)
    """When each agent was last busy for a queue; who never was has idled longest."""
    tier_of: Mapping[str, int] = field(default_factory=dict)
    initial: int = 0
    """Agents to ring in the first round, 0 for as many as the strategy likes."""
    increment: int = 1
    """Agents added in each further round."""

    @property
    def at_once(self) -> int:
        """How many agents this round may ring."""
        return (self.initial or 1) + self.increment * (self.round - 1)

    @property
    def fresh(self) -> tuple[str, ...]:
        """Who has not been tried in this pass; everybody when all have."""
        return tuple(agent for agent in self.free if agent not in self.tried) or self.free

    def by_idleness(self, agents: Sequence[str]) -> list[str]:
        """Return agents, whoever idles longest first; the queue's order decides between equals."""
        return sorted(agents, key=lambda agent: self.busy_at.get(agent, float("-inf")))


Choose = Callable[[Waiting, tuple[str, ...]], tuple[str, ...]]
"""(caller, agents still free) → whom to ring, nobody when the queue does not ring agents."""


def assign(waiting: Sequence[Waiting], free: Sequence[str], choose: Choose) -> list[Offer]:
    """Offer each waiting caller, longest wait first, the agents `choose` names; an agent is offered one caller."""
    offers = []
    left = tuple(free)
    for caller in waiting:
        agents = choose(caller, left) if left else ()
        if agents:
            offers.append(Offer(caller.call, agents))
            left = tuple(agent for agent in left if agent not in agents)
    return offers
