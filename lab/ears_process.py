"""The media process of the lab's phones: `python -m lab.ears_process FD`. A media process like the switch's, whose
parties may stand behind a bad line: their packets go over the wire of the virtual world, in real time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple
from typing import Any

from lab.wire import Impairment, Wire
from pbx.media import words
from pbx.media.latch import Address
from pbx.media.worker import TICK_S, Worker, main
from pbx.sip.address import Peer

COUNTS_EVERY_S = 0.5


class Ears(Worker):
    """Legs are named for their party (`101/…`); a party's line is impaired by `impair`."""

    def __init__(self, pair: socket.socket, told: dict[str, Any]) -> None:
        self._wire = Wire(1)
        self._parties: dict[int, str] = {}
        self._impaired: set[str] = set()
        self._counts_at = 0.0
        super().__init__(pair, told)

    def _receiver(self) -> Callable[[int, bytes, Address, float], None]:
        return self._arrived

    def _arrived(self, port: int, data: bytes, source: Address, now: float) -> None:
        party = self._parties.get(port, "")
        if party not in self._impaired:
            self._taken(port, data, source, now)
            return
        self._wire.send(Peer("udp", *source), Peer("udp", party, port), data, now)
        self._go_on(now)

    def _send(self, port: int, data: bytes, to: Address) -> None:
        party = self._parties.get(port, "")
        if party not in self._impaired:
            super()._send(port, data, to)
            return
        now = time.monotonic()
        self._wire.send(Peer("udp", party, port), Peer("udp", *to), data, now)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Let out what has come over the wire by now, and be back for the rest."""
        while (packet := self._wire.take_due(now)) is not None:
            if packet.to.host in self._parties.values():
                self._taken(packet.to.port, packet.data, (packet.source.host, packet.source.port), now)
            else:
                super()._send(packet.source.port, packet.data, (packet.to.host, packet.to.port))
        if len(self._wire):
            self._timer.every(TICK_S)

    def _taken(self, port: int, data: bytes, source: Address, now: float) -> None:
        """Media has even ports, RTCP the odd one above (RFC 3550 §11)."""
        take = self._exchange.receive_control if port % 2 else self._exchange.receive
        take(port, data, source, now)

    def _control_taken(self, port: int, data: bytes, source: Address, now: float) -> None:
        self._arrived(port, data, source, now)

    def _pace(self) -> None:
        if len(self._wire):
            self._timer.every(TICK_S)
        else:
            super()._pace()

    def _ticked(self) -> None:
        super()._ticked()
        now = time.monotonic()
        self._go_on(now)
        if self._impaired and now >= self._counts_at:
            self._counts_at = now + COUNTS_EVERY_S
            self._say({"note": "counts", "counts": {party: self._counts_of(party) for party in self._impaired}})

    def _counts_of(self, party: str) -> list[dict[str, int]]:
        return [asdict(self._wire.counts_of(party, "*")), asdict(self._wire.counts_of("*", party))]

    def _carry_out(self, told: words.Words) -> None:
        match told["do"]:
            case "open":
                self._parties[told["port"]] = self._parties[told["port"] + 1] = told["leg"].partition("/")[0]
                super()._carry_out(told)
            case "impair":
                self._impair(told["party"], told["ways"])
            case "drop":
                ways = {"source": told["party"]} if told["outward"] else {"to": told["party"]}
                self._wire.drop_next(told["count"], **ways)
            case _:
                super()._carry_out(told)

    def _impair(self, party: str, ways: Sequence[Sequence[float]]) -> None:
        """`ways` are the figures to the provider and from it; none for a line like all others."""
        if not ways:
            self._impaired.discard(party)
            self._wire.unimpair(source=party)
            self._wire.unimpair(to=party)
            return
        out, back = (Impairment(*figures) for figures in ways)
        self._wire.impair(out, source=party)
        self._wire.impair(back, to=party)
        self._impaired.add(party)


def figures(ways: Sequence[Impairment]) -> list[list[float]]:
    """Write impairments as the process reads them."""
    return [list(astuple(way)) for way in ways]


if __name__ == "__main__":
    main(Ears)
