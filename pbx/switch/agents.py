"""Agents while the switch runs: their status in each queue, when they were busy last, wrap-up and rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from pbx.domain.queues import Agent, AgentStatus, Queue, person

REST_S = 1.0
"""After a missed or refused offer: a phone that refuses at once must not be rung without end."""


class Agents:
    """Owns the live state of agents. Statuses belong to an agent in a queue, the rest to a person wherever it works."""

    def __init__(self) -> None:
        self.busy_at: dict[str, float] = {}
        """When each agent was last offered a call or ended one, by name: who idles longest."""
        self._statuses: dict[tuple[str, str], AgentStatus] = {}
        self._wrapped_up_at: dict[str, float] = {}
        self._rested_at: dict[str, float] = {}
        self._talking: Counter[str] = Counter()

    def statuses(self) -> Mapping[tuple[str, str], AgentStatus]:
        """Return what has been changed since configuration, by (queue, agent)."""
        return dict(self._statuses)

    def status(self, queue: str, agent: Agent) -> AgentStatus:
        said = self._statuses.get((queue, agent.name))
        return agent.status_after(said) if said is not None else agent.status

    def set_status(self, queue: str, agent: Agent, status: AgentStatus) -> bool:
        """Return whether that was a change, which it never is of one who is disabled."""
        if self.status(queue, agent) is status or agent.disabled:
            return False
        self._statuses[queue, agent.name] = status
        return True

    def prune(self, queues: Mapping[str, Queue]) -> None:
        """Forget the status of agents their queue no longer has."""
        for extension, name in list(self._statuses):
            queue = queues.get(extension)
            if queue is None or queue.agent(name) is None:
                del self._statuses[extension, name]

    def offered(self, names: Collection[str], now: float) -> None:
        self.busy_at.update(dict.fromkeys(names, now))

    def missed(self, names: Collection[str], now: float) -> None:
        self.busy_at.update(dict.fromkeys(names, now))
        self._rested_at.update(dict.fromkeys(map(person, names), now + REST_S))

    def answered(self, name: str) -> None:
        self._talking[person(name)] += 1

    def talked(self, name: str, wrap_up_s: float, now: float) -> None:
        """A call from a queue is over: the wrap-up begins."""
        self.busy_at[name] = now
        self._wrapped_up_at[person(name)] = now + wrap_up_s
        self._talking[person(name)] -= 1

    def calls(self, name: str) -> int:
        """Return how many calls from queues an agent has, for those whose phones are not ours."""
        return self._talking[person(name)]

    def has_wrapped_up(self, name: str, now: float) -> bool:
        return self._wrapped_up_at.get(person(name), 0.0) <= now

    def rests(self, name: str, now: float) -> bool:
        return self._rested_at.get(person(name), 0.0) > now

    def ends(self, name: str) -> Iterator[float]:
        """When an agent's wrap-up and rest end, if it had any."""
        for ends in (self._wrapped_up_at, self._rested_at):
            if (end := ends.get(person(name))) is not None:
                yield end
