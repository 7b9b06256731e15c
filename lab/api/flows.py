"""`/api/v1/map` and `/api/v1/why`: every way a call can take, what is wrong with them, and where one would go.

* `GET /api/v1/map?at=`: the edges of the map, those that are taken at the moment, and the findings.
* `GET /api/v1/why?number=&from=&at=&off=`: the decision record of a call that is not placed, whom it would ring, and
  when it would next go another way. `from` is a device of the domain or a number outside, `off` devices taken as gone.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, replace
from datetime import UTC, datetime
from json import loads
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.api.refusal import refused
from lab.portal.flow_page import answered
from lab.portal.sight import House
from pbx.callflow.findings import findings
from pbx.callflow.flow_map import edges_at, flow_map
from pbx.callflow.question import Presence
from pbx.clock import Moment
from pbx.domain.directory import Directory


class Flows:
    """Adds its routes to an application; tells of the domain the switch serves."""

    def __init__(self, house: House) -> None:
        self._house = house

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/map", self._map)
        app.router.add_get("/api/v1/why", self._why)

    async def _map(self, request: web.Request) -> web.Response:
        directory, domain = self._home, self._home.domain.name
        at = self._moment(request, directory)
        if isinstance(at, web.Response):
            return at
        taken = edges_at(directory, at.wall)
        offline: Set[str] = directory.devices_by_id.keys() - self._house.presence(domain).registered
        found = findings(directory, self._house.prompts(domain), offline)
        edges = [asdict(edge) | {"taken": edge in taken} for edge in flow_map(directory).edges]
        return web.json_response({"edges": edges, "findings": [asdict(one) for one in found]})

    async def _why(self, request: web.Request) -> web.Response:
        directory, query = self._home, request.query
        number, off = query.get("number", "").strip(), query.get("off", "").replace(",", " ").split()
        if not number:
            return refused(400, "there is no number to explain", "number= is empty", "why?number=102&from=101")
        if unknown := [name for name in off if name not in directory.devices_by_id]:
            return refused(400, f"there is no phone {', '.join(unknown)[:80]}", "off= names devices", "/api/v1/phones")
        at = self._moment(request, directory)
        if isinstance(at, web.Response):
            return at
        everybody = Presence(frozenset(directory.devices_by_id))
        there = everybody if query.get("at") else self._house.presence(directory.domain.name)
        there = replace(there, registered=there.registered - frozenset(off))
        answer = answered(directory, there, number[:80], query.get("from", "").strip()[:80], at)
        told = {"record": loads(answer.record.to_json()), "rings": answer.rings, "shown_as": answer.shown_as}
        return web.json_response(told | {"next_change": answer.next_change, "then": answer.then})

    @property
    def _home(self) -> Directory:
        return next(one for one in self._house.directories() if self._house.serves(one.domain.name))

    def _moment(self, request: web.Request, directory: Directory) -> Moment | web.Response:
        now, text = self._house.now(), request.query.get("at", "")
        if not text:
            return now
        try:
            wall = datetime.fromisoformat(text[:40]).replace(tzinfo=ZoneInfo(directory.domain.time_zone))
            return Moment(now.mono, wall.astimezone(UTC))
        except (ValueError, OverflowError):
            return refused(400, f"{text[:40]!r} is no moment", "at= is on the domain's clock", "at=2026-12-25T10:15")
