"""Live updates: fragments for targets, from one hub to every open page (console.md 4.5).

A fragment is `(target, html)`. A client holds at most one pending fragment a target, so a lagging page
gets the newest card and never a backlog. Ids count without gaps; a page that returns with
`Last-Event-ID` gets what it missed, or `resync` when the ring no longer holds it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

RING = 2000
HEARTBEAT_S = 15.0
SPACING_S = 0.1
"""A page is told at most this often: enough for an eye, and a call's burst is one update."""


@dataclass(slots=True, eq=False)
class _Client:
    pending: dict[str, tuple[int, str]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    resync: bool = False


class Hub:
    """Owns the open streams of the console."""

    def __init__(self) -> None:
        self._clients: set[_Client] = set()
        self._ring: deque[tuple[int, str, str]] = deque(maxlen=RING)
        self._seq = 0
        self._closed = False

    @property
    def clients(self) -> int:
        return len(self._clients)

    def publish(self, target: str, render: Callable[[], str]) -> None:
        """Send the fragment of `target`; `render` is called only while somebody watches."""
        if not self._clients:
            return
        self._seq += 1
        html = render()
        self._ring.append((self._seq, target, html))
        for client in self._clients:
            client.pending.pop(target, None)
            client.pending[target] = (self._seq, html)
            client.wake.set()

    def close(self) -> None:
        self._closed = True
        for client in self._clients:
            client.wake.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one page's stream until it leaves."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        client = _Client()
        self._replay(client, request.headers.get("Last-Event-ID", ""))
        self._clients.add(client)
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n: connected\n\n")
            await self._pump(client, response)
        except (ConnectionResetError, ConnectionError):
            pass  # the page was closed; there is nobody to tell
        finally:
            self._clients.discard(client)
        return response

    def _replay(self, client: _Client, last: str) -> None:
        if not last.isdigit():
            return
        seen = int(last)
        oldest = self._ring[0][0] if self._ring else self._seq + 1
        client.resync = seen > self._seq or (seen < self._seq and seen + 1 < oldest)
        if not client.resync:
            client.pending = {target: (seq, html) for seq, target, html in self._ring if seq > seen}
        if client.resync or client.pending:
            client.wake.set()

    async def _pump(self, client: _Client, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await client.wake.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            gap = asyncio.Event()
            loop.call_later(SPACING_S, gap.set)
            client.wake.clear()
            if client.resync:
                client.resync = False
                await response.write(b"event: resync\ndata: {}\n\n")
            pending, client.pending = client.pending, {}
            for target, (seq, html) in pending.items():
                body = json.dumps({"target": target, "html": html})
                await response.write(f"id: {seq}\ndata: {body}\n\n".encode())
            await gap.wait()
