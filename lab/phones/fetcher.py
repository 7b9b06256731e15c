"""How a real-world phone fetches: HTTP by aiohttp, TFTP by our own client; one session for all phones of a lab."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import aiohttp

from lab.phones import tftp_client
from lab.phones.family import Fetch, Fetched

PATIENCE_S = 6.0


class Fetcher:
    """Owns the HTTP session. `fetch` answers every failure as a `Fetched`: a phone only knows that it got nothing."""

    def __init__(self, *, source: str = "127.0.0.1") -> None:
        self._source = source
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, wanted: Fetch) -> Fetched:
        match wanted.protocol:
            case "http" | "https":
                return await self._http(wanted)
            case "tftp":
                parts = urlsplit(wanted.url)
                name = unquote(parts.path.lstrip("/"))
                return await tftp_client.read(parts.hostname or "", parts.port or 69, name, source=self._source)
            case _:
                return Fetched(0)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _http(self, wanted: Fetch) -> Fetched:
        if self._session is None:
            # A phone opens a connection for each file; keeping them would also keep the server's shutdown waiting.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
            )
        headers = {"User-Agent": wanted.user_agent, **dict(wanted.headers)}
        try:
            async with self._session.get(wanted.url, headers=headers) as answer:
                return Fetched(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Fetched(0)
