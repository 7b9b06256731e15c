"""What is said of a box for once, on its page: values above every other layer, for one fetch or some minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from aiohttp import web

from lab.console.faults_page import Form, Frame
from lab.devices import DeviceDesk
from pbx.clock import Moment
from pbx.numerals import natural
from provisioning_server.device_import import setting_value
from provisioning_server.inventory import Refused
from provisioning_server.manifest import SettingsData


class OncePage:
    """Adds its route to an application."""

    def __init__(self, frame: Frame, form: Form, desk: DeviceDesk, now: Callable[[], Moment]) -> None:
        self._frame, self._form, self._desk, self._now = frame, form, desk, now

    def route(self, app: web.Application) -> None:
        app.router.add_post("/devices/{mac}/once", self._change)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        mac = request.match_info["mac"]
        form = {name: str(value) for name, value in (await self._form(request)).items()}
        back = f"/devices/{mac}"
        try:
            self._carry_out(mac, form)
        except Refused as no:
            return self._frame.refusal(request, 400, no.happened, f"{no.why}; {no.remedy}.", back)
        raise web.HTTPSeeOther(back)

    def _carry_out(self, mac: str, form: Mapping[str, str]) -> None:
        by = form.get("by", "").strip()[:80] or "the console"
        box = self._desk.box(mac)
        if form.get("do") == "lift":
            self._desk.one_shots.lift(box[0].mac or "", by)
            return
        minutes = form.get("minutes", "").strip()
        count = natural(minutes)
        if minutes and not count:
            raise Refused(
                "nothing is said for once", f"{minutes!r} is no number of minutes", "write digits, or nothing"
            )
        until = self._now().wall + timedelta(minutes=count) if count else None
        self._desk.one_shots.give(box, settings_of(form.get("settings", "")), by, until)


def settings_of(text: str) -> SettingsData:
    """Read `name = value`, one a line; Refused for anything else."""
    found: SettingsData = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise Refused("nothing is said for once", f"{line[:80]!r} is no `name = value`", "write one a line")
        found[name.strip()] = setting_value(value.strip())
    return found
