"""A leg's packets as evidence: what came from its far end and what was sent there, opened where it was sealed.

Whoever asks for it names a folder; each leg that is opened from then on has a file there, `<leg>.tap`, once it is
closed. Keys that were pressed are blotted out before they reach the disk: they may be a PIN.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pbx.media import rtp
from pbx.media.engine import RemoteMedia
from pbx.media.latch import Address

SUFFIX = ".tap"
MOST_OCTETS = 8 << 20
"""Of a leg: some seven minutes of G.711, both ways."""
_AT_ONCE = 1 << 16
_HEAD = struct.Struct("<dBHBH")
"""Monotonic seconds, what it is, port of the far end, length of its host, octets; host and octets follow."""
CAME, SENT, REPORT_CAME, REPORT_SENT, AGREED = range(5)
"""RTP, RTCP, and what was negotiated (JSON)."""
BLOTTED = 0xFF
"""In the place of a key's number: no event of RFC 4733."""

Keep = Callable[[Callable[[], None], Callable[[str], None]], None]


class Tapped(NamedTuple):
    """One packet of a leg, or what was agreed."""

    at: float
    """Monotonic seconds."""
    what: int
    far: Address
    data: bytes


class Tap:
    """Owned by its leg. `keep(write, done)` writes beside the media loop, one thing after another."""

    __slots__ = ("_event_type", "_keep", "_octets", "_part", "_path", "_waiting")

    def __init__(self, folder: Path, leg: str, keep: Keep) -> None:
        self._path = path_of(folder, leg)
        self._part = self._path.with_suffix(".part")
        self._keep = keep
        self._waiting = bytearray()
        self._octets = 0
        self._event_type = -1
        """Payload type of keys."""

    def agreed(self, port: int, remote: RemoteMedia, now: float) -> None:
        """This was negotiated; `port` is ours."""
        self._event_type = -1 if remote.event_type is None else remote.event_type
        told = {
            "port": port, "codec": remote.codec, "payload_type": remote.payload_type, "sealed": remote.keys is not None,
        }  # fmt: skip
        self.note(AGREED, json.dumps(told).encode(), ("", 0), now)

    def note(self, what: int, data: bytes, far: Address, now: float) -> None:
        """A packet came, or is sent."""
        if self._octets > MOST_OCTETS:
            return
        if what <= SENT and len(data) > rtp.HEADER_SIZE and data[1] & 0x7F == self._event_type:
            data = _without_key(data)
        host = far[0].encode()
        self._waiting += _HEAD.pack(now, what, far[1], len(host), len(data)) + host + data
        self._octets += len(data) + _HEAD.size
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def end(self) -> None:
        """Its leg is closed: the file gets its name."""
        self._flush()
        self._keep(partial(_name, self._part, self._path), self._kept)

    def _flush(self) -> None:
        if self._waiting:
            self._keep(partial(_append, self._part, bytes(self._waiting)), self._kept)
            self._waiting.clear()

    def _kept(self, problem: str) -> None:
        if problem:  # a full disk, say: what is there is evidence, what comes would have a hole before it
            self._octets = MOST_OCTETS + 1


def path_of(folder: Path, leg: str) -> Path:
    """Return where the packets of a leg lie once it is closed."""
    return folder / (leg.replace("/", "_") + SUFFIX)


def read(path: Path) -> Iterator[Tapped]:
    """Yield the packets of a file in their order; a torn end is left out. OSError when it cannot be read."""
    data, at = path.read_bytes(), 0
    while at + _HEAD.size <= len(data):
        moment, what, port, host_octets, octets = _HEAD.unpack_from(data, at)
        begin = at + _HEAD.size + host_octets
        if begin + octets > len(data):
            return
        host = data[at + _HEAD.size : begin].decode("ascii", "replace")
        yield Tapped(moment, what, (host, port), data[begin : begin + octets])
        at = begin + octets


def agreement(tapped: Tapped) -> dict[str, Any]:
    """Return `port codec payload_type sealed` of an AGREED."""
    read: dict[str, Any] = json.loads(tapped.data)
    return read


def _without_key(data: bytes) -> bytes:
    packet = rtp.read(data)
    if packet is None or not packet.payload:
        return data
    at = rtp.HEADER_SIZE if data[0] == 0x80 else data.rindex(packet.payload)
    return data[:at] + bytes((BLOTTED,)) + data[at + 1 :]


def _append(path: Path, octets: bytes) -> None:
    with path.open("ab") as file:
        file.write(octets)


def _name(part: Path, path: Path) -> None:
    if part.exists():  # a leg nothing ever came to has none
        part.rename(path)
