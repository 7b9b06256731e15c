"""`/api/v1/phones`: what provisioning gives each device, and why.

* `GET /api/v1/phones`: the devices.
* `GET /api/v1/phones/{device}`: its files, and every setting with the layer it comes from and what it overrides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web

from lab.api.refusal import refused
from lab.explained import explained
from lab.inventory import device_rows
from lab.service import Lab


@dataclass(slots=True)
class Phones:
    """Adds its routes to an application."""

    lab: Lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/phones", self._list)
        app.router.add_get("/api/v1/phones/{device}", self._one)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(device_rows(self.lab.directory))

    async def _one(self, request: web.Request) -> web.Response:
        name, lab = request.match_info["device"], self.lab
        device = lab.directory.devices_by_id.get(name)
        if device is None:
            return refused(404, f"there is no device {name!r}", "the domain has none of that id", "GET /api/v1/phones")
        office = lab.provisioning.office
        if device.family not in office.families.by_id:
            why = f"no folder of device_templates is called {device.family!r}"
            return refused(404, f"device {name!r} is not provisioned", why, "name another family, or add a folder")
        return web.json_response(asdict(explained(office, lab.directory, device, lab.now)))
