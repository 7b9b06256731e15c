"""`/api/v1/phones`: what provisioning gives each device, and why.

* `GET /api/v1/phones`: the devices.
* `GET /api/v1/phones/{device}`: its files, and every setting with the layer it comes from and what it overrides.
* `GET /api/v1/phones/{device}/provision`, and below it `why?about=`, `files`, `file?name=&reveal=1&by=`: what its
  box is given, why each parameter stands there, and the files themselves, secrets hidden unless they are asked for.
* `POST /api/v1/phones/{device}/resync`: a NOTIFY in the words of its maker (`?reboot=1`: to start again), and what the
  phone answered; the device by its id, or its box by MAC: then the first of its devices that is registered.
* `POST /api/v1/phones/{device}/rotate?overlap_h=24`: new passwords and a new token for the box; the old ones are taken
  for so many hours beside them, and what is registered is told to fetch its file.
* `POST /api/v1/phones`: a phone of the lab, fresh from the factory, for each device that has none on the floor yet.
* `POST /api/v1/phones/{device}/control`, `{"url": …, "driver": …, "user": …, "password": …}`: how a physical phone is
  controlled from now on, as a seed says it (docs/drivers.md); answers where its files are by its own steady token, and
  whose voices and which music it may hear.
* `GET /api/v1/phones/{device}/uploads`: what the box has sent; `GET …/uploads/{name}`: one of them.
* `GET /api/v1/provisioning/dhcp?kind=dnsmasq&site=`: what a DHCP server needs to tell factory-fresh phones.
* `GET /api/v1/provisioning/bans`: who is banned, for how long; `DELETE …/bans/{place}` lets one in again.
* `POST /api/v1/phones/{device}/reveal`, `{"by": "who asks"}`: the passwords and the URL of the box, in the clear; an
  event says who looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from aiohttp import web
from pydantic import ValidationError

from lab.api.refusal import refused
from lab.devices import DeviceDesk
from lab.errors import UserError
from lab.explained import explained
from lab.inventory import device_rows
from lab.provision_view import ProvisionView, dhcp_snippet
from lab.seeds.model import Control
from lab.service import Lab
from pbx.domain.devices import Device, normal_mac
from pbx.events import SecretsRevealed
from provisioning_server.dhcp import KINDS
from provisioning_server.inventory import Refused
from provisioning_server.respond import config_url
from provisioning_server.upload_folder import Kept

MOST_OVERLAP_H = 24 * 90


@dataclass(slots=True)
class Phones:
    """Adds its routes to an application."""

    lab: Lab
    desk: DeviceDesk

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/phones", self._list)
        app.router.add_post("/api/v1/phones", self._plug_in)
        app.router.add_get("/api/v1/phones/{device}", self._one)
        app.router.add_get("/api/v1/phones/{device}/provision", self._provision)
        app.router.add_get("/api/v1/phones/{device}/provision/{part}", self._provision)
        app.router.add_post("/api/v1/phones/{device}/resync", self._resync)
        app.router.add_get("/api/v1/provisioning/dhcp", self._dhcp)
        app.router.add_get("/api/v1/provisioning/bans", self._bans)
        app.router.add_delete("/api/v1/provisioning/bans/{place:.+}", self._lift)
        app.router.add_get("/api/v1/phones/{device}/uploads", self._uploads)
        app.router.add_get("/api/v1/phones/{device}/uploads/{name}", self._upload)
        app.router.add_post("/api/v1/phones/{device}/rotate", self._rotate)
        app.router.add_post("/api/v1/phones/{device}/reveal", self._reveal)
        app.router.add_post("/api/v1/phones/{device}/control", self._control)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(device_rows(self.lab.directory))

    async def _plug_in(self, request: web.Request) -> web.Response:
        if not self.lab.settings.phones:
            return refused(409, "nothing was plugged in", "this lab has no phones of its own", "start it with phones")
        new = await self.lab.plug_in()
        self.lab.power(True, new)
        told = [{"devices": [one.device for one in phone.extensions]} for phone in new]
        return web.json_response(told, status=201)

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

    async def _provision(self, request: web.Request) -> web.Response:
        name, lab, query = request.match_info["device"], self.lab, request.query
        reveal, by = query.get("reveal") == "1", query.get("by", "").strip()
        if reveal and not by:
            return refused(400, "nothing is revealed", "nobody says who asks", "add by=NAME: it is written down")
        view = ProvisionView(lab.directory, lab.provisioning.office, lab.now)
        parts: dict[str, Callable[[], object]] = {
            "": lambda: view.shown(name),
            "why": lambda: view.why(name, query.get("about", "")),
            "files": lambda: view.files(name),
            "file": lambda: {"text": view.file(name, query.get("name", ""), reveal=reveal)},
        }
        part = parts.get(request.match_info.get("part", ""))
        if part is None:
            return refused(404, "there is no such view of a phone", "it is none of these", "why, files, file")
        try:
            told = part()
            if reveal:
                lab.publish(
                    SecretsRevealed(view.box(name)[0].mac or name, f"{by[:80]} from {request.remote or 'here'}")
                )
        except UserError as error:
            return refused(404, error.happened, error.why, error.remedy)
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    async def _resync(self, request: web.Request) -> web.Response:
        try:
            told = await self.desk.resync(request.match_info["device"], reboot=request.query.get("reboot") == "1")
        except Refused as no:
            return refused(404 if "there is no phone" in no.happened else 409, no.happened, no.why, no.remedy)
        return web.json_response(asdict(told))

    async def _dhcp(self, request: web.Request) -> web.Response:
        kind, lab = request.query.get("kind", ""), self.lab
        if kind not in KINDS:
            return refused(
                400, f"there is no DHCP server {kind!r}", f"known are {', '.join(KINDS)}", "name one of them"
            )
        try:
            view = ProvisionView(lab.directory, lab.provisioning.office, lab.now)
            text, untold = dhcp_snippet(view, kind, request.query.get("site", ""))
        except UserError as error:
            return refused(404, error.happened, error.why, error.remedy)
        return web.json_response({"text": text, "untold": untold})

    async def _bans(self, request: web.Request) -> web.Response:
        now = self.lab.now.mono
        bans = self.lab.provisioning.office.bans.in_force(now)
        return web.json_response(
            [{"place": ban.place, "guesses": ban.guesses, "for_s": round(ban.until - now)} for ban in bans]
        )

    async def _lift(self, request: web.Request) -> web.Response:
        place = request.match_info["place"]
        if not self.lab.provisioning.office.bans.lift(place):
            return refused(404, f"{place!r} is not banned", "nobody has guessed there", "GET /api/v1/provisioning/bans")
        return web.json_response({"lifted": place})

    async def _uploads(self, request: web.Request) -> web.Response:
        name = request.match_info["device"]
        box = self._box(name)
        if not box:
            return refused(404, f"there is no phone {name!r}", "no device has that id or MAC", "GET /api/v1/phones")
        kept = self._kept(box)
        return web.json_response([{"name": one.name, "size": one.size, "at": one.at.isoformat()} for one in kept])

    async def _upload(self, request: web.Request) -> web.Response:
        box, name = self._box(request.match_info["device"]), request.match_info["name"]
        folder = self.lab.provisioning.uploads
        if folder is None or name not in [one.name for one in self._kept(box)]:
            return refused(
                404, f"there is no upload {name!r}", "the box has sent none of that name", "list its uploads"
            )
        body = folder.read(box[0].mac or "", name)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type="application/octet-stream", headers=headers)

    def _kept(self, box: tuple[Device, ...]) -> list[Kept]:
        folder = self.lab.provisioning.uploads
        return folder.of(box[0].mac) if folder is not None and box and box[0].mac else []

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

    async def _control(self, request: web.Request) -> web.Response:
        name, lab = request.match_info["device"], self.lab
        if name not in lab.directory.devices_by_id:
            return refused(404, f"there is no device {name!r}", "the domain has none of that id", "GET /api/v1/phones")
        try:
            lab.control_phone(name, Control.model_validate_json(await request.read()))
        except ValidationError as error:
            why = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors())
            remedy = 'say {"url": "https://192.168.1.23", "user": "admin", "password": "…"}'
            return refused(400, f"{name} is controlled as before", why, remedy)
        except UserError as error:
            return refused(400, error.happened, error.why, error.remedy)
        parties, music = lab.audible
        told = {"device": name, "folder": lab.steady_folder(name), "parties": list(parties), "music": list(music)}
        return web.json_response(told, headers={"Cache-Control": "no-store"})

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
            "config_url": config_url(office, self.lab.directory, box[0]) if provisioned else "",
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
