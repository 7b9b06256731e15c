"""The portal of a lab on sockets, as the browsers of a plan reach it: over HTTP at the console's port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from lab.browser import Answered, Asked

_MOST_S = 10.0


class ReachedPortal:
    """`url` is the console's. Owns a session and what is under way; `close` ends both."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=_MOST_S), trust_env=False
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.ahead_s = 0.0

    def carry(self, asked: Asked, answered: Callable[[Answered], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._carried(asked, answered), name=f"browser {asked.path}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _carried(self, asked: Asked, answered: Callable[[Answered], None]) -> None:
        try:
            async with self._session.request(
                asked.method, f"{self._url}{asked.path}", headers=asked.headers, data=asked.body, allow_redirects=False
            ) as answer:
                cookies = tuple(answer.headers.getall("Set-Cookie", ()))
                come = Answered(answer.status, answer.headers.get("Location", ""), cookies, await answer.read())
        except (aiohttp.ClientError, TimeoutError):
            come = Answered(0)
        answered(come)
