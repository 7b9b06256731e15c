"""A phone in the hand (console.md S1, the drawer): its screen, its keys, what its ear hears; by form and by API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from lab.api.refusal import refused
from lab.console.faults_page import Form, Frame
from lab.console.readers import Reader
from lab.console.views import ConsoleSource, Handset
from lab.portal.gate import ACTOR
from pbx.access import may
from pbx.domain.directory import Directory
from pbx.ownership import phone_thing

KEYS = tuple("123456789*0#")
WORDS = {
    "dial": "Call", "answer": "Answer", "reject": "Reject", "hangup": "End call", "hold": "Hold", "resume": "Resume",
    "transfer": "Transfer", "attended": "Complete the transfer", "conference": "Conference", "dnd": "Do not disturb",
    "reboot": "Reboot", "reset": "Factory reset", "unplug": "Unplug power", "plug in": "Plug power in",
}  # fmt: skip
"""What stands on a button."""


@dataclass(slots=True)
class PhonePage:
    """Adds its routes to an application: `/phones/{device}`, and `/api/v1/phones/{device}/handset` and `/press`."""

    frame: Frame
    form: Form
    source: ConsoleSource
    reader: Reader
    home: Callable[[], Directory]

    def route(self, app: web.Application) -> None:
        app.router.add_get("/phones/{device}", self._show)
        app.router.add_post("/phones/{device}", self._pressed)
        app.router.add_get("/api/v1/phones/{device}/handset", self._told)
        app.router.add_post("/api/v1/phones/{device}/press", self._press)

    async def _show(self, request: web.Request) -> web.Response:
        handset = self._found(request)
        if handset is None:
            why = "It is not on the lab's floor, or not within your reach."
            return self.frame.refusal(request, 404, "There is no such phone", why, "/floor")
        part = request.query.get("part") == "1"
        return self.frame.page(
            request,
            "handset.html" if part else "phone_page.html",
            room="floor",
            regions=f"handset-{handset.card.device}",
            hand=handset,
            keys=KEYS,
            words=WORDS,
            edits=self._may_press(request, handset),
        )

    async def _pressed(self, request: web.Request) -> web.StreamResponse:
        handset = self._to_press(request)
        form = await self.form(request)
        device, do = handset.card.device, str(form.get("do", ""))
        argument = str(form.get("argument", "") or form.get("number", ""))
        wrong = self.source.press(device, do, argument.strip())
        if wrong:
            return self.frame.refusal(request, 409, "The phone did not do that", wrong, f"/phones/{device}")
        raise web.HTTPSeeOther(f"/phones/{device}")

    async def _told(self, request: web.Request) -> web.Response:
        handset = self._found(request)
        if handset is None:
            return refused(404, "there is no such phone", "it is not on the lab's floor", "GET /api/v1/phones")
        return web.json_response(shown(handset))

    async def _press(self, request: web.Request) -> web.Response:
        handset = self._to_press(request)
        try:
            asked = await request.json()
            do, argument = str(asked["do"]), str(asked.get("argument", ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            return refused(400, "nothing was pressed", "the body names no button", '{"do": "dial", "argument": "102"}')
        wrong = self.source.press(handset.card.device, do, argument.strip())
        if wrong:
            return refused(409, "the phone did not do that", wrong, "GET …/handset tells what it can do now")
        after = self._found(request)
        return web.json_response(shown(after if after is not None else handset))

    def _found(self, request: web.Request) -> Handset | None:
        handset = self.source.handset(request.match_info["device"])
        return handset if handset is not None and self.reader.phones(request, [handset.card]) else None

    def _to_press(self, request: web.Request) -> Handset:
        handset = self._found(request)
        if handset is None:
            raise web.HTTPNotFound
        if not self._may_press(request, handset):
            raise web.HTTPForbidden
        return handset

    def _may_press(self, request: web.Request, handset: Handset) -> bool:
        return bool(may(request[ACTOR], "edit", phone_thing(self.home(), handset.card.extension)))


def shown(handset: Handset) -> dict[str, object]:
    card = handset.card
    return {
        "device": card.device, "extension": card.extension, "state": card.state, "note": card.note,
        "screen": list(card.screen), "soft_keys": list(card.soft_keys), "waiting": card.waiting,
        "message_lamp": card.message_lamp, "do_not_disturb": card.do_not_disturb, "calls": list(handset.calls),
        "hears": list(handset.hears), "buttons": list(handset.buttons),
    }  # fmt: skip
