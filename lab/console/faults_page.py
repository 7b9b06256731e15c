"""The page of impairments: which line is bad on purpose, how bad, until when, and what has become of its packets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from lab.errors import UserError
from lab.faults import EVERYBODY, Faults, minutes, read, said
from lab.network.presets import names, network
from pbx.numerals import natural

_FIGURES = ("delay_ms", "jitter_ms", "loss", "duplication", "kbit_s")
Form = Callable[[web.Request], Awaitable[Mapping[str, object]]]


class Frame(Protocol):
    """The console's own ways to answer."""

    def page(self, request: web.Request, template: str, *, status: int = 200, **context: object) -> web.Response: ...

    def refusal(self, request: web.Request, status: int, happened: str, why: str, back: str) -> web.Response: ...


class FaultsPage:
    """Adds its routes to an application."""

    def __init__(self, frame: Frame, form: Form, faults: Callable[[], Faults]) -> None:
        self._frame, self._form, self._faults = frame, form, faults

    def route(self, app: web.Application) -> None:
        app.router.add_get("/faults", self._list)
        app.router.add_post("/faults", self._change)

    async def _list(self, request: web.Request) -> web.Response:
        faults = self._faults()
        views = faults.report()
        return self._frame.page(
            request,
            "faults.html",
            room="faults",
            regions="none",
            bad=[view for view in views if view.fault is not None],
            links=faults.links(),
            chosen=request.query.get("link", EVERYBODY),
            presets=[(name, network(name)) for name in names()],
            said=said,
        )

    async def _change(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await self._form(request)).items()}
        try:
            self._carry_out(form)
        except UserError as error:
            return self._frame.refusal(request, 400, error.happened, f"{error.why}; {error.remedy}.", "/faults")
        raise web.HTTPSeeOther("/faults")

    def _carry_out(self, form: Mapping[str, str]) -> None:
        faults, link = self._faults(), form.get("link", "")
        match form.get("do", ""):
            case "preset":
                faults.preset(link, form.get("preset", ""), for_s=minutes(form.get("minutes", "")))
            case "figures":
                out, back = (read(_figures(form, way)) for way in ("to", "from"))
                faults.put(link, out, back, for_s=minutes(form.get("minutes", "")))
            case "drop":
                count = natural(form.get("count", "")) or 0
                faults.drop(link, form.get("direction", ""), count, form.get("method", ""))
            case "clear":
                faults.clear(link)
            case other:
                raise UserError(f"{other!r} is nothing to do here", "a form of another page", "use the page", "")


def _figures(form: Mapping[str, str], way: str) -> dict[str, str]:
    told = {name: form.get(f"{way}.{name}", "") for name in _FIGURES}
    return {name: value for name, value in told.items() if value}
