"""`/api/v1/queues`: the figures of docs/statistics.md since the lab started, and the agents' statuses.

* `GET /api/v1/queues`: every queue with its figures and agents.
* `PUT /api/v1/queues/{queue}/agents/{agent}` with `{"status": "lunch"}`: log an agent in or out, or say why it takes no
  calls; the queue `all` means every queue the agent serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError

from aiohttp import web

from lab.api.refusal import refused
from lab.service import Lab
from pbx.domain.queues import AgentStatus
from pbx.events import DirectoryChanged, Stamped
from pbx.statistics import COUNTED, AgentFigures, QueueFigures, Statistics

QUEUE_FIGURES = (
    "total", "adjusted", "presented", "answered", "abandoned", "abandoned_adjusted", "voicemailed", "forwarded",
    "turned_away", "assisted", "callbacks",
    "service_level", "abandon_rate", "abandon_rate_adjusted", "average_wait_s", "average_talk_s",
    "average_hold_s", "average_wrap_up_s", "average_handling_s",
)  # fmt: skip
AGENT_FIGURES = ("offered", "answered", "assisted", "talk_s", "hold_s", "wrap_up_s", "status_s")


class QueueDesk:
    """Counts from the event stream; adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._statistics = Statistics(lab.directory, lab.now)
        lab.bus.subscribe(self._count, (*COUNTED, DirectoryChanged))

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/queues", self._list)
        app.router.add_put("/api/v1/queues/{queue}/agents/{agent}", self._set)

    def _count(self, stamped: Stamped) -> None:
        if isinstance(stamped.event, DirectoryChanged):
            self._statistics.adopt(self._lab.directory)
        self._statistics.take(stamped.event, stamped.at)

    async def _list(self, request: web.Request) -> web.Response:
        lab = self._lab
        figures = self._statistics.agents(lab.now)
        rows = []
        for queue in lab.directory.queues:
            agents = [
                {
                    "agent": agent.name,
                    "status": lab.switch.queues.agents.status(queue.extension, agent).value,
                    **_told(figures.get((queue.extension, agent.name), AgentFigures()), AGENT_FIGURES),
                }
                for agent in queue.in_order
            ]
            counted = self._statistics.queues.get(queue.extension, QueueFigures())
            rows.append({
                "queue": queue.extension, "name": queue.name, "strategy": queue.strategy,
                **_told(counted, QUEUE_FIGURES), "agents": agents,
            })  # fmt: skip
        return web.json_response(rows)

    async def _set(self, request: web.Request) -> web.Response:
        queue, agent = request.match_info["queue"], request.match_info["agent"]
        known = [status.value for status in AgentStatus if status is not AgentStatus.DISABLED]
        try:
            body = await request.json()
        except (JSONDecodeError, UnicodeDecodeError):
            body = None
        wanted = body.get("status") if isinstance(body, Mapping) else None
        if wanted not in known:
            return refused(
                400, f"{wanted!r} is no status of an agent", "the body names none", f"one of: {', '.join(known)}"
            )
        status, one = AgentStatus(wanted), "" if queue == "all" else queue
        served = self._lab.command_switch(lambda switch, now: switch.set_agent_status(agent, status, now, one))
        if not served:
            why = f"no queue has an agent {agent!r}" if queue == "all" else f"queue {queue!r} has no agent {agent!r}"
            return refused(404, f"the status of {agent!r} was not changed", why, "GET /api/v1/queues names them")
        return web.json_response({"agent": agent, "status": status.value, "queues": served})


def _told(figures: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(figures, name) for name in names}
