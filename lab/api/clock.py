"""`/api/v1/clock`: the hour time frames go by.

* `GET`: the real moment, the office's hour, how fast it goes, and where it is worth jumping to.
* `POST`, `{"do": "jump", "at": "2026-12-25T10:15"}`, `{"do": "run", "rate": "60"}`, `{"do": "pause"}`,
  `{"do": "real"}`.

SIP timers, registrations and everything that is kept stay real: phones on sockets have clocks of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from aiohttp import web

from lab.api.refusal import refused
from lab.console.clock_page import carry_out
from lab.errors import UserError
from lab.hours import OfficeHours, jumps
from pbx.clock import Moment
from pbx.domain.directory import Directory


@dataclass(slots=True)
class ClockApi:
    """Adds its routes to an application."""

    hours: Callable[[], OfficeHours]
    real: Callable[[], Moment]
    home: Callable[[], Directory]
    port_days: Callable[[], Sequence[tuple[str, date]]]

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/clock", self._show)
        app.router.add_post("/api/v1/clock", self._set)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._told())

    async def _set(self, request: web.Request) -> web.Response:
        try:
            told = await request.json()
            asked = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in told.items()}
        except (ValueError, AttributeError):
            return refused(400, "the clock was not set", "the body is no JSON object", '{"do": "pause"}')
        try:
            carry_out(self.hours(), asked, self.home().domain.time_zone)
        except UserError as error:
            return refused(400, error.happened, error.why, error.remedy)
        return web.json_response(self._told())

    def _told(self) -> dict[str, object]:
        hours = self.hours()
        now = hours.now().wall
        return {
            "real": self.real().wall.isoformat(timespec="seconds"),
            "hour": now.isoformat(timespec="seconds"),
            "rate": hours.rate,
            "shifted": hours.shifted,
            "mode": "office hours only",
            "jumps": [
                {"name": jump.name, "about": jump.about, "at": jump.at.isoformat(timespec="seconds")}
                for jump in jumps(self.home(), now, self.port_days())
            ],
        }
