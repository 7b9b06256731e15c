"""Whether the other services that a phone needs answer from here: names, time, its configuration."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

Attempt = Callable[[str], Awaitable[bool]]
WITHIN_S = 5.0
_ASK_TIME = b"\x1b" + bytes(47)
"""SNTP version 3, client (RFC 4330 §5)."""


async def reached(wanted: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
    """Try each of `wanted`: `dns` a name, `ntp` a host, `https` a URL; return which answered within five seconds."""
    tries = {"dns": _names, "ntp": _tells_time, "https": _serves}
    answers = await asyncio.gather(*(_in_time(tries[kind], target) for kind, target in wanted.items()))
    return tuple(zip(wanted, answers, strict=True))


async def _in_time(attempt: Attempt, target: str) -> bool:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await attempt(target)
    except (OSError, TimeoutError, aiohttp.ClientError, ValueError):
        return False


async def _names(name: str) -> bool:
    return bool(await asyncio.get_running_loop().getaddrinfo(name, None))


async def _tells_time(host: str) -> bool:
    loop = asyncio.get_running_loop()
    family, kind, proto, _, address = (await loop.getaddrinfo(host, 123, type=socket.SOCK_DGRAM))[0]
    with socket.socket(family, kind, proto) as asking:
        asking.setblocking(False)
        await loop.sock_connect(asking, address)
        await loop.sock_sendall(asking, _ASK_TIME)
        return len(await loop.sock_recv(asking, 512)) >= 48


async def _serves(url: str) -> bool:
    """Any answer over a connection whose certificate holds: what is served there is another question."""
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False):
        return True
