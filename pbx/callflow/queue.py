"""A caller in a queue: greeting, music, place or wait announced, the agents the queue offers (domain-features 1.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from pbx.callflow.entering import site_greeting
from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, Rung, ring, talk
from pbx.callflow.script import TIMED_OUT, Script, beside, until
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import CALLER, AgentsOffered, Control, KeyPressed, LegGone, LegJoined, Played
from pbx.clock import FOREVER
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice, ToExternal, ToUser
from pbx.domain.dialplan import normal_number
from pbx.domain.queues import Queue, person
from pbx.domain.sounds import Prompts, Spoken, spoken_digits, spoken_number
from pbx.events import CallbackAsked, CallbackBegun, CallbackExpired

CALLBACK_KEY = "1"
HOUR_S = 3600
_EPSILON_S = 1e-9
_HEARD: tuple[type[Played | KeyPressed | LegGone], ...] = (Played, KeyPressed, LegGone)
_AFTER_S = 0.05
"""Keys typed before the offer of a call back could be heard were meant for somebody else."""
_NUMBER = re.compile(r"1[2-9][0-9]{9}")


def wait_in_queue(call: Control, queue: Queue) -> Script[Destination | None]:
    """Wait for an agent; return where the call goes when none takes it.

    The place is taken before the greeting, agents are offered after it, or at once when the greeting may be cut short;
    the longest wait counts from joining. A caller who wants to be called back keeps its place.
    """
    overflow = queue.overflow or HangUp(cause=Cause.NO_ANSWER)
    if not call.join_queue(queue.extension):
        return queue.unavailable or overflow
    waiting = _Waiting(call, queue)
    outcome = "abandoned"
    try:
        call.answer()
        if waiting.greeting and queue.force_greeting:
            yield from say(call, call.spoken(waiting.greeting, instead="queue-welcome"))
        waiting.begin()
        call.ready_for_agents(queue.extension)
        leg = yield from _hunt(call, queue, waiting)
        outcome = "answered" if leg else "overflow"
        if waiting.called_back:
            call.promise_over(queue.extension, waiting.number)
            return (yield from _call_back(call, queue, leg, waiting.number))
        return (yield from talk(call, leg)) if leg else overflow
    finally:
        if outcome != "answered":
            call.leave_queue(queue.extension, outcome)


def wait_again(call: Control, queue: Queue, number: str, within_s: float) -> Script[Destination | None]:
    """Wait for an agent in the place of a caller who was promised a call back before the house was started anew."""
    outcome, leg = "overflow", ""
    waiting = _Waiting(call, queue)
    waiting.promised(number, within_s)
    if call.join_queue(queue.extension):
        try:
            call.ready_for_agents(queue.extension)
            leg = yield from _hunt(call, queue, waiting)
            outcome = "answered" if leg else "overflow"
        finally:
            if outcome != "answered":
                call.leave_queue(queue.extension, outcome)
    call.promise_over(queue.extension, number)
    return (yield from _call_back(call, queue, leg, number))


class _Waiting:
    """A caller who waits: what it hears, until when, and whether it is to be called back."""

    def __init__(self, call: Control, queue: Queue) -> None:
        self._call, self._queue = call, queue
        self.greeting = queue.greeting or site_greeting(call.directory, queue.site)
        """Prompt, the queue's or its site's; empty for none."""
        self._saying = ""
        self.ends_at = call.now + queue.max_wait_s if queue.max_wait_s else FOREVER
        self.announces_at = FOREVER
        self.number = callback_number(call) if queue.callback_hours else ""
        """Where it would be called back, empty when it cannot be."""
        self.called_back = False
        self._there = True
        self._keys_count_from = FOREVER

    def begin(self) -> None:
        """Greet, if that has not been done, announce and play music."""
        self._keys_count_from = self._call.now + _AFTER_S
        if self.greeting and not self._queue.force_greeting:
            greeting = self._call.spoken(self.greeting, instead="queue-welcome")
            self._say((greeting, *self._announcement()))
        elif announcement := self._announcement():
            self._say(announcement)
        else:
            self._play_music()

    def announce(self) -> None:
        self._say(self._announcement())

    def told(self, event: Played | KeyPressed | LegGone) -> None:
        """Something has been heard to its end, a key pressed, or the caller has gone."""
        if event.leg != CALLER:
            return
        match event:
            case Played(token=token) if token == self._saying and self.called_back:
                self.let_go()
            case Played(token=token) if token == self._saying:
                self._play_music()
            case KeyPressed(digit=digit) if digit == CALLBACK_KEY and self._may_be_called_back:
                self._agree()
            case LegGone():
                self._there = False

    def promised(self, number: str, within_s: float) -> None:
        """The caller is away already, and counts on it."""
        self.number, self.called_back, self._there = number, True, False
        self.ends_at = self._call.now + within_s

    def let_go(self) -> None:
        """The caller need not stay any longer."""
        if self._there:
            self._there = False
            self._call.let_caller_go()

    @property
    def _may_be_called_back(self) -> bool:
        return bool(self.number) and not self.called_back and self._call.now >= self._keys_count_from

    def _agree(self) -> None:
        call, queue = self._call, self._queue
        self.called_back = True
        self.ends_at = call.now + queue.callback_hours * HOUR_S
        call.goes_on_alone()
        call.promise_call_back(queue.extension, self.number, queue.callback_hours * HOUR_S)
        call.publish(CallbackAsked(call.id, queue.extension, self.number))
        self._say(("queue-callback-agreed", "goodbye"))

    def _say(self, names: tuple[Spoken, ...]) -> None:
        self._saying = self._call.play(Prompts(names))
        self.announces_at = FOREVER

    def _play_music(self) -> None:
        call, queue = self._call, self._queue
        self._saying = ""
        call.play(call.music(queue.extension))
        if queue.announce != "nothing" and queue.announce_every_s:
            self.announces_at = call.now + queue.announce_every_s

    def _announcement(self) -> tuple[str, ...]:
        offer = ("queue-callback-offer",) if self.number else ()
        return (*self._place_or_wait(), *offer)

    def _place_or_wait(self) -> tuple[str, ...]:
        call, extension = self._call, self._queue.extension
        match self._queue.announce:
            case "callers ahead":
                return ("queue-position", *spoken_number(call.queue_place(extension)))
            case "expected wait":
                minutes = max(1, ceil(call.expected_wait_s(extension) / 60))
                return ("queue-wait", *spoken_number(minutes))
            case "nothing":
                return ()


def callback_number(call: Control) -> str:
    """Return where the caller can be called back: its extension or a number of ten digits, empty for neither."""
    number = normal_number(call.asked.caller_number)
    if number in call.directory.users_by_extension:
        return number
    return number if _NUMBER.fullmatch(number) and not call.asked.private else ""


def _call_back(call: Control, queue: Queue, leg: str, number: str) -> Script[Destination | None]:
    """The agent is there: tell it, and call whoever had waited."""
    if not leg:
        call.publish(CallbackExpired(call.id, queue.extension, number))
        return HangUp(cause=Cause.NO_ANSWER)
    agent = call.extension_of(leg)
    call.seat(leg)
    call.publish(CallbackBegun(call.id, queue.extension, number, agent))
    yield from say(call, "queue-callback", *spoken_digits(number[-10:]))
    inside = number in call.directory.users_by_extension
    return ToUser(extension=number) if inside else ToExternal(number=number)


def _hunt(call: Control, queue: Queue, waiting: _Waiting) -> Script[str]:
    """Ring the agents who are offered until one has the caller; return the agent's leg, empty when the wait is over."""
    while True:
        until_when = min(waiting.ends_at, waiting.announces_at)
        news = yield until(
            AgentsOffered, LegJoined, Played, KeyPressed, LegGone, within_s=max(0.0, until_when - call.now)
        )
        if news is TIMED_OUT and call.now >= waiting.ends_at - _EPSILON_S:
            return ""
        if news is TIMED_OUT:
            waiting.announce()
            continue
        if isinstance(news, Played | KeyPressed | LegGone):
            waiting.told(news)
            continue
        if isinstance(news, LegJoined):  # fetched from a queue that rings nobody
            call.taken_by(queue.extension, call.extension_of(news.leg), news.leg)
            return news.leg
        ring_s = min(queue.agent_ring_s, max(0.0, waiting.ends_at - call.now))
        ringing = ring(call, list(_phones(call, queue, news.agents)), ring_s, quiet=True)
        rung = yield from beside(ringing, _HEARD, waiting.told, lambda: call.now)
        if rung.outcome is Outcome.ANSWERED:
            if waiting.called_back:
                waiting.let_go()
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
