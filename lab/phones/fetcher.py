"""How a real-world phone fetches: HTTP by aiohttp, TFTP by our own client; one session for all phones of a lab."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from lab.phones import tftp_client
from lab.phones.family import Fetch, Fetched

PATIENCE_S = 6.0


_ANYWHERE = ("0.0.0.0", "::")


class Fetcher:
    """Owns the HTTP session. `fetch` answers every failure as a `Fetched`: a phone only knows that it got nothing."""

    def __init__(
        self,
        *,
        source: str = "127.0.0.1",
        names: Mapping[str, tuple[str, int]] | None = None,
        trust: Callable[[str], ssl.SSLContext] | None = None,
    ) -> None:
        """`names` is what the phones' name server knows of the internet; `trust` gives what a phone trusts, and shows
        where it has to show a certificate of that name (or none, for an empty one)."""
        self._source, self._names, self._trust = source, names or {}, trust
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
                connector=aiohttp.TCPConnector(
                    force_close=True, local_addr=None if self._source in _ANYWHERE else (self._source, 0)
                ),
                timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            )
        headers = {"User-Agent": wanted.user_agent, **dict(wanted.headers)}
        url, told = URL(wanted.url), dict[str, Any]()
        if (known := self._names.get(url.host or "")) is not None:
            headers["Host"], told["server_hostname"] = url.host or "", url.host
            url = url.with_host(known[0]).with_port(known[1])
        if url.scheme == "https" and self._trust is not None:
            told["ssl"] = self._trust(wanted.certificate)
        try:
            told |= {"headers": headers, "allow_redirects": wanted.follow, "data": wanted.body or None}
            async with self._session.request(wanted.method, url, **told) as answer:
                location = "" if wanted.follow else answer.headers.get("Location", "")
                challenge, etag = answer.headers.get("WWW-Authenticate", ""), answer.headers.get("ETag", "")
                body, cut = await _body(answer)
                return Fetched(answer.status, body, location, challenge, etag, cut)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Fetched(0)


async def _body(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """Read what comes; and whether it broke off."""
    body = bytearray()
    try:
        async for part in answer.content.iter_any():
            body += part
    except (aiohttp.ClientError, TimeoutError, OSError):
        return bytes(body), True
    return bytes(body), False
