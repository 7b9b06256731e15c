"""`/api/v1`: what happens, as it happens, and what was kept of a call.

* `GET /api/v1/events[?kind=a,b][&call=C]`: server-sent events, each a JSON object; `Last-Event-ID` goes on from there.
* `GET /api/v1/trace[?call=C][&plain=1]`: lines of text for a terminal; of one call, what was kept and then what
  comes, to its end.
* `GET /api/v1/calls/{call}/{document}`: a call's capture, ladder or reasons, or all of them in one archive.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from lab.api.refusal import refused
from lab.call_export import ARCHIVE, CONTENT_TYPES, NAMES, PLAN, Local, exported
from lab.callbook import CallBook
from lab.logs import shown
from lab.trace import plain_line, wire_line
from pbx.bus import Bus
from pbx.events import CallRecordWritten, Stamped, event_kinds

HEARTBEAT_S = 15.0
MOST_BEHIND = 5_000
"""Events a reader may lag; one that lags more is cut off, and comes back with its Last-Event-ID."""


@dataclass(slots=True)
class Observer:
    """Adds its routes to an application; `close` ends every stream."""

    bus: Bus
    book: CallBook
    local: Local
    tls_secrets: Callable[[], bytes] = bytes
    _readers: set[_Reader] = field(default_factory=set)

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/events", self._events)
        app.router.add_get("/api/v1/trace", self._trace)
        app.router.add_get("/api/v1/calls/{call}/{document}", self._document)

    def close(self) -> None:
        for reader in self._readers:
            reader.end()

    async def _document(self, request: web.Request) -> web.Response:
        call, name = request.match_info["call"], request.match_info["document"]
        entry = self.book.entry(call)
        if entry is None:
            return _no_call(call)
        known = (*NAMES, ARCHIVE, PLAN)
        if name not in known:
            return refused(404, f"a call has no {name!r}", "it is none of its documents", f"one of {', '.join(known)}")
        suffix = name.rpartition(".")[2]
        try:
            body = exported(entry, name, self.local, self.tls_secrets())
        except ValueError as error:
            return refused(409, f"there is no {name} of {call}", str(error), "ask again when the call is over")
        return web.Response(
            body=body,
            content_type=CONTENT_TYPES[suffix],
            charset=None if suffix in ("pcapng", "zip") else "utf-8",
            headers={"Content-Disposition": f'attachment; filename="{call}.{name.removeprefix("call.")}"'},
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        kinds = frozenset(filter(None, request.query.get("kind", "").split(",")))
        unknown = sorted(kinds - event_kinds().keys())
        if unknown:
            return refused(400, f"there is no event {unknown[0]!r}", "kind= names events", ", ".join(event_kinds()))
        call, last = request.query.get("call", ""), request.headers.get("Last-Event-ID", "")

        def body(stamped: Stamped) -> str:
            event = stamped.event
            if (kinds and event.kind not in kinds) or (call and self.book.call_of(stamped) != call):
                return ""
            document = {"seq": stamped.seq, "kind": event.kind, "at": stamped.at.wall.isoformat()} | shown(event)
            return f"id: {stamped.seq}\nevent: {event.kind}\ndata: {json.dumps(document)}\n\n"

        missed = self.bus.since(int(last)) if last.isdecimal() else []
        return await self._stream(request, "text/event-stream", missed, body, ": still here\n\n")

    async def _trace(self, request: web.Request) -> web.StreamResponse:
        call, form = request.query.get("call", ""), plain_line if "plain" in request.query else wire_line
        entry = self.book.entry(call)
        if call and entry is None:
            return _no_call(call)
        kept = list(entry.events) if entry is not None else []
        start_s = kept[0].at.mono if kept else None

        def line(stamped: Stamped) -> str:
            nonlocal start_s
            of = self.book.call_of(stamped)
            if call and of != call:
                return ""
            start_s = stamped.at.mono if start_s is None else start_s
            told = form(stamped, start_s)
            return (told if call else f"{of:>8} {told}") + "\n" if told else ""

        def over(stamped: Stamped) -> bool:
            return bool(call) and isinstance(stamped.event, CallRecordWritten) and stamped.event.call == call

        return await self._stream(request, "text/plain", kept, line, "", over)

    async def _stream(
        self,
        request: web.Request,
        content_type: str,
        first: Iterable[Stamped],
        written: Callable[[Stamped], str],
        heartbeat: str,
        over: Callable[[Stamped], bool] = lambda stamped: False,
    ) -> web.StreamResponse:
        """Write `first`, then every event as it comes, until the reader goes, lags too far or sees the last one."""
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type, response.charset = content_type, "utf-8"
        reader = _Reader(first)
        self._readers.add(reader)
        unsubscribe = self.bus.subscribe(reader.take)
        try:
            with suppress(ConnectionResetError, ConnectionError):  # the reader has gone; there is nobody to tell
                await response.prepare(request)
                async for stamped in reader:
                    text = written(stamped) if stamped is not None else heartbeat
                    if text:
                        await response.write(text.encode("utf-8", "replace"))
                    if stamped is not None and over(stamped):
                        break
        finally:
            unsubscribe()
            self._readers.discard(reader)
        return response


class _Reader:
    """What one stream has yet to write; iterates over events, None when there was nothing for a while."""

    def __init__(self, first: Iterable[Stamped]) -> None:
        self._waiting = deque(first)
        self._wake = asyncio.Event()
        self._ended = False

    def take(self, stamped: Stamped) -> None:
        self._waiting.append(stamped)
        if len(self._waiting) > MOST_BEHIND:
            self.end()
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Stamped | None]:
        while not self._ended:
            while self._waiting and not self._ended:
                yield self._waiting.popleft()
            self._wake.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                yield None


def _no_call(call: str) -> web.Response:
    return refused(404, f"there is no call {call!r}", "it is not among the calls kept", "GET /api/v1/calls")
