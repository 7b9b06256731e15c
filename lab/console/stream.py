"""Live updates: the regions of pages that changed, from one hub to every open page (console.md 4.5).

A region is an element with an id; the newest fragment of it is all a page needs, so the hub keeps one a region and
renders it when somebody is there to read it: a lagging page gets the newest card and never a backlog. Every change has
the next number. A page says how far it has seen, in its address at first and in `Last-Event-ID` when it returns, and
gets what changed since, or `resync` when that can no longer be said: another life of the server, or too long away.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from lab.console.language import language_of

KEPT_REGIONS = 2000
HEARTBEAT_S = 15.0
SPACING_S = 0.25
"""A page is told at most this often, four times a second: enough for an eye, and a call's burst is one update. Who
records instead of looks sets a hub's `spacing_s`."""


@dataclass(slots=True)
class _Fragment:
    number: int
    render: Callable[[str], str]
    html: dict[str, str] = field(default_factory=dict)
    """By language."""

    def read(self, language: str) -> str:
        if language not in self.html:
            self.html[language] = self.render(language)
        return self.html[language]


@dataclass(slots=True, eq=False)
class _Page:
    regions: tuple[str, ...]
    """Beginnings of the region names it shows."""
    may: Callable[[str], bool]
    """Whether its reader may be told of a region; of `say`, of what is announced."""
    language: str
    seen: int
    resync: bool
    said: Callable[[str], str] | None = None
    clock: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Owns the open streams of the console. `clock` tells the lab's time, as pages show it."""

    def __init__(self, clock: Callable[[], dict[str, object]]) -> None:
        self._clock = clock
        self.spacing_s = SPACING_S
        self._pages: set[_Page] = set()
        self._fragments: OrderedDict[str, _Fragment] = OrderedDict()
        self._life = secrets.token_hex(4)
        self._number = 0
        self._forgotten = 0
        self._closed = False

    @property
    def pages(self) -> int:
        return len(self._pages)

    @property
    def position(self) -> str:
        """How far a page has seen that is rendered now."""
        return f"{self._life}.{self._number}"

    def publish(self, region: str, render: Callable[[str], str]) -> None:
        """Note that `region` changed; `render` is asked for a language when a page is told, once each."""
        self._number += 1
        self._fragments[region] = _Fragment(self._number, render)
        self._fragments.move_to_end(region)
        if len(self._fragments) > KEPT_REGIONS:
            self._forgotten = self._fragments.popitem(last=False)[1].number
        for page in self._pages:
            page.wake.set()

    def clock_changed(self) -> None:
        """The clock has been set: every page is told what it says."""
        for page in self._pages:
            page.wake.set()

    def say(self, words: Callable[[str], str]) -> None:
        """Announce something, by language, to those who listen instead of look; who is away misses it."""
        for page in self._pages:
            page.said = words
            page.wake.set()

    def shows(self, region: str) -> bool:
        """Tell whether an open page shows this region."""
        return any(region.startswith(page.regions) for page in self._pages)

    def close(self) -> None:
        self._closed = True
        for page in self._pages:
            page.wake.set()

    async def serve(self, request: web.Request, may: Callable[[str], bool]) -> web.StreamResponse:
        """Answer one page's stream until it leaves; `may` says which regions its reader is told of."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        page = self._arrived(request, may)
        self._pages.add(page)
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n: connected\n\n")
            await self._pump(page, response)
        except (ConnectionResetError, ConnectionError):
            pass  # the page was closed; there is nobody to tell
        finally:
            self._pages.discard(page)
        return response

    def _arrived(self, request: web.Request, may: Callable[[str], bool]) -> _Page:
        regions = tuple(request.query.get("regions", "").split(","))
        position = request.headers.get("Last-Event-ID") or request.query.get("after", self.position)
        life, _, number = position.partition(".")
        known = life == self._life and number.isascii() and number.isdigit()
        seen = min(int(number[:18]), self._number) if known else self._number
        page = _Page(regions, may, language_of(request), seen, resync=not known or seen < self._forgotten)
        page.wake.set()
        return page

    async def _pump(self, page: _Page, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await page.wake.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
            page.wake.clear()
            gap = asyncio.Event()
            loop.call_later(self.spacing_s, gap.set)
            if news := self._news(page):
                await response.write(news.encode())
            await gap.wait()

    def _news(self, page: _Page) -> str:
        lines = []
        if page.resync:
            page.resync = False
            lines.append("event: resync\ndata: {}\n\n")
        changed = [(region, f) for region, f in self._fragments.items() if f.number > page.seen]
        page.seen = self._number
        for region, fragment in changed:
            if region.startswith(page.regions) and page.may(region):
                body = json.dumps({"region": region, "html": fragment.read(page.language)})
                lines.append(f"id: {self._life}.{fragment.number}\ndata: {body}\n\n")
        if page.said is not None and page.may("say"):
            lines.append(f"event: say\ndata: {json.dumps(page.said(page.language))}\n\n")
        page.said = None
        clock = json.dumps(self._clock())
        if clock != page.clock:
            page.clock = clock
            lines.append(f"event: clock\ndata: {clock}\n\n")
        return "".join(lines)
