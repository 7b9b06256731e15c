"""A caller in a queue: greeting, music, the agents the queue offers, overflow (domain-features 1.7)."""

from __future__ import annotations

from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring, talk
from pbx.callflow.routing import music_of
from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.speech import say
from pbx.callflow.vocabulary import AgentsOffered, Control
from pbx.clock import FOREVER
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice
from pbx.domain.queues import Queue
from pbx.domain.sounds import Music


def wait_in_queue(call: Control, queue: Queue) -> Script[Destination | None]:
    """Wait for an agent; return where the call goes when none takes it.

    The place is taken before the greeting, agents are offered after it; the longest wait counts from joining.
    """
    overflow = queue.overflow or HangUp(cause=Cause.NO_ANSWER)
    if not call.join_queue(queue.extension):
        return overflow
    end = call.now + queue.max_wait_s if queue.max_wait_s else FOREVER
    outcome = "abandoned"
    try:
        call.answer()
        if queue.greeting:
            yield from say(call, queue.greeting)
        call.play(Music(music_of(call.directory, queue.extension)))
        call.ready_for_agents(queue.extension)
        while True:
            news = yield until(AgentsOffered, within_s=max(0.0, end - call.now))
            if news is TIMED_OUT:
                outcome = "overflow"
                return overflow
            ring_s = min(queue.agent_ring_s, max(0.0, end - call.now))
            rung = yield from ring(call, _phones(call, news.agents), ring_s, quiet=True)
            if rung.outcome is Outcome.ANSWERED:
                outcome = "answered"
                call.leave_queue(queue.extension, outcome, call.extension_of(rung.leg))
                return (yield from talk(call, rung.leg))
            call.missed(queue.extension, news.agents)
    finally:
        if outcome != "answered":
            call.leave_queue(queue.extension, outcome)


def _phones(call: Control, agents: tuple[str, ...]) -> list[Ringing]:
    devices = call.directory.devices_by_extension
    return [Ringing(ToDevice(device=device.id)) for agent in agents for device in devices.get(agent, ())]
