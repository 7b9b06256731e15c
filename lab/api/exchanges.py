"""`/api/v1/exchanges`: domains beside the first that are served, each on ports of its own.

* `GET`: which there are, where each is reached, how many of its devices are registered.
* `POST /{domain}`: serve a domain; the lab's phones of its devices are plugged in and powered. `DELETE`: end that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lab.api.refusal import refused
from lab.exchanges import CannotServe, Exchanges

if TYPE_CHECKING:
    from lab.office import Office

_AT = "/api/v1/exchanges"


class ExchangesApi:
    """Adds its routes to an application."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges

    def route(self, app: web.Application) -> None:
        app.router.add_get(_AT, self._list)
        app.router.add_post(f"{_AT}/{{domain}}", self._serve)
        app.router.add_delete(f"{_AT}/{{domain}}", self._end)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([shown(office) for office in self._exchanges.offices().values()])

    async def _serve(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            office = await self._exchanges.serve(domain)
        except CannotServe as error:
            missing = str(error).startswith("there is no")
            return refused(404 if missing else 409, f"{domain[:80]} was not put into service", str(error), f"GET {_AT}")
        except OSError as error:
            return refused(503, f"{domain[:80]} was not put into service", str(error), "free a port, or memory")
        return web.json_response(shown(office), status=201)

    async def _end(self, request: web.Request) -> web.Response:
        domain = request.match_info["domain"]
        try:
            await self._exchanges.end(domain)
        except CannotServe as error:
            return refused(404, f"{domain[:80]} was not taken out of service", str(error), f"GET {_AT}")
        return web.Response(status=204)


def shown(office: Office) -> dict[str, object]:
    lab = office.lab
    directory, sip = lab.directory, lab.sip_address("udp")
    at = lab.listening
    return {
        "domain": directory.domain.name,
        "console": office.console_url,
        "sip": f"{sip.host}:{sip.port}",
        "provisioning": at.provisioning_url if at is not None else "",
        "devices": len(directory.devices),
        "registered": len(lab.switch.registered()) if lab.alive else 0,
    }
