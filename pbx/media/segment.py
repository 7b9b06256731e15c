"""What crosses the virtual wire in the place of packets: what its sender sounds like, and how many packets went by."""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

_MAGIC = b"VM1"
_NUMBERS = struct.Struct("!3sIIbIIQQIIIII")


class Segment(NamedTuple):
    """Packed, so that the virtual wire carries bytes, as it does for SIP."""

    source: int
    """The sender's SSRC."""
    sequence: int
    payload_type: int
    label: str
    first: int
    """Packets sent before this segment."""
    last: int
    """Packets sent with it."""
    digit: str = ""
    event: int = 0
    """Number of the key, so that its copies count once."""
    sent_us: int = 0
    """When it was put on the wire, by the one clock of the virtual world."""
    sealed: str = ""
    """Digest of the SRTP key it is sealed with; empty for plain RTP."""
    fax: str = ""
    """What a fax machine says."""
    again_s: float = 0.0
    """Until then its sender goes on as before, and sends no other segment: packets arrive all the while."""
    reported: int = 0
    """The SSRC whose packets its sender reports on, as RTCP would (RFC 3550 §6.4); 0 when none has come."""
    expected: int = 0
    """How many of them there were by now, and how many of those arrived."""
    arrived: int = 0
    jitter_us: int = 0

    def pack(self) -> bytes:
        numbers = _NUMBERS.pack(
            _MAGIC, self.source, self.sequence, self.payload_type, self.first, self.last, self.event, self.sent_us,
            round(self.again_s * 1000), self.reported, self.expected, self.arrived, self.jitter_us,
        )  # fmt: skip
        return numbers + f"{self.label}\t{self.digit}\t{self.sealed}\t{self.fax}".encode()


def unpack(data: bytes) -> Segment | None:
    """Read a segment; None for anything else that hits a media port."""
    if len(data) < _NUMBERS.size or not data.startswith(_MAGIC):
        return None
    _, source, sequence, payload, first, last, event, sent, again_ms, reported, expected, arrived, jitter = (
        _NUMBERS.unpack_from(data)
    )
    words = data[_NUMBERS.size :].decode("utf-8", "replace").split("\t", 3)
    if len(words) != 4:
        return None
    label, digit, sealed, fax = words
    return Segment(
        source, sequence, payload, label, first, last, digit, event, sent, sealed, fax, again_ms / 1000, reported,
        expected, arrived, jitter,
    )  # fmt: skip


def digest(key: str) -> str:
    """Name a key without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]
