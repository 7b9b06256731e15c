"""Faxes of the domain's accounts: received, sent, on their way; their pages as PDF and TIFF."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.faxes.paper import BadDocument, to_pdf
from lab.portal.gate import ACTOR
from lab.portal.room import SHOWN, Room, first_row
from pbx.access import Thing, within
from pbx.domain.directory import Directory
from pbx.domain.history import Fax
from pbx.ownership import domain_thing


@dataclass(slots=True)
class FaxPage:
    room: Room

    def route(self, app: web.Application) -> None:
        app.router.add_get("/d/{domain}/faxes", self._list)
        app.router.add_get("/d/{domain}/faxes/{id}/{kind:pdf|tiff}", self._pages)

    async def _list(self, request: web.Request) -> web.Response:
        directory = self.room.directory(request)
        zone = ZoneInfo(directory.domain.time_zone)
        words = request.query.get("q", "").casefold().split()
        found = [fax for fax in self._seen(request, directory) if all(word in _words(fax) for word in words)]
        first = first_row(request, len(found))
        rows = [
            (fax, f"{datetime.fromtimestamp(fax.at, zone):%d %b %Y %H:%M:%S}", _state(fax))
            for fax in found[first : first + SHOWN]
        ]
        return self.room.page(
            request, "portal/faxes.html", room="faxes", domain=directory.domain.name, rows=rows, total=len(found),
            first=first, most=SHOWN, engine=self.room.house.faxes_work(),
        )  # fmt: skip

    async def _pages(self, request: web.Request) -> web.Response:
        directory, name = self.room.directory(request), request.match_info["id"]
        fax = next((one for one in self._seen(request, directory) if one.id == name), None)
        tiff = await self.room.house.fax_pages(fax) if fax is not None and fax.document else None
        if fax is None or tiff is None:
            raise web.HTTPNotFound
        kind = request.match_info["kind"]
        try:
            body = tiff if kind == "tiff" else await asyncio.to_thread(to_pdf, tiff)
        except BadDocument:
            raise web.HTTPNotFound from None
        at = datetime.fromtimestamp(fax.at, ZoneInfo(directory.domain.time_zone))
        suffix, media_type = ("tif", "image/tiff") if kind == "tiff" else ("pdf", "application/pdf")
        named = f'attachment; filename="fax-{fax.account}-{at:%Y%m%d-%H%M%S}.{suffix}"'
        return web.Response(body=body, content_type=media_type, headers={"Content-Disposition": named})

    def _seen(self, request: web.Request, directory: Directory) -> list[Fax]:
        """Newest first, those of accounts the reader reaches."""
        sees = within(request[ACTOR], "view", "fax account")

        def thing(fax: Fax) -> Thing:
            return domain_thing(directory, "fax account", fax.account)

        return [fax for fax in self.room.house.faxes(directory.domain.name) if sees(thing(fax))]


def _words(fax: Fax) -> str:
    way = "received from" if fax.direction == "in" else "sent to"
    return f"{fax.account} {way} {fax.number} {fax.station} {fax.status} {fax.over} {fax.problem}".casefold()


def _state(fax: Fax) -> tuple[str, str]:
    """The state of a fax in words, and the colour it is shown in."""
    match fax.status:
        case "received" | "sent":
            return fax.status.capitalize(), "ok"
        case "failed":
            return "Failed", "fault"
        case "queued":
            return ("Waits for another try" if fax.tries else "Waits"), "ring"
        case _:
            return fax.status.capitalize(), "boot"
