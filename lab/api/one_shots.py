"""`/api/v1/phones/{device}/one-shot`: values of a box for once, above every other layer.

* `GET /api/v1/one-shots`: what is in force, or waits to be fetched.
* `POST /api/v1/phones/{device}/one-shot` {settings, by, until?, for_min?}: by a device's id or a box's MAC; without a
  time they hold for one fetch. `until` is ISO 8601, on the domain's clock when it names no zone.
* `DELETE /api/v1/phones/{device}/one-shot?by=`: they are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from json import JSONDecodeError
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from lab.api.refusal import refused
from lab.devices import DeviceDesk
from lab.service import Lab
from pbx.domain.base import Model
from pbx.domain.seed import BadSeed, read_model
from provisioning_server.inventory import Refused
from provisioning_server.one_shot import OneShot

MOST_MINUTES = 60 * 24 * 90


class _Wish(Model):
    settings: dict[str, str | int | bool]
    by: str = Field(min_length=1, max_length=80)
    until: datetime | None = None
    for_min: int | None = Field(default=None, ge=1, le=MOST_MINUTES)


@dataclass(slots=True)
class OneShotApi:
    """Adds its routes to an application."""

    lab: Lab
    desk: DeviceDesk

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/one-shots", self._list)
        app.router.add_post("/api/v1/phones/{device}/one-shot", self._give)
        app.router.add_delete("/api/v1/phones/{device}/one-shot", self._lift)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([_document(one) for one in self.desk.one_shots.in_force()])

    async def _give(self, request: web.Request) -> web.Response:
        try:
            wish = read_model(_Wish, await request.json())
        except (JSONDecodeError, UnicodeDecodeError, LookupError):
            return refused(
                400, "nothing is said for once", "the body is no JSON", 'send {"settings": {…}, "by": "Ana"}'
            )
        except BadSeed as bad:
            why = "; ".join(problem.sentence for problem in bad.problems[:8])
            return refused(400, "nothing is said for once", why, "mend the fields named")
        if wish.until is not None and wish.for_min is not None:
            return refused(400, "nothing is said for once", "both until and for_min are there", "leave one out")
        try:
            box = self.desk.box(request.match_info["device"])
            return web.json_response(
                _document(self.desk.one_shots.give(box, wish.settings, wish.by, self._until(wish)))
            )
        except Refused as no:
            return _no(no)

    def _until(self, wish: _Wish) -> datetime | None:
        if wish.for_min is not None:
            return self.lab.now.wall + timedelta(minutes=wish.for_min)
        if wish.until is not None and wish.until.tzinfo is None:
            return wish.until.replace(tzinfo=ZoneInfo(self.lab.directory.domain.time_zone))
        return wish.until

    async def _lift(self, request: web.Request) -> web.Response:
        by = request.query.get("by", "").strip()[:80]
        if not by:
            return refused(400, "nothing was lifted", "nobody says who asks", "add by=NAME: it is written down")
        try:
            box = self.desk.box(request.match_info["device"])
            self.desk.one_shots.lift(box[0].mac or "", by)
        except Refused as no:
            return _no(no)
        return web.json_response({"lifted": box[0].mac})


def _document(one: OneShot) -> dict[str, Any]:
    return {
        "mac": one.mac,
        "settings": dict(one.settings),
        "by": one.by,
        "until": one.until.isoformat() if one.until is not None else None,
        "files": list(one.files),
        "fetched": [{"file": file, "at": at.isoformat()} for file, at in one.fetched],
    }


def _no(no: Refused) -> web.Response:
    return refused(404 if "there is no" in no.happened else 409, no.happened, no.why, no.remedy)
