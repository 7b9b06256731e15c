"""The asyncio shell of SIP PnP: listens in the multicast group, answers from a socket of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from provisioning_server.pnp import GROUP, PORT

_LARGEST = 8192
_DRAIN = 64


class PnpServer:
    """`answer` takes (datagram, source, where answers leave from) and returns the datagrams to send back."""

    def __init__(
        self,
        host: str,
        answer: Callable[[bytes, tuple[str, int], tuple[str, int]], tuple[bytes, ...]],
        *,
        port: int = PORT,
    ) -> None:
        """Join the group on the interface of `host`; OSError when that cannot be. Several servers may share it."""
        self._answer = answer
        self._group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._group.bind((GROUP, port))
            member = socket.inet_aton(GROUP) + socket.inet_aton(host)
            self._group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            self._own.bind((host, 0))
        except OSError:
            self._group.close()
            self._own.close()
            raise
        for one in (self._group, self._own):
            one.setblocking(False)
        self.port: int = self._group.getsockname()[1]

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._group, self._drain)
        loop.add_reader(self._own, self._answers)

    def close(self) -> None:
        for one in (self._group, self._own):
            if one.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(one)
                one.close()

    def _drain(self) -> None:
        ours = self._own.getsockname()
        for _ in range(_DRAIN):
            try:
                data, source = self._group.recvfrom(_LARGEST)
            except OSError:
                return
            for datagram in self._answer(data, source, ours):
                with suppress(OSError):  # a phone that is gone asks again when it is back
                    self._own.sendto(datagram, source)

    def _answers(self) -> None:
        """The phones' 200 to our NOTIFY: nothing follows from them."""
        for _ in range(_DRAIN):
            try:
                self._own.recvfrom(_LARGEST)
            except OSError:
                return
