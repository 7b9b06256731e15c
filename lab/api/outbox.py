"""`/api/v1/outbox`: the mail that was sent, while it goes to the lab's own outbox, and what has not been sent yet.

* `GET /api/v1/outbox`: every letter caught, oldest first (`?to=ana@acme.lab` for one address), and `waiting`.
* `GET /api/v1/outbox/{number}`: one letter as it is (message/rfc822).
* `DELETE /api/v1/outbox`: empty it. What waits goes on waiting.
* `POST /api/v1/outbox/again`: try now whatever waits.
"""

from __future__ import annotations

from aiohttp import web

from lab.api.refusal import refused
from lab.mail.outbox import Caught
from lab.service import Lab
from pbx.domain.kept import Notice


class MailDesk:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/outbox", self._list)
        app.router.add_get("/api/v1/outbox/{number}", self._letter)
        app.router.add_delete("/api/v1/outbox", self._empty)
        app.router.add_post("/api/v1/outbox/again", self._again)

    async def _list(self, request: web.Request) -> web.Response:
        letters = [_shown(caught) for caught in self._lab.outbox.letters(request.query.get("to", ""))]
        waiting = [_waits(notice) for notice in self._lab.history.notices()]
        return web.json_response({"letters": letters, "waiting": waiting})

    async def _letter(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        caught = self._lab.outbox.letter(int(number)) if number.isdecimal() else None
        if caught is None:
            return refused(404, f"there is no letter {number!r}", "it is not among those kept", "GET /api/v1/outbox")
        return web.Response(body=caught.letter.as_bytes(), content_type="message/rfc822")

    async def _empty(self, request: web.Request) -> web.Response:
        self._lab.outbox.empty()
        return web.Response(status=204)

    async def _again(self, request: web.Request) -> web.Response:
        self._lab.mail_again()
        return web.json_response({"waiting": len(self._lab.history.notices())}, status=202)


def _shown(caught: Caught) -> dict[str, object]:
    return {
        "number": caught.number,
        "at": caught.at,
        "from": caught.sender,
        "to": list(caught.to),
        "subject": caught.subject,
        "text": caught.text,
        "attachments": [
            {"name": name, "type": kind, "bytes": len(octets)} for name, kind, octets in caught.attachments
        ],
    }


def _waits(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.id,
        "to": list(notice.to),
        "subject": notice.subject,
        "at": notice.at,
        "tries": notice.tries,
        "problem": notice.problem,
        "refused": notice.refused,
    }
