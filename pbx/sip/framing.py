"""Whole messages out of a stream (RFC 3261 §18.3), and the keep-alives between them (RFC 5626 §4.4.1)."""

from __future__ import annotations

import re

from pbx.sip.message import MAX_HEAD
from pbx.sip.tolerances import Tolerance, Tolerances

MAX_MESSAGE = 65_535
"""Octets of one message."""
PING = b"\r\n\r\n"
PONG = b"\r\n"
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*([^\r\n]*)")


class Framer:
    """Cuts one stream; `feed` it what arrives. Once `broken` nothing after it can be told apart: close the stream."""

    def __init__(self, tolerances: Tolerances | None = None) -> None:
        self._tolerances = tolerances or Tolerances()
        self._buffer = b""
        self._searched = 0
        self.broken = False
        self.pings = 0
        """Keep-alives to be answered, each with a PONG; the owner counts them down."""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now. The last one of a broken stream is whatever is there of it: it
        cannot be served, but its sender can be told so."""
        self._buffer += data
        messages: list[bytes] = []
        while not self.broken:
            self._skip_keep_alives()
            end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
            if end < 0:
                self._searched = len(self._buffer)
                if self._searched > MAX_HEAD:
                    messages.append(self._break())
                break
            self._searched = end
            length = self._length(self._buffer[: end + 2])
            if length is None or end + 4 + length > MAX_MESSAGE:
                messages.append(self._break())
                break
            if len(self._buffer) < end + 4 + length:
                break
            messages.append(self._buffer[: end + 4 + length])
            self._buffer = self._buffer[end + 4 + length :]
            self._searched = 0
        return messages

    def _skip_keep_alives(self) -> None:
        while self._buffer.startswith(b"\r\n"):
            if self._buffer.startswith(PING):
                self.pings += 1
                self._buffer = self._buffer[4:]
            elif PING.startswith(self._buffer):
                break
            else:
                self._buffer = self._buffer[2:]  # a pong, or a line end too many

    def _length(self, head: bytes) -> int | None:
        """Octets of the body; None when nobody can tell."""
        found = {value.strip() for value in _LENGTH.findall(head)}
        if not found:
            return 0 if self._tolerances.forgives(Tolerance.NO_LENGTH) else None  # taken for bodiless
        (text, *others) = found
        return int(text) if not others and text.isdigit() and len(text) < 10 else None

    def _break(self) -> bytes:
        self.broken = True
        rest, self._buffer = self._buffer, b""
        return rest
