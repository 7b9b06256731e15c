"""The console: an aiohttp application over a `ConsoleSource`; server-rendered pages, one live stream.

Posture of console.md 4.9: strict Content-Security-Policy (no inline script or style), a Host allow-list
against DNS rebinding, `no-store`, nothing loaded from elsewhere. Browser libraries come from the static
files of an installed package.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote, unquote

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp.http import HttpProcessingError

from lab.console.language import HTML, LANGUAGES, language_of, saying
from lab.console.phone_page import KEYS, WORDS
from lab.console.readers import Everybody, Reader
from lab.console.stream import Hub
from lab.console.views import RESULTS, STANDINGS, STATES, VERDICTS, BoxesPage, ConsoleSource, PhoneCard, RunView
from lab.portal.gate import Refused
from lab.portal.places import page_of
from pbx.numerals import natural

_LOG = logging.getLogger("switchroom.console")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The report has its style sheet in it, loads nothing but sound of its own evidence, and runs nothing.
REPORT_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# A piece of evidence is what phones and strangers sent: it is shown where it can only be looked at, else saved.
EVIDENCE_CSP = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; sandbox; frame-ancestors 'none'"
_SHOWN = {".svg": "image/svg+xml", ".wav": "audio/wav", ".txt": "text/plain; charset=utf-8"}

_HERE = Path(__file__).parent
_THEMES = ("system", "light", "dark")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_REFUSALS = {
    400: ("This request is not understood", "Something in it is not what this address takes."),
    401: ("Log in first", "This address answers to a session or to a token."),
    403: ("This is not shown", "The address names a folder or something that is not for reading."),
    404: ("There is nothing here", "No page of the console has this address."),
    405: ("This address does not take that", "The method of the request is not one of those it answers."),
    409: ("This does not fit what is there", "Something else was done in between."),
    413: ("This request is too long", "Nothing here takes as much."),
}
"""Status → what happened, why."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Console:
    """Owns the hub; `app` is what a runner serves, `changed` what the lab calls."""

    def __init__(self, source: ConsoleSource, *, hosts: Collection[str] = (), reader: Reader | None = None) -> None:
        self._source = source
        self._reader = reader or Everybody()
        self._hosts = _LOOPBACK | frozenset(hosts)
        self.hub = Hub(lambda: asdict(source.clock()))
        self.app = web.Application(middlewares=[self._guard])
        self._environment = aiohttp_jinja2.setup(
            self.app,
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["page_of"] = lambda link: page_of(source.domain, link)
        self.app.on_shutdown.append(self._shut)
        self.impaired: Callable[[], str] = lambda: ""
        """What of the lab is bad on purpose now, in words: stands above every page."""
        self.broke: Callable[[str], None] = lambda words: None
        """Told of a page that broke."""
        self._route()

    def phone_changed(self, card: PhoneCard) -> None:
        self._tell(f"phone-{card.device}", "phone.html", lambda: {"card": card})
        self._tell(f"handset-{card.device}", "handset.html", lambda: self._hand(card.device))
        self._tell("floor-tally", "tally.html", lambda: {"tally": _tally(self._source.phones())})
        if card.state in ("ringing", "in-call", "fault"):
            self.hub.say(lambda language: card.sentence(saying(language)))

    def run_changed(self, run: RunView) -> None:
        self._tell(f"run-{run.run}", "run_body.html", lambda: {"run": run})
        self._tell("runs", "runs_body.html", lambda: {"runs": self._source.runs()})

    def case_over(self, case: str, verdict: str) -> None:
        self.hub.say(lambda language: f"{case} {saying(language)(VERDICTS[verdict].word).lower()}")

    def call_changed(self, call: str) -> None:
        self._tell(
            f"call-{call}",
            "call_body.html",
            lambda: {"page": self._source.call(call), "plain": False, "domain": self._source.domain},
        )
        self._tell("calls", "calls_body.html", lambda: {"calls": self._source.calls()})

    def guide_changed(self) -> None:
        self._tell("guide", "guide.html", lambda: {"requests": self._source.requests()})
        newest = next(iter(self._source.requests()), None)
        if newest is not None:
            self.hub.say(lambda language: saying(language)("You are needed: {deed}", deed=newest.text))

    def _hand(self, device: str) -> dict[str, object]:
        """Whoever is told of a phone's handset may press it: the others' pages do not show one."""
        context = {"hand": self._source.handset(device), "keys": KEYS, "words": WORDS, "edits": True}
        return context | {"domain": self._source.domain}

    def _tell(self, region: str, template: str, context: Callable[[], Mapping[str, object]]) -> None:
        self.hub.publish(region, lambda language: self._fragment(template, language, **context()))

    # --- pages ----------------------------------------------------------------------------------------

    def _route(self) -> None:
        get = self.app.router.add_get
        get("/", self._home)
        get("/floor", self._floor)
        get("/calls", self._calls)
        get("/calls/{call}", self._call)
        get("/devices", self._devices)
        get("/devices/{mac}", self._device)
        get("/runs", self._runs)
        get("/runs/{run}", self._run)
        get("/runs/{run}/report", self._report)
        get("/runs/{run}/evidence/{case}/{name}", self._evidence)
        get("/stream", self._stream, allow_head=False)
        get("/healthz", self._alive)
        get("/readyz", self._ready)
        self.app.router.add_post("/theme", self._look)
        self.app.router.add_post("/language", self._look)
        self.app.router.add_post("/guide/me", self._name)
        self.app.router.add_post("/guide/{number}", self._answer)
        self.app.router.add_static("/static/", _HERE / "static")
        self.app.router.add_static("/htmx/", Path(str(files("js_lib_htmx"))) / "static" / "htmx")

    async def _home(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(self._reader.landing(request))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        return await self.hub.serve(request, self._reader.hears(request))

    async def _floor(self, request: web.Request) -> web.StreamResponse:
        phones = self._reader.phones(request, self._source.phones())
        return self.page(
            request,
            "floor.html",
            room="floor",
            phones=phones,
            regions="phone-,floor-tally",
            tally=_tally(phones),
            compact=_density(request, len(phones)) == "compact",
            sites=sorted({card.site for card in phones if card.site}),
        )

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        calls = self._reader.calls(request, self._source.calls())
        return self.page(request, "calls.html", room="calls", regions="calls", calls=calls)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        page = self._source.call(request.match_info["call"])
        if page is None or not self._reader.calls(request, [page.row]):
            return self._missing(request, "call", request.match_info["call"], "/calls")
        plain = not self._reader.traces(request)
        page = replace(page, ladder_svg="", messages=()) if plain else page
        return self.page(request, "call.html", room="calls", regions=f"call-{page.row.call}", page=page, plain=plain)

    async def _devices(self, request: web.Request) -> web.StreamResponse:
        standing = request.query.get("standing", "")
        standing = standing if standing in STANDINGS else ""
        return self.page(
            request,
            "devices.html",
            room="devices",
            regions="none",
            boxes=self._reader.boxes(request, self._source.boxes(request.query.get("q", ""), standing)),
            standings=tuple(STANDINGS),
            standing=standing,
        )

    async def _device(self, request: web.Request) -> web.StreamResponse:
        mac = request.match_info["mac"]
        box = self._source.box(mac)
        if box is None or not self._reader.boxes(request, BoxesPage(1, (box.row,))).rows:
            return self._missing(request, "device", mac, "/devices")
        commands = self._reader.commands(request)
        return self.page(request, "box.html", room="devices", regions="none", box=box, commands=commands)

    async def _runs(self, request: web.Request) -> web.StreamResponse:
        return self.page(request, "runs.html", room="runs", regions="runs,guide", runs=self._source.runs())

    async def _run(self, request: web.Request) -> web.StreamResponse:
        run = self._source.run(request.match_info["run"])
        if run is None:
            return self._missing(request, "run", request.match_info["run"], "/runs")
        return self.page(request, "run.html", room="runs", regions=f"run-{run.run},guide", run=run)

    async def _report(self, request: web.Request) -> web.StreamResponse:
        document = self._source.report(request.match_info["run"])
        if document is None:
            return self._missing(request, "report of run", request.match_info["run"], "/runs")
        return web.Response(text=document, content_type="text/html", headers={"Content-Security-Policy": REPORT_CSP})

    async def _evidence(self, request: web.Request) -> web.StreamResponse:
        run, case, name = (request.match_info[part] for part in ("run", "case", "name"))
        path = self._source.evidence(run, case, name)
        if path is None:
            return self._missing(request, "evidence", f"{case}/{name}", f"/runs/{run}/report")
        headers = {"Content-Security-Policy": EVIDENCE_CSP, "X-Content-Type-Options": "nosniff"}
        headers["Content-Type"] = _SHOWN.get(path.suffix, "application/octet-stream")
        if path.suffix not in _SHOWN:
            headers["Content-Disposition"] = f'attachment; filename="{path.name}"'
        return web.FileResponse(path, headers=headers)

    async def _alive(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"alive": True})

    async def _ready(self, request: web.Request) -> web.StreamResponse:
        health = self._source.health()
        return web.json_response(
            {"ready": health.ready, "listeners": health.listeners}, status=200 if health.ready else 503
        )

    async def _name(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        answer = _back(form)
        name = str(form.get("by", "")).strip()[:80]
        answer.set_cookie("by", quote(name), samesite="Lax", httponly=True, max_age=31_536_000)
        raise answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        number, by = natural(request.match_info["number"]), unquote(request.cookies.get("by", ""))
        if number is None:
            raise web.HTTPNotFound
        refused = self._source.answer(number, str(form.get("answer", "")), by)
        if refused:
            return self.refusal(request, 400, "This answer was not taken", refused, "/runs")
        raise _back(form)

    async def _look(self, request: web.Request) -> web.StreamResponse:
        """The theme or the language of whoever reads here."""
        form = await read_form(request)
        answer = _back(form)
        for name, known, first in (("theme", _THEMES, "system"), ("language", tuple(LANGUAGES), "en")):
            if name in form:
                chosen = str(form[name])
                answer.set_cookie(
                    name, chosen if chosen in known else first, samesite="Lax", httponly=True, max_age=31_536_000
                )
        raise answer

    # --- the frame around every page ------------------------------------------------------------------

    def page(self, request: web.Request, template: str, *, status: int = 200, **context: object) -> web.Response:
        return aiohttp_jinja2.render_template(template, request, {**self._common(request), **context}, status=status)

    def _missing(self, request: web.Request, what: str, name: str, back: str) -> web.Response:
        why = "It may have left the ring of what is kept, or never have been."
        return self.refusal(request, 404, f"There is no {what} {name[:80]}", why, back)

    def refusal(
        self, request: web.Request, status: int, happened: str, why: str, back: str, reference: str = ""
    ) -> web.Response:
        if request.path.startswith("/api/"):
            error = {"happened": happened, "why": why, "remedy": "see what /api/v1 offers"}
            error["reference"] = reference or "README, api"
            return web.json_response({"error": error}, status=status)
        return self.page(
            request,
            "refused.html",
            status=status,
            room="",
            regions="none",
            happened=happened,
            why=why,
            back=back,
            reference=reference,
        )

    def _fragment(self, template: str, language: str, **context: object) -> str:
        say = saying(language)
        return self._environment.get_template(template).render(_=say, states=STATES, results=RESULTS, **context)

    def _common(self, request: web.Request) -> dict[str, object]:
        theme, language = request.cookies.get("theme", "system"), language_of(request)
        return {
            "_": saying(language),
            "language": language,
            "lang": HTML[language],
            "languages": LANGUAGES,
            "domain": self._source.domain,
            "clock": self._source.clock(),
            "position": self.hub.position,
            "query": {name: request.query.get(name, "")[:200] for name in ("q", "site")},
            "theme": theme if theme in _THEMES else "system",
            "by": unquote(request.cookies.get("by", "")),
            "requests": self._source.requests() if self._reader.guides(request) else (),
            "impaired": self.impaired(),
            "themes": _THEMES,
            "kiosk": request.query.get("kiosk") == "1",
            "path": request.path_qs,
            "here": request.path,
            **self._reader.frame(request),
            "states": STATES,
            "results": RESULTS,
        }

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
        if (host or request.host) not in self._hosts:
            raise web.HTTPMisdirectedRequest(
                text=f"This console does not answer to the name {request.host!r}. "
                "Open it by its address, or name it in the setting console.names."
            )
        if request.method not in ("GET", "HEAD") and not _same_origin(request):
            raise web.HTTPForbidden(text="A page of another site may not change anything here.")
        try:
            await self._reader.admit(request)
            response = await handler(request)
        except web.HTTPException as refusal:
            if refusal.status not in _REFUSALS:
                raise
            happened, why = _REFUSALS[refusal.status]
            if isinstance(refusal, Refused):
                happened, why = _not_allowed(refusal)
            response = self.refusal(request, refusal.status, happened, why, "/floor")
            for name in ("Allow", "WWW-Authenticate"):
                if name in refusal.headers:
                    response.headers[name] = refusal.headers[name]
        except ConnectionError:
            raise  # nobody is there to be told
        except Exception as error:  # noqa: BLE001 - one page broke, the console goes on
            reference = f"console-{secrets.token_hex(3)}"
            _LOG.exception("%s: %s %s", reference, request.method, request.path)
            self.broke(f"{reference} {request.method} {request.path}: {type(error).__name__}: {error}"[:300])
            why = "The fault is ours, and nothing else is touched by it. The log has the rest under this reference."
            response = self.refusal(request, 500, "This page broke", why, "/floor", reference)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", CSP)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    async def _shut(self, app: web.Application) -> None:
        self.hub.close()


_CROWD = 60
"""Phones above which a floor is shown in small tiles unless it is asked for otherwise."""


def _density(request: web.Request, phones: int) -> str:
    asked = request.query.get("density", "")
    return asked if asked in ("compact", "large") else "compact" if phones > _CROWD else "large"


def _tally(phones: Iterable[PhoneCard]) -> list[tuple[str, int]]:
    counts = dict.fromkeys(STATES, 0)
    for card in phones:
        counts[card.state] += 1
    return [(state, count) for state, count in counts.items() if count]


async def read_form(request: web.Request) -> Mapping[str, object]:
    try:
        return await request.post()
    except (ValueError, LookupError, HttpProcessingError):  # a form cut off, or in an encoding nobody knows
        raise web.HTTPBadRequest from None


def _not_allowed(refused: Refused) -> tuple[str, str]:
    """The missing right, and who has it."""
    decision = refused.decision
    others = f" Who may: {', '.join(decision.others)}." if decision.others else ""
    return "This is not yours to do", f"{'. '.join(decision.because)}.{others}"


def _back(form: Mapping[str, object]) -> web.HTTPSeeOther:
    """To the page the form stood on; never to another site."""
    back = str(form.get("back", "/floor"))
    return web.HTTPSeeOther(back if back.startswith("/") and not back.startswith("//") else "/floor")


def _same_origin(request: web.Request) -> bool:
    """Fetch metadata where the browser sends it, else Origin; a client that sends neither is no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host
