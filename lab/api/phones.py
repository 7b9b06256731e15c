"""`/api/v1/phones`: what provisioning gives each device, and why.

* `GET /api/v1/phones`: the devices.
* `GET /api/v1/phones/{device}`: its files, and every setting with the layer it comes from and what it overrides.
* `POST /api/v1/phones/{device}/resync`: a NOTIFY in the words of its maker (`?reboot=1`: to start again); the device by
  its id, or its box by MAC: then the first of its devices that is registered.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

from aiohttp import web

from lab.api.refusal import refused
from lab.explained import explained
from lab.inventory import device_rows, resync_words
from lab.service import Lab
from pbx.clock import Moment
from pbx.domain.devices import Device, normal_mac
from pbx.switch.switch import Switch


@dataclass(slots=True)
class Phones:
    """Adds its routes to an application."""

    lab: Lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/phones", self._list)
        app.router.add_get("/api/v1/phones/{device}", self._one)
        app.router.add_post("/api/v1/phones/{device}/resync", self._resync)

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

    async def _resync(self, request: web.Request) -> web.Response:
        name, reboot = request.match_info["device"], request.query.get("reboot") == "1"
        box = self._box(name)
        if not box:
            return refused(404, f"there is no phone {name!r}", "no device has that id or MAC", "GET /api/v1/phones")
        for device in box:
            event = resync_words(device.family, reboot=reboot)
            if self.lab.command_switch(partial(_resynced, device=device.id, event=event)):
                return web.json_response({"device": device.id, "event": event})
        return refused(
            409, f"{name!r} was not reached", "none of its lines is registered", "plug it in, then try again"
        )

    def _box(self, name: str) -> tuple[Device, ...]:
        directory = self.lab.directory
        if name in directory.devices_by_id:
            return (directory.devices_by_id[name],)
        try:
            return directory.devices_by_mac.get(normal_mac(name), ())
        except ValueError:
            return ()


def _resynced(switch: Switch, now: Moment, *, device: str, event: str) -> bool:
    return switch.resync(device, now, event=event)
