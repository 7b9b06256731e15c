"""`/domains/{domain}/callqueues`: queues, and who waits in them now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pbx.api.answers import Answer, nothing
from pbx.api.asked import Asked
from pbx.api.collection import Around, Collection, every
from pbx.api.forms import COUNT, NUMERAL, TEXT, YES_NO, choice, scaled, whole
from pbx.api.resources.users import without_placeholder
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, kept, ours, told
from pbx.domain.directory import Directory
from pbx.domain.queues import Queue
from pbx.ownership import queue_thing

UNDER = "/domains/{domain}/callqueues"
STRATEGIES = {
    "Round-robin": "round_robin", "Tiered Round-robin": "tiered_round_robin", "Ring All": "ring_all",
    "Linear Cascade": "linear_cascade", "Linear Hunt": "linear_hunt", "Call Park": "call_park",
    "1stAvail": "linear_hunt", "RoundRobin": "round_robin", "SRing": "ring_all", "SRingOrdered": "linear_cascade",
    "Linear": "linear_hunt",
}  # fmt: skip
"""Theirs, the former names last, to ours."""


def waiting(around: Around, queue: Queue) -> int:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    return len(switch.queues.line(queue.extension)) if switch is not None else 0


def _available(around: Around, queue: Queue) -> int:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    if switch is None:
        return sum(agent.available for agent in queue.agents)
    return sum(switch.queues.agents.status(queue.extension, agent).takes_calls for agent in queue.agents)


SHAPE = Shape("CallQueue", (
    ours("callqueue", NUMERAL, "extension", required=True),
    told("domain", TEXT, lambda around, queue: around[1].domain.name),
    ours("description", TEXT, "name"),
    ours("callqueue-dispatch-type", choice(STRATEGIES), "strategy"),
    ours("callqueue-calculate-statistics", YES_NO, "statistics"),
    told("active-queued-calls-total-current", COUNT, waiting),
    ours("callqueue-agent-dispatch-timeout-seconds", whole(1, 3600), "agent_ring_s"),
    told("callqueue-count-agents-available", COUNT, _available),
    told("callqueue-count-agents-total", COUNT, lambda around, queue: len(queue.enabled)),
    kept("callqueue-debug", YES_NO, "no"),
    ours("callqueue-force-full-intro-playback", YES_NO, "force_greeting"),
    ours("callqueue-max-callback-queueing-hours", whole(0, 6), "callback_hours"),
    ours("callqueue-max-current-callers-to-accept-new-callers", COUNT, "max_callers"),
    ours("callqueue-max-current-wait-to-accept-new-callers-seconds", COUNT, "max_expected_wait_s"),
    ours("callqueue-max-wait-timeout-minutes", scaled(60), "max_wait_s"),
    ours("callqueue-require-available-agents-to-accept-new-callers", YES_NO, "require_agents"),
    kept("callqueue-source-match", TEXT),
    ours("callqueue-agent-auto-logout-after-missed", YES_NO, "logout_after_miss"),
    ours("callqueue-sim-ring-1st-round", whole(0, 99), "initial_agents"),
    ours("callqueue-sim-ring-increment", whole(0, 99), "added_agents"),
    ours("recording-configuration", choice({"yes": True, "no": False, "yes-with-transcription": True,
         "yes-with-transcription-and-sentiment": True}), "recording"),
    ours("site", TEXT, "site"),
))  # fmt: skip


def _make_room(asked: Asked, directory: Directory, written: Written) -> Directory:
    return without_placeholder(directory, str(written.values.get("extension", "")))


QUEUES = Collection(
    noun="queue", right="queue", shape=SHAPE, model=Queue, section="queues", key="extension", named="callqueue",
    under=UNDER, parameter="callqueue", items=every("queues"), thing=queue_thing, removed_as="queue",
    before=_make_room, fresh=lambda asked, written: {"name": str(written.values.get("extension", ""))},
    find=lambda asked, directory, name: directory.queues_by_extension.get(name),
)  # fmt: skip


def queue_of(asked: Asked, name: str) -> Queue:
    queue = asked.directory.queues_by_extension.get(name)
    if queue is None or not asked.sees("queue")(queue_thing(asked.directory, queue)):
        raise nothing("queue", name)
    return queue


async def _waiting(asked: Asked) -> Answer:
    """Who waits in a queue, longest first."""
    queue = queue_of(asked, asked.path["queue"])
    switch = asked.house.switch_of(asked.domain)
    rows: list[dict[str, Any]] = []
    if switch is not None:
        for place, (name, since) in enumerate(switch.queues.line(queue.extension), start=1):
            call = switch.call(name)
            number = call.asked.caller_number if call is not None else ""
            rows.append({
                "domain": asked.domain, "callqueue": queue.extension, "call-session-id": name,
                "caller-id-number": number, "callqueue-position": place,
                "callqueue-waiting-seconds": round(asked.now.mono - since),
            })  # fmt: skip
    return Answer(200, rows)


_LIGHT = replace(QUEUES, under=f"{UNDER}/list", verbs=("list",))

ROUTES = (
    *QUEUES.routes(),
    *_LIGHT.routes(),
    Route("GET", "/domains/{domain}/queuedcall/{queue}", _waiting, "queue", "Who waits in a queue", None,
          {"type": "array", "items": {"type": "object"}}),
)  # fmt: skip
