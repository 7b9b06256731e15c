"""One softphone from its boot to its end: the web server it is pressed by, and what is told of it to the server.

It tells of its calls and of what it hears as phones do by action URLs: a GET of `{mac}.said` with the device's own
token (provisioning_server.witness).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from lab.softphones.listening import DecodedKnowledge, Listener
from lab.softphones.program import Site, Softphone, Told, Unwilling
from lab.softphones.recording import Recording
from lab.waiting import woken

LOOK_S = 0.1
"""How often what was recorded is listened to."""
_CEASED_S = 0.5
"""Without anything recorded for so long, it hears nothing."""

Making = Callable[[Site, Told], Softphone]


class Remote:
    """Owns the program, its web server and its ears; `run` until the program ends or the task is cancelled."""

    def __init__(self, site: Site, says_to: str, make: Making) -> None:
        """`says_to` is the URL of the box's `.said`."""
        self._site, self._says_to = site, says_to
        self._phone = make(site, self._tell)
        self._sayings: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def listen(self) -> str:
        """Return the URL of its remote control."""
        app = web.Application()
        app.router.add_get("/", self._look)
        app.router.add_post("/press", self._press)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def boot(self) -> None:
        """Return once it is registered; NotStarted."""
        await self._phone.start()

    async def run(self, labels: Sequence[str]) -> None:
        """Listen and tell until the program ends."""
        loop = asyncio.get_running_loop()
        knowledge = await asyncio.to_thread(DecodedKnowledge, labels)
        self._tasks = [
            loop.create_task(self._listen(knowledge), name="ears"),
            loop.create_task(self._say(), name="sayings"),
            loop.create_task(self._phone.ended(), name="program"),
        ]
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        await self._phone.close()

    async def _look(self, request: web.Request) -> web.Response:
        return web.json_response({"device": self._site.device})

    async def _press(self, request: web.Request) -> web.Response:
        try:
            told = await request.json()
            action, argument = str(told["action"]), str(told.get("argument", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.Response(status=400, text='say {"action": "dial", "argument": "102"}')
        try:
            await self._phone.do(action, argument)
        except Unwilling as no:
            return web.Response(status=409, text=str(no))
        return web.json_response({})

    def _tell(self, what: str, call: str, remote: str) -> None:
        self._sayings.put_nowait({"event": what, "call": call, "remote": remote})

    async def _say(self) -> None:
        """In order, one at a time; a server that is away for a moment misses what was said meanwhile."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                said = await self._sayings.get()
                try:
                    async with session.get(f"{self._says_to}?{urlencode(said)}"):
                        pass
                except (aiohttp.ClientError, TimeoutError):
                    continue

    async def _listen(self, knowledge: DecodedKnowledge) -> None:
        loop = asyncio.get_running_loop()
        recording, listener, last = None, Listener(knowledge), loop.time()
        while True:
            await woken(asyncio.Event(), LOOK_S)
            newest = self._phone.recording
            if newest is not None and (recording is None or recording.path != newest):
                recording, listener = Recording(newest), Listener(knowledge)
            octets = recording.take() if recording is not None else b""
            if octets:
                last = loop.time()
                heard = listener.feed(octets)
            else:
                heard = listener.cease() if loop.time() - last >= _CEASED_S else []
            for sound in heard:
                self._tell("hears", "", sound)
