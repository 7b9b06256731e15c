"""A caller in a queue: greeting, music, place or wait announced, the agents the queue offers (domain-features 1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, Rung, ring, talk
from pbx.callflow.routing import music_of
from pbx.callflow.script import TIMED_OUT, Script, beside, until
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import CALLER, AgentsOffered, Control, LegJoined, Played
from pbx.clock import FOREVER
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice, ToExternal
from pbx.domain.queues import Queue, person
from pbx.domain.sounds import Music, Prompts, Spoken, spoken_number

_EPSILON_S = 1e-9


def wait_in_queue(call: Control, queue: Queue) -> Script[Destination | None]:
    """Wait for an agent; return where the call goes when none takes it.

    The place is taken before the greeting, agents are offered after it, or at once when the greeting may be cut short;
    the longest wait counts from joining.
    """
    overflow = queue.overflow or HangUp(cause=Cause.NO_ANSWER)
    if not call.join_queue(queue.extension):
        return queue.unavailable or overflow
    end = call.now + queue.max_wait_s if queue.max_wait_s else FOREVER
    outcome = "abandoned"
    try:
        call.answer()
        if queue.greeting and queue.force_greeting:
            yield from say(call, call.spoken(queue.greeting, instead="queue-welcome"))
        speaker = _Speaker(call, queue)
        speaker.begin()
        call.ready_for_agents(queue.extension)
        leg = yield from _hunt(call, queue, end, speaker)
        outcome = "answered" if leg else "overflow"
        return (yield from talk(call, leg)) if leg else overflow
    finally:
        if outcome != "answered":
            call.leave_queue(queue.extension, outcome)


class _Speaker:
    """What a waiting caller hears: music, and what is announced over it."""

    def __init__(self, call: Control, queue: Queue) -> None:
        self._call, self._queue = call, queue
        self._saying = ""
        self.announces_at = FOREVER

    def begin(self) -> None:
        """Greet, if that has not been done, announce and play music."""
        if self._queue.greeting and not self._queue.force_greeting:
            greeting = self._call.spoken(self._queue.greeting, instead="queue-welcome")
            self._say((greeting, *self._announcement()))
        elif announcement := self._announcement():
            self._say(announcement)
        else:
            self._play_music()

    def announce(self) -> None:
        self._say(self._announcement())

    def has_played(self, event: Played) -> None:
        if event.leg == CALLER and event.token == self._saying:
            self._play_music()

    def _say(self, names: tuple[Spoken, ...]) -> None:
        self._saying = self._call.play(Prompts(names))
        self.announces_at = FOREVER

    def _play_music(self) -> None:
        call, queue = self._call, self._queue
        self._saying = ""
        call.play(Music(music_of(call.directory, queue.extension)))
        if queue.announce != "nothing" and queue.announce_every_s:
            self.announces_at = call.now + queue.announce_every_s

    def _announcement(self) -> tuple[str, ...]:
        call, extension = self._call, self._queue.extension
        match self._queue.announce:
            case "callers ahead":
                return ("queue-position", *spoken_number(call.queue_place(extension)))
            case "expected wait":
                minutes = max(1, ceil(call.expected_wait_s(extension) / 60))
                return ("queue-wait", *spoken_number(minutes))
            case "nothing":
                return ()


def _hunt(call: Control, queue: Queue, end: float, speaker: _Speaker) -> Script[str]:
    """Ring the agents who are offered until one has the caller; return the agent's leg, empty when the wait is over."""
    while True:
        until_when = min(end, speaker.announces_at)
        news = yield until(AgentsOffered, LegJoined, Played, within_s=max(0.0, until_when - call.now))
        if news is TIMED_OUT and call.now >= end - _EPSILON_S:
            return ""
        if news is TIMED_OUT:
            speaker.announce()
            continue
        if isinstance(news, Played):
            speaker.has_played(news)
            continue
        if isinstance(news, LegJoined):  # fetched from a queue that rings nobody
            call.taken_by(queue.extension, call.extension_of(news.leg), news.leg)
            return news.leg
        ring_s = min(queue.agent_ring_s, max(0.0, end - call.now))
        ringing = ring(call, list(_phones(call, queue, news.agents)), ring_s, quiet=True)
        rung = yield from beside(ringing, Played, speaker.has_played, lambda: call.now)
        if rung.outcome is Outcome.ANSWERED:
            call.taken_by(queue.extension, _who(call, rung, news.agents), rung.leg)
            return rung.leg
        call.missed(queue.extension, news.agents)


def _phones(call: Control, queue: Queue, names: tuple[str, ...]) -> Iterator[Ringing]:
    for name in names:
        agent = queue.agent(name)
        confirm = agent is not None and agent.confirm
        hands_free = agent is not None and agent.auto_answer
        if agent is not None and agent.number:
            yield Ringing(ToExternal(number=agent.number), confirm=confirm)
        elif agent is not None and agent.device:
            yield Ringing(ToDevice(device=agent.device), confirm=confirm, hands_free=hands_free)
        else:
            for device in call.directory.devices_by_extension.get(name, ()):
                yield Ringing(ToDevice(device=device.id), confirm=confirm, hands_free=hands_free)


def _who(call: Control, rung: Rung, names: tuple[str, ...]) -> str:
    """Return the agent whose leg has answered; whoever picked the call up is its agent."""
    match rung.target:
        case ToExternal(number=number):
            return number
        case ToDevice(device=device):
            return device if device in names else person(device)
        case None:
            return call.extension_of(rung.leg)
