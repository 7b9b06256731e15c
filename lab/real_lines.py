"""The cables of the lab's phones in real time: SIP is impaired between core and socket, media in the ears' process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.ears_process import figures
from lab.faults import Line
from lab.floor import Floor
from lab.house import AnyPhone
from lab.phones.phone import Phone
from lab.rough_line import RoughLine
from lab.wire import Impairment, WireCounts
from pbx.media.local import LocalEngine


class RealLines:
    """Implements `lab.faults.Lines` over the floor and its media process."""

    def __init__(self, floor: Floor | None, ears: LocalEngine | None) -> None:
        """After the phones are plugged in; without any there is no line either."""
        self._phones: Sequence[AnyPhone] = floor.phones if floor is not None else ()
        self._floor, self._ears = floor, ears
        self._media: Mapping[str, Sequence[Mapping[str, int]]] = {}
        if ears is not None:
            ears.told = self._told

    def lines(self) -> Sequence[Line]:
        return [
            Line(phone.extensions[0].device, phone.extensions[0].site, isinstance(phone, Phone))
            for phone in self._phones
        ]

    def impair_line(self, device: str, ways: tuple[Impairment, Impairment] | None) -> None:
        assert self._ears is not None
        phone = self._phone(device)
        self._line(device).impair(ways)
        for extension in phone.extensions:
            self._ears.tell("impair", party=extension.device, ways=figures(ways or ()))

    def drop_next(self, device: str, outward: bool, count: int, beginning: bytes) -> None:
        """What is lost is SIP: media says nothing that one could tell it by."""
        self._line(device).drop_next(outward, count, beginning)

    def counts(self, device: str) -> tuple[WireCounts, WireCounts]:
        phone = self._phone(device)
        out, back = self._line(device).counts
        told = [self._media.get(extension.device, ({}, {})) for extension in phone.extensions]
        return _plus(out, [ways[0] for ways in told]), _plus(back, [ways[1] for ways in told])

    def _phone(self, device: str) -> AnyPhone:
        return next(phone for phone in self._phones if phone.extensions[0].device == device)

    def _line(self, device: str) -> RoughLine:
        assert self._floor is not None
        return self._floor.rough_line(self._phone(device))

    def _told(self, said: dict[str, Any]) -> None:
        self._media = said["counts"]


def _plus(counts: WireCounts, more: Sequence[Mapping[str, int]]) -> WireCounts:
    return WireCounts(
        *(
            getattr(counts, name) + sum(one.get(name, 0) for one in more)
            for name in ("sent", "lost", "duplicated", "delivered")
        )
    )
