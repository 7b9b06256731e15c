"""`/api/v1/hot-desks`: telephones that users log in at, and who is there.

* `GET /api/v1/hot-desks`: each hot desk with whose it is and its guest.
* `DELETE /api/v1/hot-desks/{device}/guest`: log the guest out.
"""

from __future__ import annotations

from aiohttp import web

from lab.api.refusal import refused
from lab.service import Lab


class HotDesks:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/hot-desks", self._list)
        app.router.add_delete("/api/v1/hot-desks/{device}/guest", self._free)

    async def _list(self, request: web.Request) -> web.Response:
        guests = self._lab.switch.settings_of_users.guests()
        desks = [device for device in self._lab.directory.devices if device.hot_desk]
        return web.json_response(
            [{"device": desk.id, "extension": desk.extension, "guest": guests.get(desk.id, "")} for desk in desks]
        )

    async def _free(self, request: web.Request) -> web.Response:
        device = request.match_info["device"]
        known = self._lab.directory.devices_by_id.get(device)
        if known is None or not known.hot_desk:
            return refused(404, f"there is no hot desk {device!r}", "no such device is one", "GET /api/v1/hot-desks")
        if not self._lab.command_switch(lambda switch, now: switch.free_desk(device, now)):
            return refused(409, f"nobody is logged in at {device}", "it is its own user's", "GET /api/v1/hot-desks")
        return web.Response(status=204)
