"""A call in a queue: its place, the agents it is offered to, who took it; and the caller as an agent."""

from __future__ import annotations

from pbx.callflow.ports import CallbackRemoved, CallbackSaved
from pbx.domain.kept import KeptCallback
from pbx.domain.queues import AgentStatus
from pbx.events import AgentOffered, AgentStatusChanged, QueueJoined, QueueLeft
from pbx.switch.call_state import CallState


class QueueSide(CallState):
    def join_queue(self, queue: str) -> int:
        known = self.directory.queues_by_extension.get(queue)
        place = self._switch.queues.join(known, self.id, self._switch.agent_reachable, self.now) if known else 0
        self.publish(QueueJoined(self.id, queue, place) if place else QueueLeft(self.id, queue, "refused", "", 0.0))
        return place

    def ready_for_agents(self, queue: str) -> None:
        self._switch.queues.ready(queue, self.id)

    def promise_call_back(self, queue: str, number: str, within_s: float) -> None:
        at = self._switch.now.wall.timestamp()
        self._switch.submit(CallbackSaved(KeptCallback(queue, number, at, at + within_s)))

    def promise_over(self, queue: str, number: str) -> None:
        self._switch.submit(CallbackRemoved(queue, number))

    def queue_place(self, queue: str) -> int:
        return self._switch.queues.place(queue, self.id)

    def expected_wait_s(self, queue: str) -> float:
        return self._switch.queues.expected_wait_s(queue, self.now)

    def leave_queue(self, queue: str, outcome: str) -> None:
        waited = self._switch.queues.leave(queue, self.id, self.now)
        if waited is not None:
            self.publish(QueueLeft(self.id, queue, outcome, "", round(waited, 3)))

    def taken_by(self, queue: str, agent: str, leg: str) -> None:
        queues, known = self._switch.queues, self.directory.queues_by_extension.get(queue)
        waited = queues.leave(queue, self.id, self.now)
        if waited is None:
            return
        self.publish(QueueLeft(self.id, queue, "answered", agent, round(waited, 3)))
        self.agents[leg] = (queue, agent)
        if self._abroad:
            self._switch.support.taken(self.id, agent)
        if queues.answered(known, queue, agent, waited, self.now):
            self.publish(AgentStatusChanged(queue, agent, AgentStatus.LOGGED_OUT.value))

    def set_own_status(self, status: AgentStatus) -> tuple[str, ...]:
        names = [name for name in (self.asked.caller_extension, self.asked.caller_device) if name]
        return tuple(queue for name in dict.fromkeys(names) for queue in self._switch.agent_status(name, status))

    def missed(self, queue: str, agents: tuple[str, ...]) -> None:
        known = self.directory.queues_by_extension.get(queue)
        for agent in self._switch.queues.missed(known, queue, self.id, agents, self.now):
            self.publish(AgentStatusChanged(queue, agent, AgentStatus.LOGGED_OUT.value))

    def offered(self, queue: str, agents: tuple[str, ...], round_: int) -> None:
        for agent in agents:
            self.publish(AgentOffered(self.id, queue, agent, round_))
