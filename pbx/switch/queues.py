"""Live queues: who waits, who is being offered what. `acd.assign` decides, this remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType

from pbx.callflow.acd import Offer, Waiting, assign
from pbx.catalogue import plug_ins
from pbx.clock import FOREVER
from pbx.domain.queues import Agent, Queue

STRATEGIES: dict[str, ModuleType] = plug_ins("pbx.callflow.strategies", needs="choose")
REST_S = 1.0
"""After a missed or refused offer: a phone that refuses at once must not be rung without end."""


@dataclass(slots=True)
class _Caller:
    call: str
    joined_at: float
    ready: bool = False
    """Has heard the greeting."""
    tried: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    rounds: int = 0

    @property
    def wants_offer(self) -> bool:
        return self.ready and not self.offered


@dataclass(slots=True)
class _Line:
    callers: list[_Caller] = field(default_factory=list)
    busy_at: dict[str, float] = field(default_factory=dict)
    """When each agent was last offered a call or ended one: who idles longest."""
    free_from: dict[str, float] = field(default_factory=dict)
    """End of an agent's wrap-up or rest."""

    def caller(self, call: str) -> _Caller | None:
        return next((caller for caller in self.callers if caller.call == call), None)


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

    def ready(self, extension: str, call: str) -> None:
        """The caller may be offered agents from now on."""
        line = self._lines.get(extension)
        caller = line.caller(call) if line else None
        if caller is not None:
            caller.ready = True

    def leave(self, extension: str, call: str, now: float) -> float | None:
        """Leave the line; return the seconds waited, None when the call was not in it."""
        line = self._lines.get(extension)
        caller = line.caller(call) if line else None
        if line is None or caller is None:
            return None
        line.callers.remove(caller)
        return now - caller.joined_at

    def missed(self, queue: Queue | None, extension: str, call: str, agents: Iterable[str], now: float) -> None:
        """Nobody of those offered answered: the caller waits again, the agents rest."""
        line = self._lines.get(extension)
        caller = line.caller(call) if line else None
        if line is None or caller is None:
            return
        for agent in agents:
            line.free_from[agent] = now + REST_S
        caller.offered = ()
        caller.tried = (*caller.tried, *agents)
        everybody = {agent.extension for agent in queue.agents if agent.available} if queue is not None else set()
        if everybody <= set(caller.tried):
            caller.tried = ()

    def talked(self, queue: Queue | None, extension: str, agent: str, now: float) -> None:
        """An agent has left a call from the queue: the wrap-up begins."""
        line = self._lines.get(extension)
        if line is None or queue is None:
            return
        wrap_up_s = next((known.wrap_up_s for known in queue.agents if known.extension == agent), 0.0)
        line.busy_at[agent] = now
        line.free_from[agent] = now + wrap_up_s

    def offers(self, queue: Queue, is_free: Callable[[str], bool], now: float) -> list[tuple[Offer, int]]:
        """Return the new offers, each with the round it is for that caller."""
        line = self._lines.get(queue.extension)
        if line is None or not any(caller.wants_offer for caller in line.callers):
            return []
        ringing = {agent for every in self._lines.values() for caller in every.callers for agent in caller.offered}
        free = [
            agent.extension
            for agent in sorted(queue.agents, key=_order)
            if agent.available
            and agent.extension not in ringing
            and line.free_from.get(agent.extension, 0.0) <= now
            and is_free(agent.extension)
        ]
        waiting = [Waiting(caller.call, caller.tried) for caller in line.callers if caller.wants_offer]
        made = []
        for offer in assign(waiting, free, line.busy_at, STRATEGIES[queue.strategy].choose):
            caller = line.caller(offer.call)
            assert caller is not None
            caller.offered = offer.agents
            caller.rounds += 1
            line.busy_at.update(dict.fromkeys(offer.agents, now))
            made.append((offer, caller.rounds))
        return made

    def waiting(self) -> list[str]:
        """Return the queues somebody waits in for an offer."""
        return [
            extension for extension, line in self._lines.items() if any(caller.wants_offer for caller in line.callers)
        ]

    def next_deadline(self, now: float) -> float:
        """The end of a wrap-up or rest somebody waits for."""
        return min(
            (end for name in self.waiting() for end in self._lines[name].free_from.values() if end > now),
            default=FOREVER,
        )

    def live(self) -> int:
        return sum(len(line.callers) for line in self._lines.values())


def _order(agent: Agent) -> int:
    return agent.order
