"""`/api/v1/faults`: what ails the lines of the lab's phones.

* `GET`: the links, those with a fault first, each with its figures, its counters a direction and when it ends; presets.
* `POST /api/v1/faults/{link}`, `{"preset": NAME}` or `{"to_provider": {…}, "from_provider": {…}}` with `delay_ms`,
  `jitter_ms`, `loss`, `duplication` (percent), `kbit_s`; `"minutes": 5` ends it by itself.
* `POST /api/v1/faults/{link}/drop`, `{"count": 2, "method": "INVITE", "direction": "to_provider"}`: lost.
* `DELETE /api/v1/faults/{link}` ends one, `DELETE /api/v1/faults` all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from json import JSONDecodeError

from aiohttp import web

from lab.api.refusal import refused
from lab.errors import UserError
from lab.faults import Faults, LinkView, minutes, read
from lab.network.presets import names
from lab.wire import Impairment
from pbx.numerals import natural


class FaultsApi:
    """Adds its routes to an application."""

    def __init__(self, faults: Callable[[], Faults]) -> None:
        self._faults = faults

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/faults", self._list)
        app.router.add_delete("/api/v1/faults", self._clear)
        app.router.add_post("/api/v1/faults/{link}", self._put)
        app.router.add_post("/api/v1/faults/{link}/drop", self._drop)
        app.router.add_delete("/api/v1/faults/{link}", self._clear)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"links": [shown(view) for view in self._faults().report()], "presets": names()})

    async def _put(self, request: web.Request) -> web.Response:
        link = request.match_info["link"]
        try:
            told = await _told(request)
            lasts = minutes(str(told.get("minutes", "")))
            if "preset" in told:
                fault = self._faults().preset(link, str(told["preset"]), for_s=lasts)
            else:
                ways = [_way(told.get(name, {})) for name in ("to_provider", "from_provider")]
                fault = self._faults().put(link, *ways, for_s=lasts)
        except UserError as error:
            return _refusal(error)
        return web.json_response({"link": link, "what": fault.words})

    async def _drop(self, request: web.Request) -> web.Response:
        try:
            told = await _told(request)
            direction, method = str(told.get("direction", "to_provider")), str(told.get("method", ""))
            self._faults().drop(
                request.match_info["link"], direction, natural(str(told.get("count", "1"))) or 0, method
            )
        except UserError as error:
            return _refusal(error)
        return web.json_response({"link": request.match_info["link"]})

    async def _clear(self, request: web.Request) -> web.Response:
        try:
            return web.json_response({"ended": self._faults().clear(request.match_info.get("link", ""))})
        except UserError as error:
            return _refusal(error)


def shown(view: LinkView) -> dict[str, object]:
    fault = view.fault
    return {
        "link": view.link,
        "phones": view.phones,
        "unfelt": view.unfelt,
        "preset": fault.preset if fault else "",
        "what": fault.words if fault else "",
        "to_provider": asdict(fault.to_provider) if fault else None,
        "from_provider": asdict(fault.from_provider) if fault else None,
        "ends_in_s": view.ends_in_s,
        "counts": {name: asdict(counts) for name, counts in view.counts.items()},
    }


async def _told(request: web.Request) -> dict[str, object]:
    try:
        told = await request.json() if request.can_read_body else {}
    except (JSONDecodeError, UnicodeDecodeError):
        told = None
    if not isinstance(told, dict):
        raise UserError("this is no fault", "the body is no JSON object", '{"preset": "lte"}', "docs/network.md")
    return {str(name): value for name, value in told.items()}


def _way(told: object) -> Impairment:
    if not isinstance(told, dict):
        raise UserError("this is no line", f"{told!r} is no object", '{"loss": 3}', "docs/network.md")
    return read(told)


def _refusal(error: UserError) -> web.Response:
    return refused(400, error.happened, error.why, error.remedy)
