"""Whole ladders as text: every SIP message between the telephones and the switch, in order.

`ana > INVITE` is what Ana's phone sends, `ana < 180` what the switch sends her. A media offer in a message is `*`,
and so is an answer: `ana > INVITE*`, `ana < 200*`.
"""

from __future__ import annotations

import re

from pbx.domain.registrations import Peer
from tests.switch.town import CARRIER_HOST, SWITCH, Town

NAMES = {"101": "ana", "102": "ben", "103": "cleo", "104": "dev"}


class Ladder:
    """Listens on the wire of a town."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._put = town._put
        self.rungs: list[str] = []
        town._put = self._overheard

    def clear(self) -> None:
        self.rungs.clear()

    def _overheard(self, source: Peer, to: Peer, data: bytes) -> None:
        if max(source.port, to.port) < 16_000:
            outside = to.host if source == SWITCH else source.host
            self.rungs.append(f"{self._name(outside)} {'<' if source == SWITCH else '>'} {_said(data)}")
        self._put(source, to, data)

    def _name(self, host: str) -> str:
        if host == CARRIER_HOST:
            return "carrier"
        return NAMES[self._town._parties[host].name]


def _said(data: bytes) -> str:
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    said = words[1] if words[0] == b"SIP/2.0" else words[0]
    return said.decode() + ("*" if body.startswith(b"v=0") else "")


def rungs(text: str) -> list[str]:
    """Read a ladder as it is written in a test: rungs on lines of their own or two blanks apart."""
    return [rung for rung in re.split(r"\s{2,}|\n", text.strip()) if rung]
