"""`POST /api/v1/reset`: begin anew with a part of the lab, `{"calls": true, "mail": true, "phone": "105"}`.

* `calls`: those in progress are ended; the book, the records and the recordings of calls are emptied.
* `mail`: the outbox is emptied. What waits to be sent goes on waiting.
* `phone`: the box of a device is as it came from the factory, let in once more, and boots.

Nothing else changes. All of a lab goes back with a snapshot (docs/running.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from lab.api.refusal import refused
from lab.callbook import CallBook
from lab.house import AnyPhone
from lab.service import Lab
from pbx.callflow.ports import CallRecordingRemoved
from pbx.store.protocol import RecordsForgotten

ENDED_S = 10.0
"""How long calls may take to end."""


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    calls: bool = False
    mail: bool = False
    phone: str = ""


@dataclass(slots=True)
class Reset:
    """Adds its route to an application."""

    lab: Lab
    book: CallBook

    def route(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/reset", self._reset)

    async def _reset(self, request: web.Request) -> web.Response:
        try:
            wanted = Wanted.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors()[0]
            return _refused(400, f"{'.'.join(map(str, first['loc'])) or 'the body'}: {first['msg']}")
        if not (wanted.calls or wanted.mail or wanted.phone):
            return _refused(400, "nothing was named")
        phone = self._phone(wanted.phone) if wanted.phone else None
        if wanted.phone and phone is None:
            return _refused(404, f"the lab has no phone {wanted.phone!r}")
        told: dict[str, object] = {}
        if wanted.calls:
            told["calls"] = await self._forget_calls()
        if wanted.mail:
            told["mail"] = len(self.lab.outbox.letters())
            self.lab.outbox.empty()
        if phone is not None:
            told["phone"] = self._as_new(phone)
        return web.json_response(told)

    async def _forget_calls(self) -> int:
        """Return how many there were."""
        self.lab.command_switch(lambda switch, now: switch.end_calls(now))
        await self.lab.until(lambda: not self.lab.switch.live()["calls"], ENDED_S)
        store = self.lab.store
        known = {record.call for record in store.records()} | {entry.call for entry in self.book.entries()}
        self.book.forget()
        for recording in store.call_recordings():
            store.submit(CallRecordingRemoved(recording.recording))
        store.submit(RecordsForgotten())
        await store.written()
        return len(known)

    def _phone(self, device: str) -> AnyPhone | None:
        has = (phone for phone in self.lab.phones if any(each.device == device for each in phone.extensions))
        return next(has, None)

    def _as_new(self, phone: AnyPhone) -> list[str]:
        """Return the devices of the box."""
        devices = [extension.device for extension in phone.extensions]
        if mac := self.lab.directory.devices_by_id[devices[0]].mac:
            self.lab.reopen_provisioning(mac)
        self.lab.press(phone, lambda: phone.factory_reset(self.lab.now.mono))
        return devices


def _refused(status: int, why: str) -> web.Response:
    return refused(status, "nothing was reset", why, '{"calls": true}, {"mail": true}, {"phone": "105"}, or several')
