"""A TLS listener that tells of the phones it did not let in: why a handshake failed is what a lab asks first.

aiohttp's own listener passes it over in silence, for asyncio does. So connections are taken here, and handed to the
server once they are secured.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from provisioning_server.tftp_server import family_of

BACKLOG = 1024
"""Connections the kernel holds until they are taken: a site that powers up sends hundreds at once, and one that does
not fit comes again after a second, then after three."""
HANDSHAKE_S = 10.0
MOST_HANDSHAKES = 2000
_NO_ROOM_S = 1.0
"""How long nothing is taken when the process has no more descriptors."""

Insecure = Callable[[tuple[str, int], Exception], None]


class TlsDoor:
    """`refused` is told who was not let in, and why."""

    def __init__(self, server: Callable[[], asyncio.Protocol], context: ssl.SSLContext, refused: Insecure) -> None:
        self._server, self._context, self._refused = server, context, refused
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._handshakes = 0

    def start(self, host: str, port: int) -> int:
        """Listen; return the port. OSError when it is taken."""
        listening = self._socket = socket.create_server((host, port), family=family_of(host), backlog=BACKLOG)
        listening.setblocking(False)
        self._run(self._take(listening))
        found: int = listening.getsockname()[1]
        return found

    async def close(self) -> None:
        """Stop listening; what is let in is the server's to close."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                wire, peer = await loop.sock_accept(listening)
            except OSError:
                await _while(_NO_ROOM_S)
                continue
            if self._handshakes >= MOST_HANDSHAKES:
                wire.close()
                continue
            self._handshakes += 1
            self._run(self._let_in(wire, peer[:2]))

    async def _let_in(self, wire: socket.socket, peer: tuple[str, int]) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._server, wire, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S, ssl_shutdown_timeout=1.0
            )
        except OSError as error:  # those of TLS, nothing said in time, or gone in the middle of it
            self._refused(peer, error)
        finally:
            self._handshakes -= 1

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _while(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    handle = loop.call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        handle.cancel()
