"""What crosses the virtual wire in the place of packets: what its sender sounds like, and how many packets went by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """Packed as text, so that the virtual wire carries bytes, as it does for SIP."""

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
        parts = (
            self.source,
            self.sequence,
            self.payload_type,
            self.label,
            self.first,
            self.last,
            self.digit,
            self.event,
            self.sent_us,
            self.sealed,
            self.fax,
            round(self.again_s * 1000),
            self.reported,
            self.expected,
            self.arrived,
            self.jitter_us,
        )
        return ("VM1\t" + "\t".join(map(str, parts))).encode()


def unpack(data: bytes) -> Segment | None:
    """Read a segment; None for anything else that hits a media port."""
    parts = data.decode("utf-8", "replace").split("\t")
    if len(parts) != 17 or parts[0] != "VM1":
        return None
    try:
        source, sequence, payload, first, last, event, sent = (int(parts[at]) for at in (1, 2, 3, 5, 6, 8, 9))
        again_ms, reported, expected, arrived, jitter = map(int, parts[12:])
    except ValueError:
        return None
    return Segment(
        source, sequence, payload, parts[4], first, last, parts[7], event, sent, parts[10], parts[11], again_ms / 1000,
        reported, expected, arrived, jitter,
    )  # fmt: skip


def digest(key: str) -> str:
    """Name a key without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]
