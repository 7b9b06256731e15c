"""What the mended client keeps of its dialogs and requests."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field


@dataclass(slots=True)
class Resend:
    """A request until its answer, or our 200 until its ACK (RFC 3261 §17.1, §13.3.1.4)."""

    data: bytes
    due: float
    interval: float
    until: float


@dataclass(slots=True)
class Dialog:
    """The state of one INVITE, ours or theirs."""

    invite: str
    """Text of our own INVITE without credentials; empty when we were called."""
    uri: str
    branch: str = ""
    cseq: int = 0
    local: str = ""
    remote: str = ""
    routes: list[str] = field(default_factory=list)
    challenged: bool = False
    provisional: bool = False
    cancel_wanted: bool = False
    confirmed: bool = False


class Outbound:
    """A socket that sends where the configuration says, whatever host the request's URI names."""

    def __init__(self, sock: socket.socket, server: tuple[str, int]) -> None:
        self._socket, self._server = sock, server

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # power went off while an answer was under way
            self._socket.sendto(data, self._server)

    def close(self) -> None:
        self._socket.close()
