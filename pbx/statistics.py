"""Queue statistics: events in, figures out (domain-features 1.10); docs/statistics.md says what each means. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.queues import person
from pbx.events import (
    AgentFinished,
    AgentOffered,
    AgentStatusChanged,
    CallbackAsked,
    CallEnded,
    CallHeld,
    CallResumed,
    CallTransferred,
    Event,
    LegInvited,
    MenuEntered,
    QueueJoined,
    QueueLeft,
    VoicemailGreeted,
)

COUNTED: tuple[type[Event], ...] = (
    QueueJoined, AgentOffered, QueueLeft, AgentFinished, AgentStatusChanged, CallHeld, CallResumed, VoicemailGreeted,
    LegInvited, MenuEntered, CallTransferred, CallbackAsked, CallEnded,
)  # fmt: skip
"""What `Statistics` learns from."""
SHORT_ABANDON_S = 10.0
"""Who leaves sooner is left out of the adjusted figures."""
SERVICE_LEVEL_S = 20.0
"""Answered within this is in time. The platform publishes no threshold: 80 % in 20 s is the trade's custom."""


@dataclass(slots=True)
class QueueFigures:
    """Counts of calls, sums in seconds."""

    total: int = 0
    presented: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    abandoned_soon: int = 0
    voicemailed: int = 0
    forwarded: int = 0
    turned_away: int = 0
    wait_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0
    finished: int = 0
    """Answered calls that are over: what talk, hold and wrap-up are averages of."""
    assisted: int = 0
    """Answered calls whose agent transferred them to another agent."""
    callbacks: int = 0
    """Callers who asked to be called back."""

    @property
    def adjusted(self) -> int:
        return self.total - self.abandoned_soon

    @property
    def abandoned_adjusted(self) -> int:
        return self.abandoned - self.abandoned_soon

    @property
    def abandon_rate(self) -> float:
        return _ratio(self.abandoned, self.total)

    @property
    def abandon_rate_adjusted(self) -> float:
        return _ratio(self.abandoned_adjusted, self.adjusted)

    @property
    def service_level(self) -> float:
        return _ratio(self.in_time, self.answered + self.abandoned_adjusted)

    @property
    def average_wait_s(self) -> float:
        return _ratio(self.wait_s, self.answered)

    @property
    def average_talk_s(self) -> float:
        return _ratio(self.talk_s, self.finished)

    @property
    def average_hold_s(self) -> float:
        return _ratio(self.hold_s, self.finished)

    @property
    def average_wrap_up_s(self) -> float:
        return _ratio(self.wrap_up_s, self.finished)

    @property
    def average_handling_s(self) -> float:
        return _ratio(self.talk_s + self.hold_s + self.wrap_up_s, self.finished)


@dataclass(slots=True)
class AgentFigures:
    """Of an agent in one queue."""

    offered: int = 0
    answered: int = 0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0
    status_s: dict[str, float] = field(default_factory=dict)
    """Seconds in each status, up to the moment asked for."""
    assisted: int = 0


@dataclass(slots=True)
class _Serving:
    """An agent has the caller."""

    queue: str
    agent: str
    since: float
    held_s: float = 0.0


@dataclass(slots=True)
class _Call:
    presented: set[str] = field(default_factory=set)
    """Queues whose agents were offered the call since it joined."""
    leaving: str = ""
    """The queue it left without an agent, until it is known what became of it."""
    serving: list[_Serving] = field(default_factory=list)
    holding: set[str] = field(default_factory=set)
    """Legs that have put the other side on hold."""
    held_since: float = 0.0


class Statistics:
    """Figures by queue, and by (queue, agent). `take` is the only input; calls in progress are all it remembers."""

    def __init__(self, directory: Directory, at: Moment) -> None:
        self.queues: dict[str, QueueFigures] = {queue.extension: QueueFigures() for queue in directory.queues}
        self._agents: dict[tuple[str, str], AgentFigures] = {}
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._calls: dict[str, _Call] = {}
        self._moved: list[_Serving] = []
        """Agents whose call was joined with another, which tells when they finish."""
        self._uncounted: frozenset[str] = frozenset()
        self._people: frozenset[str] = frozenset()
        """Who is an agent of any queue."""
        self.adopt(directory)
        for queue in directory.queues:
            for agent in queue.enabled:
                self._agents[queue.extension, agent.name] = AgentFigures()
                self._statuses[queue.extension, agent.name] = (agent.status.value, at.mono)

    def adopt(self, directory: Directory) -> None:
        """The domain has changed: which of its queues are counted from now on."""
        self._uncounted = frozenset(queue.extension for queue in directory.queues if not queue.statistics)
        self._people = frozenset(person(agent.name) for queue in directory.queues for agent in queue.enabled)

    def agents(self, at: Moment) -> dict[tuple[str, str], AgentFigures]:
        """Return the figures of every agent, the status it is in counted up to `at`."""
        for who, (status, _) in list(self._statuses.items()):
            self._count_status(who, status, at.mono)
        return self._agents

    def live(self) -> int:
        return len(self._calls) + len(self._moved)

    def take(self, event: Event, at: Moment) -> None:
        now = at.mono
        match event:
            case QueueJoined(call=call, queue=queue):
                self._went_on(call)
                self._call(call).presented.discard(queue)
                self._queue(queue).total += 1
            case AgentOffered(call=call, queue=queue, agent=agent):
                self._agent(queue, agent).offered += 1
                known = self._call(call)
                if queue not in known.presented:
                    known.presented.add(queue)
                    self._queue(queue).presented += 1
            case QueueLeft():
                self._left(event, now)
            case AgentFinished():
                self._finished(event, now)
            case CallHeld(call=call, leg=leg) if call in self._calls:
                known = self._calls[call]
                known.held_since = known.held_since if known.holding else now
                known.holding.add(leg)
            case CallResumed(call=call, leg=leg) if call in self._calls:
                self._resumed(self._calls[call], leg, now)
            case CallTransferred(call=call, device=device, target=target) if call in self._calls:
                self._transferred(self._calls[call], person(device), person(target))
            case CallbackAsked(queue=queue):
                self._queue(queue).callbacks += 1
            case VoicemailGreeted(call=call) if call in self._calls and self._calls[call].leaving:
                self._queue(self._calls[call].leaving).voicemailed += 1
                self._calls[call].leaving = ""
            case LegInvited(call=call) | MenuEntered(call=call):
                self._went_on(call)
            case CallEnded(call=call):
                self._ended(self._calls.pop(call, None))
            case AgentStatusChanged(queue=queue, agent=agent, status=status):
                self._count_status((queue, agent), status, now)
            case _:
                pass

    def _left(self, event: QueueLeft, now: float) -> None:
        figures, known = self._queue(event.queue), self._call(event.call)
        match event.outcome:
            case "answered":
                figures.answered += 1
                figures.wait_s += event.waited_s
                figures.in_time += event.waited_s <= SERVICE_LEVEL_S
                self._agent(event.queue, event.agent).answered += 1
                known.serving.append(_Serving(event.queue, event.agent, now))
            case "abandoned":
                figures.abandoned += 1
                figures.abandoned_soon += event.waited_s < SHORT_ABANDON_S
            case "refused":
                self._went_on(event.call)
                figures.total += 1
                known.leaving = event.queue
            case _:
                known.leaving = event.queue

    def _finished(self, event: AgentFinished, now: float) -> None:
        known = self._call(event.call)
        serving, found = self._serving(known, event)
        if found is None:
            return
        serving.remove(found)
        held_s = found.held_s + (now - max(known.held_since, found.since) if known.holding else 0.0)
        for figures in (self._queue(event.queue), self._agent(event.queue, event.agent)):
            figures.talk_s += now - found.since - held_s
            figures.hold_s += held_s
            figures.wrap_up_s += event.wrap_up_s
        self._queue(event.queue).finished += 1

    def _serving(self, known: _Call, event: AgentFinished) -> tuple[list[_Serving], _Serving | None]:
        for serving in (known.serving, self._moved):
            for one in serving:
                if (one.queue, one.agent) == (event.queue, event.agent):
                    return serving, one
        return [], None

    def _ended(self, known: _Call | None) -> None:
        if known is None:
            return
        self._moved += known.serving
        if known.leaving:
            self._queue(known.leaving).turned_away += 1

    def _resumed(self, known: _Call, leg: str, now: float) -> None:
        if leg not in known.holding:
            return
        known.holding.discard(leg)
        if not known.holding:
            for one in known.serving:
                one.held_s += now - max(known.held_since, one.since)

    def _transferred(self, known: _Call, who: str, target: str) -> None:
        if target == who or target not in self._people:
            return
        for one in known.serving:
            if person(one.agent) == who:
                self._queue(one.queue).assisted += 1
                self._agent(one.queue, one.agent).assisted += 1

    def _went_on(self, call: str) -> None:
        """Somebody else is tried for a caller who left a queue without an agent."""
        known = self._calls.get(call)
        if known is not None and known.leaving:
            self._queue(known.leaving).forwarded += 1
            known.leaving = ""

    def _count_status(self, who: tuple[str, str], status: str, now: float) -> None:
        """Close the time in the status an agent was in; it is in `status` from now on."""
        was, since = self._statuses.get(who, (status, now))
        times = self._agent(*who).status_s
        times[was] = times.get(was, 0.0) + now - since
        self._statuses[who] = (status, now)

    def _queue(self, extension: str) -> QueueFigures:
        return self.queues.setdefault(extension, QueueFigures()) if extension not in self._uncounted else QueueFigures()

    def _agent(self, queue: str, agent: str) -> AgentFigures:
        if queue in self._uncounted:
            return AgentFigures()
        return self._agents.setdefault((queue, agent), AgentFigures())

    def _call(self, call: str) -> _Call:
        return self._calls.setdefault(call, _Call())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
