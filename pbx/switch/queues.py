"""Live queues: who waits, who is being offered what. `acd.assign` decides, this remembers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from pbx.callflow.acd import Hunt, Offer, Waiting, assign
from pbx.catalogue import plug_ins
from pbx.clock import FOREVER
from pbx.domain.queues import Agent, AgentStatus, Queue, person
from pbx.switch.agents import Agents

STRATEGIES: dict[str, ModuleType] = plug_ins("pbx.callflow.strategies", needs="choose")
WAITS_KEPT = 20
WAITS_COUNT_S = 3600.0
"""The wait to expect is the mean of the newest waits that ended in an answer, none older than this."""


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
    waits: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=WAITS_KEPT))
    """(when answered, seconds waited)."""

    def caller(self, call: str) -> _Caller | None:
        return next((caller for caller in self.callers if caller.call == call), None)

    @property
    def wanting(self) -> list[_Caller]:
        return [caller for caller in self.callers if caller.wants_offer]


@dataclass(frozen=True, slots=True)
class Made:
    """An offer as it was made; `round` counts those of that caller."""

    queue: str
    offer: Offer
    round: int


class Queues:
    """Owns the lines of every queue."""

    def __init__(self) -> None:
        self.agents = Agents()
        self._lines: dict[str, _Line] = {}
        self._in_line = 0
        """Callers of all lines."""

    def join(self, queue: Queue, call: str, reachable: Callable[[Agent], bool], now: float) -> int:
        """Stand in line; return the place from 1, or 0 when the queue takes nobody."""
        line = self._lines.setdefault(queue.extension, _Line())
        if queue.max_callers and len(line.callers) >= queue.max_callers:
            return 0
        if queue.require_agents and not any(reachable(agent) for agent in self._at_work(queue)):
            return 0
        if queue.max_expected_wait_s and self.expected_wait_s(queue.extension, now) >= queue.max_expected_wait_s:
            return 0
        line.callers.append(_Caller(call, now))
        self._in_line += 1
        return len(line.callers)

    def place(self, extension: str, call: str) -> int:
        """Return a caller's place from 1, 0 for one who is not in the line."""
        calls = self.calls_in(extension)
        return calls.index(call) + 1 if call in calls else 0

    def calls_in(self, extension: str) -> list[str]:
        """Return the calls in line, in their order."""
        line = self._lines.get(extension)
        return [caller.call for caller in line.callers] if line else []

    def line(self, extension: str) -> list[tuple[str, float]]:
        """Return who stands in line, in order: (call, monotonic seconds when it came)."""
        line = self._lines.get(extension)
        return [(caller.call, caller.joined_at) for caller in line.callers] if line else []

    def longest_waiting(self, extension: str) -> str:
        """Return the call first in line that has heard the greeting, empty when nobody waits."""
        line = self._lines.get(extension)
        return next((caller.call for caller in line.callers if caller.ready), "") if line else ""

    def expected_wait_s(self, extension: str, now: float) -> float:
        """Return the wait to expect: 0 while nobody waits, so that a queue that once was slow takes callers again."""
        line = self._lines.get(extension)
        if line is None or not line.callers:
            return 0.0
        waits = [waited for at, waited in line.waits if at > now - WAITS_COUNT_S]
        return sum(waits) / len(waits) if waits else 0.0

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
        self._in_line -= 1
        return now - caller.joined_at

    def answered(self, queue: Queue | None, extension: str, agent: str, waited_s: float, now: float) -> bool:
        """An agent took a caller, who has left the line; return whether that logged the agent out (one call)."""
        self._lines[extension].waits.append((now, waited_s))
        self.agents.answered(agent)
        known = queue.agent(agent) if queue is not None else None
        if known is None or self.agents.status(extension, known) is not AgentStatus.ONE_CALL:
            return False
        return self.agents.set_status(extension, known, AgentStatus.LOGGED_OUT)

    def missed(
        self, queue: Queue | None, extension: str, call: str, agents: Collection[str], now: float
    ) -> tuple[str, ...]:
        """Nobody of those offered answered: the caller waits again, the agents rest; return who is logged out."""
        line = self._lines.get(extension)
        caller = line.caller(call) if line else None
        if line is None or caller is None:
            return ()
        self.agents.missed(agents, now)
        caller.offered = ()
        caller.tried = (*caller.tried, *agents)
        logged_out = self._log_out(queue, agents) if queue is not None and queue.logout_after_miss else ()
        everybody = {agent.name for agent in self._at_work(queue)} if queue is not None else set()
        if everybody <= set(caller.tried):
            caller.tried = ()
        return logged_out

    def talked(self, queue: Queue | None, agent: str, now: float) -> float:
        """An agent has left a call from the queue: the wrap-up begins; return how long it is."""
        known = queue.agent(agent) if queue is not None else None
        wrap_up_s = known.wrap_up_s if known is not None else 0.0
        self.agents.talked(agent, wrap_up_s, now)
        return wrap_up_s

    def offers(self, queues: Mapping[str, Queue], is_free: Callable[[Agent], bool], now: float) -> list[Made]:
        """Return the new offers of all queues.

        First every agent serves the queue it puts first (`priority`) of those that have callers; who is left over then
        serves any. A queue whose strategy wants somebody who rests waits for them.
        """
        if not self._in_line:
            return []  # asked after every input, and mostly nobody waits anywhere
        waiting = self._waiting(queues)
        if not waiting:
            return []
        engaged = {person(a) for line in self._lines.values() for caller in line.callers for a in caller.offered}
        first = self._first_choice(waiting)
        patient: set[str] = set()
        made: list[Made] = []
        for limits in (first, {}):
            for queue in waiting:
                free = [
                    agent.name
                    for agent in self._at_work(queue)
                    if agent.priority <= limits.get(person(agent.name), agent.priority)
                    and person(agent.name) not in engaged
                    and self.agents.has_wrapped_up(agent.name, now)
                    and is_free(agent)
                ]
                line = self._lines[queue.extension]
                callers = [_waits(caller) for caller in line.wanting if caller.call not in patient]
                for offer in assign(callers, free, self._chooser(queue)):
                    engaged.update(map(person, offer.agents))
                    if any(self.agents.rests(agent, now) for agent in offer.agents):
                        patient.add(offer.call)
                    else:
                        made.append(self._make(queue, offer, now))
        return made

    def waiting(self) -> list[str]:
        """Return the queues somebody waits in for an offer."""
        return [extension for extension, line in self._lines.items() if line.wanting]

    def next_deadline(self, queues: Mapping[str, Queue], now: float) -> float:
        """The end of a wrap-up or rest somebody waits for."""
        if not self._in_line:
            return FOREVER
        waiting = self._waiting(queues)
        return min(
            (end for queue in waiting for agent in queue.agents for end in self.agents.ends(agent.name) if end > now),
            default=FOREVER,
        )

    def live(self) -> int:
        return self._in_line

    # --- parts ----------------------------------------------------------------------------------------

    def _at_work(self, queue: Queue) -> list[Agent]:
        """Agents who take calls, in the queue's order."""
        return [agent for agent in queue.in_order if self.agents.status(queue.extension, agent).takes_calls]

    def _waiting(self, queues: Mapping[str, Queue]) -> list[Queue]:
        """Queues with callers who want an offer, the longest wait first."""
        found = [(line.wanting[0].joined_at, queues[name]) for name, line in self._lines.items()
                 if name in queues and line.wanting]  # fmt: skip
        return [queue for _, queue in sorted(found, key=lambda each: each[0])]

    def _first_choice(self, waiting: Iterable[Queue]) -> dict[str, int]:
        """Return each person's lowest priority number among these queues."""
        best: dict[str, int] = {}
        for queue in waiting:
            for agent in self._at_work(queue):
                who = person(agent.name)
                best[who] = min(best.get(who, agent.priority), agent.priority)
        return best

    def _chooser(self, queue: Queue) -> Callable[[Waiting, tuple[str, ...]], tuple[str, ...]]:
        choose: Callable[[Hunt], tuple[str, ...]] = STRATEGIES[queue.strategy].choose
        tier_of = {agent.name: agent.order for agent in queue.agents}
        return lambda caller, free: choose(
            Hunt(
                free, caller.tried, caller.round, self.agents.busy_at, tier_of, queue.initial_agents, queue.added_agents
            )
        )

    def _make(self, queue: Queue, offer: Offer, now: float) -> Made:
        caller = self._lines[queue.extension].caller(offer.call)
        assert caller is not None
        caller.offered = offer.agents
        caller.rounds += 1
        self.agents.offered(offer.agents, now)
        return Made(queue.extension, offer, caller.rounds)

    def _log_out(self, queue: Queue, names: Iterable[str]) -> tuple[str, ...]:
        known = [agent for name in names if (agent := queue.agent(name)) is not None]
        return tuple(
            agent.name for agent in known if self.agents.set_status(queue.extension, agent, AgentStatus.LOGGED_OUT)
        )


def _waits(caller: _Caller) -> Waiting:
    return Waiting(caller.call, caller.tried, caller.rounds + 1)
