"""A caller in a queue: greeting, music, the agents the queue offers, overflow (domain-features 1.7)."""

from __future__ import annotations

from pbx.callflow.question import Ringing
from pbx.callflow.ring import ring, talk
from pbx.callflow.routing import music_of
from pbx.callflow.script import TIMED_OUT, Script, until
from pbx.callflow.vocabulary import CALLER, AgentsOffered, Control, Played
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice
from pbx.domain.queues import Queue
from pbx.media.engine import Music, Prompts


def wait_in_queue(call: Control, queue: Queue) -> Script[Destination | None]:
    """Wait for an agent; return where the call goes when none takes it."""
    overflow = queue.overflow or HangUp(cause=Cause.NO_ANSWER)
    if not call.join_queue(queue.extension):
        return overflow
    outcome, agent = "abandoned", ""
    try:
        call.answer()
        if queue.greeting:
            call.play(Prompts((queue.greeting,)), "greeting")
            yield until(Played, where=lambda event: event.leg == CALLER)
        call.play(Music(music_of(call.directory, queue.extension)))
        end = call.now + queue.max_wait_s if queue.max_wait_s else float("inf")
        while True:
            news = yield until(AgentsOffered, within_s=max(0.0, end - call.now))
            if news is TIMED_OUT:
                outcome = "overflow"
                return overflow
            ring_s = min(queue.agent_ring_s, max(0.0, end - call.now))
            leg, _ = yield from ring(call, _targets(call, news.agents), ring_s, quiet=True)
            if leg is not None:
                outcome, agent = "answered", call.extension_of(leg)
                call.leave_queue(queue.extension, outcome, agent)
                return (yield from talk(call, leg))
            call.missed(queue.extension, news.agents)
    finally:
        if outcome != "answered":
            call.leave_queue(queue.extension, outcome)


def _targets(call: Control, agents: tuple[str, ...]) -> list[Ringing]:
    devices = call.directory.devices_by_extension
    return [Ringing(ToDevice(device=device.id)) for agent in agents for device in devices.get(agent, ())]
