"""`/api/v1/faxes`: what was faxed and what is to be.

* `GET /api/v1/faxes[?account=A][&direction=in][&status=failed]`: newest first.
* `GET /api/v1/faxes/{id}/{pdf|tiff}`: the pages.
* `POST /api/v1/faxes?to=NUMBER[&account=A][&name=letter.pdf]`: send the PDF or TIFF in the body.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

from aiohttp import web

from lab.api.refusal import refused
from lab.faxes.counter import NotTaken, Order, account_named, hand_in, made, number_of
from lab.faxes.paper import MOST_BYTES, BadDocument, to_pdf
from lab.service import Lab
from pbx.domain.history import Fax

_FILTERS = ("account", "direction", "status")


class FaxDesk:
    """Adds its routes to an application."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/faxes", self._list)
        app.router.add_get("/api/v1/faxes/{id}/{kind:pdf|tiff}", self._pages)
        app.router.add_post("/api/v1/faxes", self._send)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in _FILTERS if name in request.query}
        rows = [_shown(fax) for fax in self._lab.history.faxes()]
        return web.json_response([row for row in rows if wanted.items() <= row.items()])

    async def _pages(self, request: web.Request) -> web.Response:
        name, kind = request.match_info["id"], request.match_info["kind"]
        fax = next((fax for fax in self._lab.history.faxes() if fax.id == name), None)
        if fax is None:
            return refused(404, f"there is no fax {name!r}", "none has that id", "GET /api/v1/faxes lists them")
        tiff = await asyncio.to_thread(self._lab.cabinet.get, fax.document) if fax.document else None
        if tiff is None:
            return refused(404, f"{name} has no pages", fax.problem or "they are gone", "GET /api/v1/faxes tells more")
        if kind == "tiff":
            return web.Response(body=tiff, content_type="image/tiff")
        try:
            return web.Response(body=await asyncio.to_thread(to_pdf, tiff), content_type="application/pdf")
        except BadDocument as error:
            return refused(409, f"{name} cannot be shown as PDF", str(error), f"GET /api/v1/faxes/{name}/tiff")

    async def _send(self, request: web.Request) -> web.Response:
        directory, query = self._lab.directory, request.query
        try:
            account = account_named(directory, query.get("account", ""))
            number = number_of(directory, query.get("to", ""))
            octets = await _body(request)
            document = await asyncio.to_thread(made, [(query.get("name", "the document"), octets)])
            fax = await hand_in(self._lab, Order(account.name, number, document))
        except NotTaken as error:
            return refused(422, "nothing was faxed", str(error), "send a PDF or TIFF of up to 100 pages, `to` a number")
        return web.json_response(_shown(fax), status=202)


async def _body(request: web.Request) -> bytes:
    """Read up to what a fax may have, and an octet more to tell; NotTaken."""
    octets = bytearray()
    async for chunk in request.content.iter_any():
        octets += chunk
        if len(octets) > MOST_BYTES:
            raise NotTaken(f"the document has more than {MOST_BYTES // 1_000_000} MB")
    return bytes(octets)


def _shown(fax: Fax) -> dict[str, object]:
    return {**asdict(fax), "when": f"{datetime.fromtimestamp(fax.at, UTC):%Y-%m-%d %H:%M:%SZ}"}
