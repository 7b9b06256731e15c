"""UDPTL: what carries a fax over IP, each datagram with copies of the ones before (ITU-T T.38 §9).

A datagram is a number, its own IFP packet and either older packets again or parities of them. Pure: octets in,
octets out. Lengths are PER's (X.691 §10.9): one octet to 127, two to 16,383; what is longer is no fax.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

REDUNDANCY = 3
"""Older packets each datagram carries again: three lost in a row cost nothing."""
LARGEST = 1400
"""Octets of a datagram we take, as we say in SDP: no fragments on any usual path."""
_HELD = 3
"""Packets that wait for one that may only be late; when another comes, it is given up."""
_FARTHEST, _TURNED = 1000, 25
"""A number so far off is of another stream, or a packet of sound that came late; so many in a row are the new one."""
_PARITIES = 0x80


class BadUdptl(ValueError):
    """No UDPTL datagram."""


@dataclass(frozen=True, slots=True)
class Datagram:
    number: int
    primary: bytes
    older: tuple[bytes, ...] = ()
    """The packets before this one, newest first."""


def read(data: bytes) -> Datagram:
    """Read a datagram; BadUdptl when it is none. Parities (T.38 §9.1.4.2) are read over: we ask for copies."""
    if len(data) < 5:
        raise BadUdptl("too short")
    primary, at = _counted(data, 2)
    if at >= len(data):
        raise BadUdptl("it ends before the error recovery")
    recovery, at = data[at], at + 1
    older: list[bytes] = []
    if not recovery & _PARITIES:
        count, at = _length(data, at)
        if count > len(data) - at:
            raise BadUdptl(f"{count} older packets in {len(data) - at} octets")
        for _ in range(count):
            packet, at = _counted(data, at)
            older.append(packet)
    return Datagram(int.from_bytes(data[:2]), primary, tuple(older))


def is_one(data: bytes) -> bool:
    try:
        read(data)
    except BadUdptl:
        return False
    return True


def write(it: Datagram) -> bytes:
    parts = [it.number.to_bytes(2), _with_length(it.primary), b"\0", _length_octets(len(it.older))]
    return b"".join([*parts, *map(_with_length, it.older)])


class Sender:
    """Numbers what is sent and repeats what was. `largest` is what the far end takes."""

    def __init__(self, largest: int, redundancy: int = REDUNDANCY) -> None:
        self._largest = largest
        self._sent: deque[bytes] = deque(maxlen=redundancy)
        self._number = 0

    def datagram(self, packet: bytes) -> bytes:
        """Return the next datagram: as many older packets again as the far end has room for."""
        older = list(self._sent)
        data = write(Datagram(self._number, packet, tuple(older)))
        while older and len(data) > self._largest:
            older.pop()
            data = write(Datagram(self._number, packet, tuple(older)))
        self._sent.appendleft(packet)
        self._number = self._number + 1 & 0xFFFF
        return data


class Receiver:
    """Puts what arrives in order, once each, and mends holes from the copies."""

    def __init__(self) -> None:
        self._next = 0
        self._astray = 0
        self._early: dict[int, bytes] = {}
        """Packets behind a hole."""
        self.recovered = 0
        """Packets had from copies alone."""
        self.lost = 0
        """Packets given up."""

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take a datagram; return (number, packet) of what can be read now, in order. BadUdptl."""
        it = read(data)
        ahead = _ahead(it.number, self._next)
        self._astray = self._astray + 1 if abs(ahead) > _FARTHEST else 0
        if self._astray >= _TURNED:
            self._next, self._astray = it.number, 0
            self._early.clear()
        elif ahead < 0 or self._astray:
            return []
        for back, packet in enumerate(it.older, start=1):
            number = it.number - back & 0xFFFF
            if _ahead(number, self._next) >= 0 and number not in self._early:
                self._early[number] = packet
                self.recovered += 1
        self._early[it.number] = it.primary
        found = self._in_order()
        if len(self._early) > _HELD:
            first = min(self._early, key=lambda number: _ahead(number, self._next))
            self.lost += _ahead(first, self._next)
            self._next = first
            found += self._in_order()
        return found

    def _in_order(self) -> list[tuple[int, bytes]]:
        found = []
        while (packet := self._early.pop(self._next, None)) is not None:
            found.append((self._next, packet))
            self._next = self._next + 1 & 0xFFFF
        return found


def _ahead(number: int, of: int) -> int:
    """Return how far a number is after another, on a ring of 16 bits; negative before it."""
    return (number - of + 0x8000 & 0xFFFF) - 0x8000


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise BadUdptl("it ends before a length")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first >= 0xC0 or at + 1 >= len(data):
        raise BadUdptl("a length of 16,384 or more, or half a length")
    return (first & 0x3F) << 8 | data[at + 1], at + 2


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _length(data, at)
    if at + length > len(data):
        raise BadUdptl(f"a packet of {length} octets in {len(data) - at}")
    return data[at : at + length], at + length


def _length_octets(length: int) -> bytes:
    return bytes((length,)) if length < 0x80 else (0x8000 | length).to_bytes(2)


def _with_length(packet: bytes) -> bytes:
    return _length_octets(len(packet)) + packet
