"""Live queues: who waits, who is being offered what. `acd.assign` decides, this remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType

from pbx.callflow.acd import Offer, Waiting, assign
from pbx.catalogue import plug_ins
from pbx.clock import FOREVER
from pbx.domain.queues import Queue

STRATEGIES: dict[str, ModuleType] = plug_ins("pbx.callflow.strategies", needs="choose")


@dataclass(slots=True)
class _Caller:
    call: str
    joined_at: float
    tried: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    rounds: int = 0


@dataclass(slots=True)
class _Line:
    callers: list[_Caller] = field(default_factory=list)
    offered_at: dict[str, float] = field(default_factory=dict)
    wrapping_until: dict[str, float] = field(default_factory=dict)


class Queues:
    """Owns the lines of every queue."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def join(self, queue: Queue, call: str, reachable: Callable[[str], bool], now: float) -> int:
        """Stand in line; return the place from 1, or 0 when the queue takes nobody."""
        line = self._lines.setdefault(queue.extension, _Line())
        if queue.max_callers and len(line.callers) >= queue.max_callers:
            return 0
        if queue.require_agents and not any(agent.available and reachable(agent.extension) for agent in queue.agents):
            return 0
        line.callers.append(_Caller(call, now))
        return len(line.callers)

    def leave(self, queue: Queue, call: str, now: float) -> float | None:
        """Leave the line; return the seconds waited, None when the call was not in it."""
        line = self._lines.get(queue.extension)
        caller = next((c for c in line.callers if c.call == call), None) if line else None
        if line is None or caller is None:
            return None
        line.callers.remove(caller)
        return now - caller.joined_at

    def missed(self, queue: Queue, call: str, agents: Iterable[str]) -> None:
        """Nobody of those offered answered: the caller waits again, the agents are free again."""
        for caller in self._lines.get(queue.extension, _Line()).callers:
            if caller.call == call:
                caller.offered = ()
                caller.tried = (*caller.tried, *agents)
                if set(caller.tried) >= {agent.extension for agent in queue.agents if agent.available}:
                    caller.tried = ()

    def talked(self, queue: Queue, agent: str, now: float) -> None:
        """An agent's call from the queue is over: the wrap-up begins."""
        wrap_up = next((a.wrap_up_s for a in queue.agents if a.extension == agent), 0.0)
        if wrap_up:
            self._lines.setdefault(queue.extension, _Line()).wrapping_until[agent] = now + wrap_up

    def offers(self, queue: Queue, is_free: Callable[[str], bool], now: float) -> list[tuple[Offer, int]]:
        """Return the new offers, each with the round it is for that caller."""
        line = self._lines.get(queue.extension)
        if line is None or not line.callers:
            return []
        ringing = {agent for every in self._lines.values() for c in every.callers for agent in c.offered}
        free = [
            agent.extension
            for agent in sorted(queue.agents, key=lambda agent: agent.order)
            if agent.available
            and agent.extension not in ringing
            and line.wrapping_until.get(agent.extension, 0.0) <= now
            and is_free(agent.extension)
        ]
        waiting = [Waiting(c.call, c.tried) for c in line.callers if not c.offered]
        made = []
        for offer in assign(waiting, free, line.offered_at, STRATEGIES[queue.strategy].choose):
            caller = next(c for c in line.callers if c.call == offer.call)
            caller.offered = offer.agents
            caller.rounds += 1
            for place, agent in enumerate(offer.agents):
                line.offered_at[agent] = now + place * 1e-6  # one moment, yet an order among them
            made.append((offer, caller.rounds))
        return made

    def waiting(self) -> list[str]:
        """Return the queues somebody waits in."""
        return [extension for extension, line in self._lines.items() if any(not c.offered for c in line.callers)]

    def next_deadline(self, now: float) -> float:
        """The end of a wrap-up somebody waits for."""
        ends = [
            end
            for line in self._lines.values()
            if any(not c.offered for c in line.callers)
            for end in line.wrapping_until.values()
            if end > now
        ]
        return min(ends, default=FOREVER)

    def live(self) -> int:
        return sum(len(line.callers) for line in self._lines.values())
