"""`/api/v1/phones`: what provisioning gives each device, and why.

* `GET /api/v1/phones`: the devices.
* `GET /api/v1/phones/{device}`: its files, and every setting with the layer it comes from and what it overrides.
* `POST /api/v1/phones/{device}/resync`: a NOTIFY in the words of its maker (`?reboot=1`: to start again); the device by
  its id, or its box by MAC: then the first of its devices that is registered.
* `POST /api/v1/phones/{device}/rotate?overlap_h=24`: new passwords and a new token for the box; the old ones are taken
  for so many hours beside them, and what is registered is told to fetch its file.
* `POST /api/v1/phones/{device}/reveal`, `{"by": "who asks"}`: the passwords and the URL of the box, in the clear; an
  event says who looked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web

from lab.api.refusal import refused
from lab.explained import explained
from lab.inventory import device_rows, resync_words
from lab.service import Lab
from pbx.domain.devices import Device, normal_mac
from pbx.events import SecretsRevealed
from provisioning_server.respond import config_url

MOST_OVERLAP_H = 24 * 90


@dataclass(slots=True)
class Phones:
    """Adds its routes to an application."""

    lab: Lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/phones", self._list)
        app.router.add_get("/api/v1/phones/{device}", self._one)
        app.router.add_post("/api/v1/phones/{device}/resync", self._resync)
        app.router.add_post("/api/v1/phones/{device}/rotate", self._rotate)
        app.router.add_post("/api/v1/phones/{device}/reveal", self._reveal)

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
            if self.lab.resync(device, reboot=reboot):
                return web.json_response({"device": device.id, "event": resync_words(device.family, reboot=reboot)})
        return refused(
            409, f"{name!r} was not reached", "none of its lines is registered", "plug it in, then try again"
        )

    async def _rotate(self, request: web.Request) -> web.Response:
        name, hours = request.match_info["device"], request.query.get("overlap_h", "24")
        box = self._box(name)
        if not box or not box[0].mac:
            return refused(404, f"there is no box {name!r}", "no device has that id or MAC", "GET /api/v1/phones")
        if not hours.isdecimal() or int(hours) > MOST_OVERLAP_H:
            why = f"overlap_h is {hours!r}, and no whole number of hours up to {MOST_OVERLAP_H}"
            return refused(400, "the credentials were not rotated", why, "24 is a day")
        told = self.lab.rotate_credentials(box[0].mac, int(hours) * 3600.0)
        return web.json_response({"mac": box[0].mac, "told": told})

    async def _reveal(self, request: web.Request) -> web.Response:
        name = request.match_info["device"]
        box = self._box(name)
        if not box:
            return refused(404, f"there is no phone {name!r}", "no device has that id or MAC", "GET /api/v1/phones")
        try:
            by = str((await request.json())["by"]).strip()
        except (ValueError, TypeError, KeyError):
            by = ""
        if not by:
            why = 'the body is no JSON as {"by": "Ana of support"}'
            return refused(400, "nothing is revealed", why, "say who asks: it is written down")
        self.lab.publish(SecretsRevealed(box[0].mac or box[0].id, f"{by[:80]} from {request.remote or 'here'}"))
        office = self.lab.provisioning.office
        provisioned = box[0].family in office.families.by_id
        whole = self.lab.directory.devices_by_mac.get(box[0].mac or "", box)
        shown = {
            "passwords": {device.id: device.password.get_secret_value() for device in whole},
            "config_url": config_url(office, box[0]) if provisioned else "",
        }
        return web.json_response(shown, headers={"Cache-Control": "no-store"})

    def _box(self, name: str) -> tuple[Device, ...]:
        directory = self.lab.directory
        if name in directory.devices_by_id:
            return (directory.devices_by_id[name],)
        try:
            return directory.devices_by_mac.get(normal_mac(name), ())
        except ValueError:
            return ()
